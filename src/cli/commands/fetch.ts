import type { FetchReport } from '../../index.ts'
import { type Command, type Context, defineCommand, text } from '../command.ts'
import { given } from '../given.ts'
import { readOptional } from '../limit.ts'
import { count } from '../render.ts'
import { movedList, transferred } from '../transfers.ts'

export const fetch: Command = defineCommand({
  flags: {
    remote: text('R', 'A remote, an address, a folder or a bundle; else the primary'),
    jobs: text('N', 'Requests at once (8)'),
  },
  takes: [0, 1],
  rest: true,
  completes: 'refs',
  ends: [13, 20, 21, 22],
  details: [
    'Without REF, reads what is new in the log of a remote, so that `status` and `ls --remote` can tell; nothing here changes.',
    'With REF, fetches the bytes of a version that was pulled with --no-data; with PATHs only those files, and what is below those folders.',
    'After `artifacts config set fetch auto`, what is read and not here is fetched from the primary remote by itself: `checkout`, `download`, `path`, `file`, `cat`, `export` and `diff` connect then.',
  ],
  examples: [
    ['artifacts fetch', 'See what others have pushed'],
    ['artifacts fetch bike:v3', 'The bytes of a version'],
    ['artifacts fetch bike:v3 -- labels/', 'Some of its files'],
  ],
  json: {
    '': 'remote url news artifacts versions packs objects bytes requests requestsByKind operation? remarks',
  },

  async run({ values, positionals: [ref], rest }, context) {
    const store = await context.store()
    const { remote, jobs } = values
    const report = await store.fetch({
      ...given({ ref, remote, jobs: readOptional(jobs, '--jobs') }),
      ...(rest.length === 0 ? {} : { paths: rest }),
      ...context.operation,
    })
    return { value: report, text: describe(report, ref, context) }
  },
})

function describe(report: FetchReport, ref: string | undefined, { style, quiet }: Context): string {
  const { versions, remote, news, artifacts } = report
  if (quiet) return [...artifacts, ...versions].map((name) => `${name}\n`).join('')
  if (ref === undefined) {
    if (news === 0) return `Nothing new at ${remote}.\n`
    const touched = artifacts.length === 0 ? '' : `: ${movedList(artifacts, style)}`
    return `${count(news, 'new operation')} at ${remote}${touched}. Take them over: artifacts pull\n`
  }
  if (versions.length === 0) return `${style.strong(ref)} is whole.\n`
  return `Fetched ${movedList(versions, style)} from ${remote} (${transferred(report)}).\n`
}
