import type { ExplainedVersion, GcReport, RemoteGcReport } from '../../index.ts'
import { type Command, type Context, defineCommand, text, yes } from '../command.ts'
import { given } from '../given.ts'
import { columns, count, listed, type Style, size } from '../render.ts'
import { UsageError } from '../usage-error.ts'

export const gc: Command = defineCommand({
  flags: {
    'dry-run': yes('Only say what would go'),
    grace: text('D', 'How long what was deleted stays, as 14d or 0; else the setting gc.grace'),
    remote: text('R', 'Give up what no version of this remote needs, instead of here'),
    explain: yes('Say of each version why it stays or goes, and the bytes that it alone needs'),
  },
  takes: [0, 0],
  completes: [],
  ends: [13, 20, 21, 22],
  details: [
    'Removes the bytes that no version needs: those of versions that were deleted before grace, which cannot be restored any more, and what a crash left behind. Versions whose time to live is over are deleted first. Packs with much that is needless are written anew, many small ones become few. Commits and checkouts may run meanwhile.',
    'With --remote, packs of the remote that no version there needs are removed, and what pushes that were cut have left. Others may push and pull meanwhile.',
    'With --explain, the bytes that versions need alone, what several need, and the rest add up to the size of `packs/` after it.',
  ],
  examples: [
    ['artifacts gc --dry-run --explain', 'What would go, and why the rest stays'],
    ['artifacts gc', 'Remove what nobody needs'],
    ['artifacts gc --grace 0', 'Also what was deleted a moment ago'],
  ],
  json: {
    '': 'dryRun expired purged packs bytesBefore bytesAfter freedBytes leftovers foldedOperations explanation?',
    '`gc --remote`':
      'remote url dryRun purged packs bytesBefore bytesAfter freedBytes kept operation?',
  },

  async run({ values }, context) {
    const store = await context.store()
    const { 'dry-run': dryRun, grace, explain, remote } = values
    if (remote !== undefined) {
      if (explain) throw new UsageError('"--explain" and "--remote" exclude each other.')
      const there = await store.gcRemote(remote, {
        dryRun,
        ...given({ grace }),
        ...context.operation,
      })
      return { value: there, text: describeRemote(there, context) }
    }
    const report = await store.gc({ dryRun, explain, ...given({ grace }), ...context.operation })
    return { value: report, text: describe(report, context) }
  },
})

function describe(report: GcReport, { style, quiet }: Context): string {
  if (quiet) return ''
  const { dryRun, expired, purged, packs, explanation, freedBytes } = report
  const lines = explanation === undefined ? [] : [explanationTable(report, style)]
  const say = (verb: string, things: string): void => {
    lines.push(
      `${dryRun ? `Would have ${verb}` : verb[0]?.toUpperCase() + verb.slice(1)} ${things}\n`,
    )
  }
  if (expired.length > 0) say('deleted', `${listed(expired)}: the time to live is over.`)
  if (purged.length > 0) say('purged', `${listed(purged)}.`)
  const facts = [
    [packs.dropped, 'no longer needed'],
    [packs.rewritten, 'written anew'],
    [packs.merged, 'merged'],
    [packs.leftover, 'left over'],
  ] as const
  const said = facts.flatMap(([number, what]) => (number > 0 ? [`${number} ${what}`] : []))
  if (said.length > 0) say('removed', `packs: ${said.join(', ')}.`)
  if (report.leftovers.files > 0)
    say('removed', `${count(report.leftovers.files, 'temporary file')}.`)
  const left = `${size(report.bytesAfter)} in use`
  if (freedBytes > 0)
    lines.push(`${dryRun ? 'Would free' : 'Freed'} ${size(freedBytes)}; ${left}.\n`)
  else lines.push(`Nothing to free; ${left}.\n`)
  return lines.join('')
}

function describeRemote(report: RemoteGcReport, { quiet }: Context): string {
  if (quiet) return ''
  const { dryRun, remote, purged, packs, freedBytes, bytesAfter, kept } = report
  const lines: string[] = []
  if (purged.length > 0) lines.push(`${dryRun ? 'Would purge' : 'Purged'} ${listed(purged)}.`)
  if (kept.length > 0) lines.push(`${remote} did not let ${count(kept.length, 'file')} go.`)
  const left = `${size(bytesAfter)} in use at ${remote}`
  const what = count(packs.dropped + packs.leftover, 'pack')
  if (packs.dropped + packs.leftover === 0 && freedBytes === 0)
    lines.push(`Nothing to free; ${left}.`)
  else lines.push(`${dryRun ? 'Would free' : 'Freed'} ${size(freedBytes)} in ${what}; ${left}.`)
  return lines.map((line) => `${line}\n`).join('')
}

function explanationTable({ explanation, bytesAfter }: GcReport, style: Style): string {
  if (explanation === undefined) return ''
  const { versions, shared, sharedLeaving, rest } = explanation
  const rows = versions.map((version) => [
    size(version.alone).padStart(7),
    version.stays ? 'stays' : style.removed('goes'),
    style.strong(version.ref),
    because(version),
  ])
  const several = 'several versions'
  const sums = [
    ...(sharedLeaving > 0
      ? [[size(sharedLeaving).padStart(7), style.removed('goes'), several, 'that all go']]
      : []),
    [size(shared).padStart(7), 'stays', several, ''],
    [size(rest).padStart(7), 'stays', 'room between', ''],
    [size(bytesAfter).padStart(7), '', 'in all', ''],
  ]
  return columns([...rows, ...sums])
}

function because({ reason, aliases, until }: ExplainedVersion): string {
  const day = until?.slice(0, 10)
  switch (reason) {
    case 'live':
      return ['live', ...aliases, ...(day === undefined ? [] : [`expires ${day}`])].join(', ')
    case 'expired':
      return `its time to live is over; kept until ${day}`
    case 'grace':
      return `deleted; kept until ${day}`
    case 'deleted':
      return 'deleted before grace'
  }
}
