import type { PushReport } from '../../index.ts'
import { type Command, type Context, defineCommand, text, yes } from '../command.ts'
import { given } from '../given.ts'
import { readOptional } from '../limit.ts'
import { movedList, transferred } from '../transfers.ts'

export const push: Command = defineCommand({
  flags: {
    remote: text('R', 'A remote, an address or a folder; else the primary'),
    'dry-run': yes('Only say what would be sent'),
    jobs: text('N', 'Requests at once (8)'),
    'no-pull': yes('Do not pull what others have done to it first'),
    'with-patch': yes('Send the patches of runs, too'),
  },
  takes: [0, Number.POSITIVE_INFINITY],
  completes: 'refs',
  ends: [13, 20, 21, 22],
  details: [
    'Sends versions with their aliases, labels and runs; without REF, everything that the remote does not have. NAME means all of an artifact, NAME:v3 or NAME:best one version. Only what is missing there is sent, and nothing that was not asked for.',
    'Where others have pushed to the same artifacts, what they did is pulled first. The primary remote numbers versions: until a version is there, its number can still change.',
    'A push that was cut goes on where it was when it is run again.',
  ],
  examples: [
    ['artifacts push', 'Send everything that the primary remote does not have'],
    ['artifacts push bike:best --remote team', 'Send one version'],
    ['artifacts push --dry-run', 'Say what would be sent'],
  ],
  json: {
    '': 'remote url versions packs objects bytes requests requestsByKind operation? remarks dryRun pulled?',
  },

  async run({ values, positionals }, context) {
    const store = await context.store()
    const { remote, jobs, 'dry-run': dryRun, 'no-pull': noPull, 'with-patch': withPatch } = values
    const report = await store.push(positionals, {
      dryRun,
      pull: !noPull,
      withPatch,
      ...given({ remote, jobs: readOptional(jobs, '--jobs') }),
      ...context.operation,
    })
    for (const remark of report.remarks) context.remark(remark)
    return { value: report, text: describe(report, context) }
  },
})

function describe(report: PushReport, { style, quiet }: Context): string {
  const { versions, dryRun, remote, pulled = [], operation } = report
  if (quiet) return versions.map((ref) => `${ref}\n`).join('')
  const before =
    pulled.length === 0 ? '' : `Pulled ${movedList(pulled, style)} from ${remote} first.\n`
  if (operation === undefined && !dryRun) return `${before}Nothing to push: ${remote} has it all.\n`
  const what = versions.length === 0 ? 'labels' : movedList(versions, style)
  const verb = dryRun ? 'Would push' : 'Pushed'
  return `${before}${verb} ${what} to ${remote} (${transferred(report)}).\n`
}
