/** Facts as people read them: sizes, counts, ages, columns, colours, and names that cannot play tricks on a terminal. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Decimal, two digits below ten: `999 B`, `1.5 GB`, `210 MB`. */
export function size(bytes: number): string {
  let value = bytes
  let unit = 0
  // 999.5 of a unit would round to 1000.
  while (value >= (unit === 0 ? 1000 : 999.5) && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1
  return `${value.toFixed(digits)} ${UNITS[unit]}`
}

/** `1,204 files`, `1 file`. */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${thousands(number)} ${number === 1 ? one : many}`
}

export function thousands(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1,204 files, 4.3 GB` */
export function contents({
  files,
  bytes,
}: {
  readonly files: number
  readonly bytes: number
}): string {
  return `${count(files, 'file')}, ${size(bytes)}`
}

/** In the largest unit of `d h m s` that holds it exactly: `30d`. */
export function duration(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'm'],
  ] as const
  const [length, unit] = units.find(([each]) => seconds % each === 0) ?? [1, 's']
  return `${seconds / length}${unit}`
}

/** How long something took: `1.2 s`, `4 min 5 s`, `2 h 30 min`. */
export function lapse(milliseconds: number): string {
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`
  const minutes = Math.floor(Math.round(milliseconds / 1000) / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(milliseconds / 1000) % 60} s`
  return `${thousands(Math.floor(minutes / 60))} h ${minutes % 60} min`
}

/** How long before `now` (milliseconds since the epoch) the ISO time lies; the date where that is over a month. */
export function age(time: string, now: number): string {
  const passed = now - Date.parse(time)
  if (Number.isNaN(passed)) return time
  if (passed < MINUTE) return 'just now'
  if (passed < HOUR) return `${count(Math.floor(passed / MINUTE), 'minute')} ago`
  if (passed < DAY) return `${count(Math.floor(passed / HOUR), 'hour')} ago`
  if (passed < 31 * DAY) return `${count(Math.floor(passed / DAY), 'day')} ago`
  return time.slice(0, 10)
}

/** Rows as text: columns two spaces apart, as wide as their widest cell, nothing behind the last. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** A list in a sentence, cut at ten: `a, b and 37 more`. */
export function listed(items: readonly string[], most = 10): string {
  const shown = items.slice(0, most)
  const more = items.length - shown.length
  if (more > 0) return `${shown.join(', ')} and ${thousands(more)} more`
  const last = shown.pop() ?? ''
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`
}

export interface Style {
  /** A path, name or other text from a store, fit to be shown. */
  readonly name: (text: string) => string
  readonly added: (text: string) => string
  readonly removed: (text: string) => string
  readonly changed: (text: string) => string
  readonly strong: (text: string) => string
}

/** What a terminal shows differs from what a pipe gets: there names are escaped, and colours may be used. */
export function styleOf(terminal: boolean, color: boolean): Style {
  const paint =
    (code: number) =>
    (text: string): string =>
      color ? `\x1b[${code}m${text}\x1b[0m` : text
  return {
    name: terminal ? escaped : (text) => text,
    added: paint(32),
    removed: paint(31),
    changed: paint(33),
    strong: paint(1),
  }
}

/** Control characters, and those that reorder text, as `\n`, `\x1b`, `\u202e`; with `keepLines` a newline stays one. */
export function escaped(text: string, keepLines = false): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => {
      if (character === '\n') return keepLines ? '\n' : '\\n'
      if (character === '\t') return keepLines ? '\t' : '\\t'
      const code = character.charCodeAt(0)
      return code < 256
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : `\\u${code.toString(16).padStart(4, '0')}`
    },
  )
}
