/** What both documents of a diff say in the same words, and text that shows all it holds. */
import type { MarkedCell, MarkedRow } from './content-diff/description.ts'
import type { ChangeWithContents } from './content-differences.ts'
import type { DiffReport } from './differences.ts'

/** Lines or rows of a file that a document shows. */
export const MOST = 500

/** Control characters, and those that reorder text, as `\n`, `\x1b`, `\u202e`. */
export function visible(given: string, keepTabs = false): string {
  return given.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu,
    (character) => {
      if (character === '\n') return '\\n'
      if (character === '\t') return keepTabs ? '\t' : '\\t'
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
    },
  )
}

export function cut(given: string, most: number): string {
  return given.length <= most
    ? given
    : `${given.slice(0, most)}… (${count(given.length)} characters)`
}

export function sidesOf({ before, after }: MarkedCell): string[] {
  return before === after ? [before ?? ''] : [before, after].filter((side) => side !== undefined)
}

/** Names of cells, in the order they first come. */
export function columnsOf(rows: readonly MarkedRow[]): string[] {
  return [...new Set(rows.flatMap(({ cells }) => cells.map(({ name }) => name)))]
}

export function nameOf({ path, from }: ChangeWithContents): string {
  return from === undefined ? path : `${from} → ${path}`
}

export function sizes({ kind, before, after }: ChangeWithContents): string {
  if (kind === 'mode') return after?.executable ? 'executable' : 'not executable'
  if (kind === 'type') return `${before?.kind} → ${after?.kind}`
  const [old, now] = [before, after].map((side) =>
    side === undefined ? undefined : size(side.size),
  )
  return old === undefined || now === undefined || old === now
    ? (now ?? old ?? '')
    : `${old} → ${now}`
}

export function sentence(report: DiffReport): string {
  if (report.changes.length === 0) return 'Nothing differs.'
  const kinds = [
    ['added', report.added],
    ['removed', report.removed],
    ['modified', report.modified],
    ['renamed', report.renamed],
    ['of another kind', report.type],
    ['with another mode', report.mode],
  ] as const
  const counts = kinds
    .filter(([, number]) => number > 0)
    .map(([kind, number]) => `${count(number)} ${kind}`)
  return `${counts.join(', ')} (+${size(report.bytesAdded)}, -${size(report.bytesRemoved)}).`
}

export function count(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let [rest, unit] = [bytes, 0]
  for (; rest >= (unit === 0 ? 1000 : 999.5) && unit < units.length - 1; unit++) rest /= 1000
  return `${rest.toFixed(unit === 0 || rest >= 9.95 ? 0 : 1)} ${units[unit]}`
}
