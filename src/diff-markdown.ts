/** A diff as Markdown, for a pull request. Nothing that comes from files or names is markup in it. */
import { type Description, describe } from './content-diff/description.ts'
import type { ChangeWithContents } from './content-differences.ts'
import {
  columnsOf,
  count,
  cut,
  MOST,
  nameOf,
  sentence,
  sidesOf,
  sizes,
  visible,
} from './diff-words.ts'
import type { DiffReport } from './differences.ts'

/** Characters of a cell that are shown. */
const CELL = 200

/** Yields the document in pieces. */
export async function* diffAsMarkdown(
  report: DiffReport,
  changes: AsyncIterable<ChangeWithContents>,
): AsyncGenerator<string> {
  yield `## ${code(report.from)} → ${code(report.to)}\n\n${sentence(report)}\n`
  if (report.changes.length === 0) return
  yield '\n| | path | size |\n| --- | --- | ---: |\n'
  for (const change of report.changes) {
    yield `| ${change.kind} | ${code(nameOf(change))} | ${sizes(change)} |\n`
  }
  for await (const { contents, path } of changes) {
    if (contents === undefined) continue
    const description = describe(contents, MOST)
    const { summary, notes } = description
    yield `\n<details><summary>${text(path)}: ${text(summary)}</summary>\n`
    for (const note of notes) yield `\n${text(note)}\n`
    yield markdownBody(description)
    if (description.omitted > 0) yield `\n${count(description.omitted)} more.\n`
    yield '\n</details>\n'
  }
}

function markdownBody({ lines, rows, label }: Description): string {
  if (lines.length > 0) {
    const body = lines
      .map(({ mark, text }) => `${mark === '@' ? '' : mark}${visible(text, true)}`)
      .join('\n')
    const longest = Math.max(2, ...Array.from(body.matchAll(/`+/g), ([ticks]) => ticks.length))
    const fence = '`'.repeat(longest + 1)
    return `\n${fence}diff\n${body}\n${fence}\n`
  }
  if (rows.length === 0) return ''
  const names = columnsOf(rows)
  const head = ['', code(label), ...names.map(code)]
  const body = rows.map((row) => [
    row.mark,
    code(cut(row.label, CELL)),
    ...names.map((name) => {
      const cell = row.cells.find((one) => one.name === name)
      return cell === undefined
        ? ''
        : sidesOf(cell)
            .map((side) => code(cut(side, CELL)))
            .join(' → ')
    }),
  ])
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`
  return `\n${line(head)}${line(head.map(() => '---'))}${body.map(line).join('')}`
}

/** Text between backticks, more of them than it holds itself; in a table a bar would end the cell. */
function code(given: string): string {
  const one = visible(given).replaceAll('|', '\\|')
  if (one === '') return ''
  const longest = Math.max(0, ...Array.from(one.matchAll(/`+/g), ([ticks]) => ticks.length))
  const ticks = '`'.repeat(longest + 1)
  const space = /^[` ]|[` ]$/.test(one) ? ' ' : ''
  return `${ticks}${space}${one}${space}${ticks}`
}

/** Text in which nothing is markup. */
function text(given: string): string {
  return visible(given).replace(/[\\`*_{}[\]<>()#+!|~@&-]/g, (mark) => `&#${mark.charCodeAt(0)};`)
}
