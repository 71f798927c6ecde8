import type { TransferReport } from '../../index.ts'
import { type Command, type Context, defineCommand, text, yes } from '../command.ts'
import { given } from '../given.ts'
import { readOptional } from '../limit.ts'
import { movedList, transferred } from '../transfers.ts'

export const pull: Command = defineCommand({
  flags: {
    remote: text('R', 'A remote, an address, a folder or a bundle; else the primary'),
    'no-data': yes('Take what versions consist of, not the bytes of their files'),
    jobs: text('N', 'Requests at once (8)'),
  },
  takes: [0, Number.POSITIVE_INFINITY],
  completes: 'refs',
  ends: [13, 20, 21, 22],
  details: [
    'Takes over what a remote has: versions, aliases, labels, deletes, runs; without REF, everything that is new. What both sides have changed is merged, and what came of it is said. Directories are not touched: `artifacts checkout` is the next step.',
    'Every byte is verified before it joins the store. A pull that was cut goes on where it was when it is run again.',
    'With --no-data, versions can be listed, compared and looked at, and their bytes fetched later, with `artifacts fetch`.',
  ],
  examples: [
    ['artifacts pull', 'Take over everything new from the primary remote'],
    ['artifacts pull bike:best', 'One version'],
    ['artifacts pull --no-data', 'Everything but the bytes of files'],
  ],
  json: {
    '': 'remote url versions packs objects bytes requests requestsByKind operation? remarks',
  },

  async run({ values, positionals }, context) {
    const store = await context.store()
    const { remote, jobs, 'no-data': noData } = values
    const report = await store.pull(positionals, {
      data: !noData,
      ...given({ remote, jobs: readOptional(jobs, '--jobs') }),
      ...context.operation,
    })
    for (const remark of report.remarks) context.remark(remark)
    return { value: report, text: describe(report, context) }
  },
})

function describe(report: TransferReport, { style, quiet }: Context): string {
  const { versions, remote, operation } = report
  if (quiet) return versions.map((ref) => `${ref}\n`).join('')
  if (operation === undefined) return `Nothing new at ${remote}.\n`
  const what = versions.length === 0 ? 'labels' : movedList(versions, style)
  return `Pulled ${what} from ${remote} (${transferred(report)}).\n`
}
