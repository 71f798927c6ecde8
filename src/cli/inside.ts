/** What differs inside a file, as lines under the line of the file. */
import type { Description, Mark, MarkedCell } from '../index.ts'
import { escaped, type Style, thousands } from './render.ts'

/** Characters of a value that a line shows. */
const WIDTH = 120

/** @param terminal whether control characters must be escaped. */
export function* insideLines(
  { summary, notes, lines, rows, omitted }: Description,
  style: Style,
  terminal: boolean,
): Iterable<string> {
  yield `    ${terminal ? escaped(summary) : summary}`
  for (const note of notes) yield `    ${terminal ? escaped(note) : note}`
  for (const { mark, text } of lines) {
    const line = `${mark === '@' ? '' : mark}${terminal ? escaped(text).replaceAll('\\t', '\t') : text}`
    yield `    ${paint(mark, style)(line)}`
  }
  for (const { mark, label, cells } of rows) {
    const name = label === '' ? '' : `${short(label)}  `
    yield `    ${paint(mark, style)(`${mark} ${name}${cells.map(cellText).join('  ')}`)}`
  }
  if (omitted > 0) yield `    ${thousands(omitted)} more`
}

function cellText({ name, before, after }: MarkedCell): string {
  const sides = before === after ? [before] : [before, after]
  const value = sides
    .filter((side) => side !== undefined)
    .map(short)
    .join(' -> ')
  return name === 'value' ? value : `${short(name)}: ${value}`
}

/** A value in one line, cut where it is long. */
function short(text: string): string {
  const line = escaped(text.slice(0, WIDTH + 1))
  return text.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line
}

function paint(mark: Mark, style: Style): (text: string) => string {
  if (mark === '+') return style.added
  if (mark === '-') return style.removed
  return mark === '~' || mark === '@' ? style.changed : (text) => text
}
