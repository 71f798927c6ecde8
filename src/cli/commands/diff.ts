import type {
  Change,
  ChangeWithContents,
  ContentDifference,
  Description,
  DiffReport,
} from '../../index.ts'
import { AT_FLAGS, asOf } from '../at.ts'
import { changeLine, signed, statLine, statusLine } from '../changes.ts'
import { type Command, type Context, choice, defineCommand, texts, yes } from '../command.ts'
import { insideLines } from '../inside.ts'
import { numbers } from '../sentences.ts'
import { readSides } from '../sides.ts'
import { UsageError } from '../usage-error.ts'

export const diff: Command = defineCommand({
  flags: {
    stat: yes('How much each file grew or shrank'),
    'name-status': yes("A letter and the path, as git's"),
    'no-renames': yes('Show a rename as removed and added'),
    key: texts('COL', 'Column that says which row of a table is which; may be given several times'),
    format: choice(
      'FORMAT',
      ['text', 'md', 'html', 'json'],
      'Text, Markdown, one HTML page, or JSON',
    ),
    'exit-code': yes('End with 1 where something differs'),
    ...AT_FLAGS,
  },
  takes: [0, 2],
  rest: true,
  ends: [1, 12, 13, 20, 21, 22],
  completes: 'refs',
  details: [
    'A and B are versions; of `A..B` and `A B` the second may leave out the name. A directory starts with `./`, `../` or `/`, or is `.`. A alone is compared with the bound directory; without A, the bound directory is compared with the version it holds. Behind `--`, only these paths of the versions.',
    'What differs inside a file is shown by its kind: lines of text, values of JSON and YAML by JSON Pointer, columns and rows of CSV, TSV and Parquet, tensors of safetensors and .npy files, sizes and pixels of images, else how many bytes. Rows are those with the same `--key`; without one, the rows that only one side has are shown. `--format md` is made for a pull request, `--format html` is one page that needs nothing else, for a ticket.',
  ],
  examples: [
    ['artifacts diff', 'What changed in the bound directory'],
    ['artifacts diff bike:v3 v4', 'Two versions'],
    ['artifacts diff bike:best..v4 -- images', 'Two versions, below one path'],
    ['artifacts diff bike ./data --exit-code', 'A version and a directory'],
    ['artifacts diff bike:v3 v4 --key id', 'Rows of tables by their column id'],
    ['artifacts diff bike:v3 v4 --format html > diff.html', 'One page for a ticket'],
  ],
  json: {
    'A line for each change': 'type kind path from? before? after? contents?',
    'The last line': 'type from to counts bytesAdded bytesRemoved',
  },

  async run({ values, positionals, rest }, context) {
    if (values.stat && values['name-status']) {
      throw new UsageError('"--stat" and "--name-status" exclude each other.')
    }
    if (
      values.format !== undefined &&
      values.format !== 'text' &&
      (values.stat || values['name-status'])
    ) {
      throw new UsageError(
        `"--format ${values.format}" shows all, "--stat" and "--name-status" show less.`,
      )
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
    const contents = (): AsyncIterable<ChangeWithContents> =>
      report.contents({ keys: values.key, ...context.operation })
    const bare = values.stat || values['name-status']
    const format = context.json ? 'json' : (values.format ?? 'text')
    const { diffAsHtml, diffAsMarkdown, describeContents } = await import('../../index.ts')
    const write = {
      json: () => jsonLines(report, bare ? report.changes : contents()),
      md: () => diffAsMarkdown(report, contents()),
      html: () => diffAsHtml(report, contents()),
      text: () =>
        bare
          ? bareLines(report, values.stat ? statLine : statusLine, values['name-status'], context)
          : textLines(report, contents(), describeContents, context),
    }
    return {
      code: values['exit-code'] && report.changes.length > 0 ? 1 : 0,
      bytes: gathered(write[format]()),
    }
  },
})

const PIECE = 64 * 1024

/** Few large pieces of many small ones. */
async function* gathered(pieces: AsyncIterable<string>): AsyncIterable<string> {
  let held = ''
  for await (const piece of pieces) {
    held += piece
    if (held.length < PIECE) continue
    yield held
    held = ''
  }
  if (held !== '') yield held
}

type Changes = Iterable<ChangeWithContents> | AsyncIterable<ChangeWithContents>

async function* jsonLines(report: DiffReport, changes: Changes): AsyncIterable<string> {
  for await (const change of changes) yield `${JSON.stringify({ type: 'change', ...change })}\n`
  const { from, to, bytesAdded, bytesRemoved, changes: _, ...counts } = report
  yield `${JSON.stringify({ type: 'summary', from, to, counts, bytesAdded, bytesRemoved })}\n`
}

async function* bareLines(
  report: DiffReport,
  line: (change: Change, style: Context['style']) => string,
  isStatus: boolean,
  { style, quiet }: Context,
): AsyncIterable<string> {
  for (const change of report.changes) yield `${line(change, style)}\n`
  if (!isStatus && !quiet) yield summary(report)
}

async function* textLines(
  report: DiffReport,
  changes: Changes,
  describe: (contents: ContentDifference) => Description,
  { style, quiet, io }: Context,
): AsyncIterable<string> {
  for await (const change of changes) {
    yield `${changeLine(change, style)}\n`
    if (change.contents === undefined) continue
    for (const line of insideLines(describe(change.contents), style, io.terminal.stdout)) {
      yield `${line}\n`
    }
  }
  if (!quiet) yield summary(report)
}

function summary(report: DiffReport): string {
  if (report.changes.length === 0) return ''
  const counts = numbers(
    { ...report, 'of another kind': report.type, 'with another mode': report.mode },
    [
      ...(['added', 'removed', 'modified', 'renamed'] as const),
      ...(['of another kind', 'with another mode'] as const),
    ],
  )
  return `${counts} (${signed(report.bytesAdded)}, ${signed(-report.bytesRemoved)})\n`
}
