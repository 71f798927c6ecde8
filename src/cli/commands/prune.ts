import type { PruneReport } from '../../index.ts'
import { type Command, type Context, defineCommand, text, yes } from '../command.ts'
import { given } from '../given.ts'
import { removeSentence } from '../label-sentences.ts'
import { columns, count } from '../render.ts'
import { UsageError } from '../usage-error.ts'

export const prune: Command = defineCommand({
  flags: {
    'keep-last': text('N', 'Keep so many with the highest numbers'),
    'keep-within': text('D', 'Keep those that are not older, as 14d'),
    'keep-aliased': yes('Keep those that an alias other than latest names'),
    'keep-best': text(
      'META',
      'Keep the one with the greatest number, as meta.acc, or the least: meta.loss:min',
    ),
    'dry-run': yes('Only say what would go'),
  },
  takes: [1, 1],
  ends: [12, 14],
  completes: 'first-ref',
  details: [
    'A version is kept as soon as one rule keeps it; at least one rule is needed, and one that keeps nothing at all is refused. What goes is deleted as `artifacts rm` does it, in one operation: `artifacts restore` and `artifacts undo` bring it back until gc has removed the bytes. A version that an alias other than `latest` names does not go: keep such versions with --keep-aliased, or remove the alias first.',
  ],
  examples: [
    ['artifacts prune bike --keep-last 5 --keep-aliased --dry-run', 'What would go?'],
    [
      'artifacts prune model --keep-best meta.acc --keep-within 14d',
      'The best one, and the newer ones',
    ],
    [
      'artifacts prune model --keep-best meta.loss:min --keep-last 1',
      'The one with the least loss, and the newest',
    ],
  ],
  json: {
    '': 'dryRun kept removed aliases operation?',
    'each of `kept`': 'ref id files bytes reasons',
    'each of `removed`': 'ref id files bytes',
  },

  async run({ values, positionals: [name = ''] }, context) {
    const last = values['keep-last']
    const rules = given({
      keepLast: last === undefined ? undefined : readCount(last),
      keepWithin: values['keep-within'],
      keepBest: values['keep-best'],
    })
    const store = await context.store()
    const report = await store.prune(name, {
      ...rules,
      keepAliased: values['keep-aliased'],
      dryRun: values['dry-run'],
    })
    if (report.operation !== undefined) {
      context.remark(
        `\`artifacts undo ${report.operation}\` takes it back, until gc removes the bytes.`,
      )
    }
    return { value: report, text: describe(report, context) }
  },
})

function readCount(typed: string): number {
  if (/^[1-9]\d{0,8}$/.test(typed)) return Number(typed)
  throw new UsageError(`"--keep-last" cannot be "${typed}".`, 'Give a whole number above zero.')
}

function describe(report: PruneReport, { style, quiet }: Context): string {
  if (quiet) return ''
  const { kept, removed, dryRun } = report
  const rows = [
    ...kept.map(({ ref, reasons }) => [
      'stays',
      style.strong(ref),
      reasons.map(because).join(', '),
    ]),
    ...removed.map(({ ref }) => [style.removed('goes'), style.strong(ref), '']),
  ]
  const sentence = dryRun
    ? `Would remove ${count(removed.length, 'version')}.`
    : removeSentence(report, style)
  return `${columns(rows)}${sentence}\n`
}

function because(reason: PruneReport['kept'][number]['reasons'][number]): string {
  switch (reason) {
    case 'last':
      return 'among the last'
    case 'within':
      return 'young enough'
    case 'aliased':
      return 'has an alias'
    case 'best':
      return 'the best'
  }
}
