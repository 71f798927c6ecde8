import type { Change, DiffReport } from '../../index.ts'
import { AT_FLAGS, asOf } from '../at.ts'
import { changeLine, signed, statLine, statusLine } from '../changes.ts'
import { type Command, type Context, defineCommand, yes } from '../command.ts'
import { numbers } from '../sentences.ts'
import { readSides } from '../sides.ts'
import { UsageError } from '../usage-error.ts'

export const diff: Command = defineCommand({
  flags: {
    stat: yes('How much each file grew or shrank'),
    'name-status': yes("A letter and the path, as git's"),
    'no-renames': yes('Show a rename as removed and added'),
    'exit-code': yes('End with 1 where something differs'),
    ...AT_FLAGS,
  },
  takes: [0, 2],
  rest: true,
  ends: [1, 12, 13],
  completes: 'refs',
  details: [
    'A and B are versions; of `A..B` and `A B` the second may leave out the name. A directory starts with `./`, `../` or `/`, or is `.`. A alone is compared with the bound directory; without A, the bound directory is compared with the version it holds. Behind `--`, only these paths of the versions.',
  ],
  examples: [
    ['artifacts diff', 'What changed in the bound directory'],
    ['artifacts diff bike:v3 v4', 'Two versions'],
    ['artifacts diff bike:best..v4 -- images', 'Two versions, below one path'],
    ['artifacts diff bike ./data --exit-code', 'A version and a directory'],
  ],
  json: {
    'A line for each change': 'type kind path from? before? after?',
    'The last line': 'type from to counts bytesAdded bytesRemoved',
  },

  async run({ values, positionals, rest }, context) {
    if (values.stat && values['name-status']) {
      throw new UsageError('"--stat" and "--name-status" exclude each other.')
    }
    const store = await context.store()
    const view = asOf(store, values)
    const place = { ...context, cwd: context.io.cwd }
    const [from, to] = readSides(positionals, store, view, place)
    const report = await view.diff(from, to, {
      renames: !values['no-renames'],
      ...(rest.length === 0 ? {} : { paths: rest }),
      ...context.operation,
    })
    const line = values.stat ? statLine : values['name-status'] ? statusLine : changeLine
    return {
      code: values['exit-code'] && report.changes.length > 0 ? 1 : 0,
      records: records(report),
      lines: lines(report, line, values['name-status'], context),
    }
  },
})

function* records({
  changes,
  from,
  to,
  bytesAdded,
  bytesRemoved,
  ...counts
}: DiffReport): Iterable<object> {
  for (const change of changes) yield { type: 'change', ...change }
  yield { type: 'summary', from, to, counts, bytesAdded, bytesRemoved }
}

function* lines(
  report: DiffReport,
  line: (change: Change, style: Context['style']) => string,
  bare: boolean,
  { style, quiet }: Context,
): Iterable<string> {
  for (const change of report.changes) yield line(change, style)
  if (bare || quiet || report.changes.length === 0) return
  const counts = numbers(
    { ...report, 'of another kind': report.type, 'with another mode': report.mode },
    [
      ...(['added', 'removed', 'modified', 'renamed'] as const),
      ...(['of another kind', 'with another mode'] as const),
    ],
  )
  yield `${counts} (${signed(report.bytesAdded)}, ${signed(-report.bytesRemoved)})`
}
