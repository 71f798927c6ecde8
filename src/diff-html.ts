/**
 * A diff as one HTML page, for a ticket. The page needs nothing but itself: no script, no request, and a policy that
 * forbids both. Whatever comes from files or names is escaped.
 */
import { createHash } from 'node:crypto'
import { type Description, describe, type MarkedCell } from './content-diff/description.ts'
import type { ChangeWithContents } from './content-differences.ts'
import { columnsOf, count, cut, MOST, nameOf, sentence, sizes, visible } from './diff-words.ts'
import type { DiffReport } from './differences.ts'

/** Characters of a cell that are shown. */
const CELL = 1_000

/** Yields the page in pieces. */
export async function* diffAsHtml(
  report: DiffReport,
  changes: AsyncIterable<ChangeWithContents>,
): AsyncGenerator<string> {
  const title = `${report.from} → ${report.to}`
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="artifacts">
<title>${html(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${html(report.from)} <span class="to">→</span> ${html(report.to)}</h1>
<p>${html(sentence(report))}</p>
`
  for await (const change of changes) yield htmlChange(change)
  yield '</body>\n</html>\n'
}

function htmlChange(change: ChangeWithContents): string {
  const head = `<span class="kind ${change.kind}">${change.kind}</span> <code>${html(nameOf(change))}</code> <span class="size">${sizes(change)}</span>`
  if (change.contents === undefined) return `<p class="file">${head}</p>\n`
  const description = describe(change.contents, MOST)
  const notes = description.notes.map((note) => `<p class="note">${html(note)}</p>\n`).join('')
  const more =
    description.omitted > 0 ? `<p class="note">${count(description.omitted)} more.</p>\n` : ''
  return `<details class="file" open><summary>${head} <span class="summary">${html(description.summary)}</span></summary>
${notes}${htmlBody(description)}${more}</details>\n`
}

const CLASSES = { '+': 'added', '-': 'removed', '~': 'changed', '@': 'place', ' ': 'same' } as const

function htmlBody({ lines, rows, label }: Description): string {
  if (lines.length > 0) {
    const body = lines.map(
      ({ mark, text }) =>
        `<span class="${CLASSES[mark]}">${html(`${mark === '@' ? '' : mark}${text}`, true)}\n</span>`,
    )
    return `<pre>${body.join('')}</pre>\n`
  }
  if (rows.length === 0) return ''
  const names = columnsOf(rows)
  const head = names.map((name) => `<th>${html(name)}</th>`).join('')
  const body = rows.map((row) => {
    const cells = names.map((name) => htmlCell(row.cells.find((cell) => cell.name === name)))
    return `<tr class="${CLASSES[row.mark]}"><td>${html(row.mark)}</td><th>${html(cut(row.label, CELL))}</th>${cells.join('')}</tr>\n`
  })
  return `<div class="wide"><table>\n<tr><th></th><th>${html(label)}</th>${head}</tr>\n${body.join('')}</table></div>\n`
}

function htmlCell(cell: MarkedCell | undefined): string {
  if (cell === undefined) return '<td></td>'
  const { before, after } = cell
  if (before === after) return `<td>${html(cut(before ?? '', CELL))}</td>`
  const del = before === undefined ? '' : `<del>${html(cut(before, CELL))}</del>`
  const ins = after === undefined ? '' : `<ins>${html(cut(after, CELL))}</ins>`
  return `<td>${del}${del !== '' && ins !== '' ? ' ' : ''}${ins}</td>`
}

/** Text of a page; what can't be seen is shown by its number. */
function html(given: string, keepTabs = false): string {
  return visible(given, keepTabs)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #1f2328; background: #fff; }
h1 { font-size: 1.4em; } .to, .size, .note { color: #59636e; }
.file { border: 1px solid #d1d9e0; border-radius: 6px; margin: .6em 0; padding: .5em .8em; }
summary { cursor: pointer; } .summary { float: right; color: #59636e; }
.kind { display: inline-block; min-width: 5em; }
.kind.added { color: #1a7f37; } .kind.removed { color: #cf222e; } .kind.modified, .kind.renamed, .kind.mode, .kind.type { color: #9a6700; }
code, pre, td, th { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; margin: .6em 0 0; } pre span { display: block; padding: 0 .5em; min-height: 1.45em; }
.wide { overflow-x: auto; margin-top: .6em; }
table { border-collapse: collapse; } td, th { border: 1px solid #d1d9e0; padding: .15em .5em; text-align: left; vertical-align: top; font-weight: normal; }
pre .added, tr.added, ins { background: #dafbe1; } pre .removed, tr.removed, del { background: #ffebe9; }
pre .place { color: #59636e; background: #ddf4ff; } ins { text-decoration: none; }
@media (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117; } .file, td, th { border-color: #3d444d; }
  pre .added, tr.added, ins { background: #12361f; color: inherit; } pre .removed, tr.removed, del { background: #4a1b1d; color: inherit; } pre .place { background: #10253f; }
}
`
