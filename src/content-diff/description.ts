/** A content difference as every format shows it: one sentence, remarks, and lines or rows with marks. */
import type {
  ContentDifference,
  Row,
  RowChange,
  TableDifference,
  TensorChange,
  ValueChange,
} from './difference.ts'

export type Mark = ' ' | '+' | '-' | '~' | '@'

export interface Description {
  /** `1 row added, 2 changed`; no full stop. */
  readonly summary: string
  readonly notes: readonly string[]
  readonly lines: readonly MarkedLine[]
  readonly rows: readonly MarkedRow[]
  /** What the labels of rows are: `id`, `path`. */
  readonly label: string
  /** Lines or rows that are not listed. */
  readonly omitted: number
}

export interface MarkedLine {
  readonly mark: Mark
  readonly text: string
}

/** What changed at one place: a row of a table, a value, a tensor. */
export interface MarkedRow {
  readonly mark: Mark
  readonly label: string
  readonly cells: readonly MarkedCell[]
}

/** Equal texts on both sides are a fact that did not change. */
export interface MarkedCell {
  readonly name: string
  readonly before?: string
  readonly after?: string
}

/** @param most lines or rows that are shown. */
export function describe(
  contents: ContentDifference,
  most: number = Number.POSITIVE_INFINITY,
): Description {
  const { notes } = contents
  const none = { notes, lines: [], rows: [], label: '', omitted: 0 }
  switch (contents.kind) {
    case 'text': {
      const { added, removed, hunks } = contents
      const all = hunks.flatMap((hunk) => [
        {
          mark: '@' as const,
          text: `@@ -${range(hunk.beforeStart, hunk.beforeLines)} +${range(hunk.afterStart, hunk.afterLines)} @@`,
        },
        ...hunk.lines.map((line) => ({ mark: markOf(line), text: line.slice(1) })),
      ])
      const lines = all.slice(0, most)
      const summary = counted({ added, removed }, 'line')
      return { ...none, summary, lines, omitted: all.length - lines.length }
    }
    case 'values': {
      const { added, removed, changed } = contents
      const rows = contents.changes.slice(0, most).map(valueRow)
      const omitted = added + removed + changed - rows.length
      const summary = counted({ added, removed, changed }, 'value')
      return { ...none, summary, rows, label: 'path', omitted }
    }
    case 'table':
      return describeTable(contents, most)
    case 'tensors': {
      const { added, removed, changed, unchanged, metadata } = contents
      const shown = contents.tensors.slice(0, most)
      const summary = `${counted({ added, removed, changed }, 'tensor')}, ${number(unchanged)} unchanged`
      const rows = [...shown.map(tensorRow), ...metadata.map(valueRow)]
      const omitted = added + removed + changed - shown.length
      return { ...none, summary, rows, label: 'name', omitted }
    }
    case 'image': {
      const facts = [contents.before, contents.after].map(
        ({ format, width, height }) => `${format} ${width} × ${height}`,
      )
      const { pixels } = contents
      const size = facts[0] === facts[1] ? facts[0] : facts.join(' -> ')
      const summary =
        pixels === undefined
          ? `${size}`
          : `${size}, ${share(pixels.changed, pixels.total)} pixels changed, a channel by ${pixels.max} of 255 at most and ${real(pixels.mean)} on average`
      return { ...none, summary }
    }
    case 'bytes': {
      const { before, after } = contents
      const summary = `${bytes(after.own)} of ${bytes(after.size)} in new chunks, ${bytes(before.own)} of ${bytes(before.size)} in chunks that are gone`
      return { ...none, summary }
    }
  }
}

function describeTable(contents: TableDifference, most: number): Description {
  const { columns, key, rows: total, added, removed, changed } = contents
  const shown = contents.changes.slice(0, most)
  const facts = [
    listed('Columns added', columns.added),
    listed('Columns removed', columns.removed),
    columns.reordered ? ['The columns come in another order.'] : [],
    columns.retyped.map(({ name, before, after }) => `Column ${name}: ${before} -> ${after}.`),
  ].flat()
  const by = key.length === 0 ? 'without a key' : `by ${key.join(', ')}`
  const rows =
    total.before === total.after
      ? number(total.after)
      : `${number(total.before)} -> ${number(total.after)}`
  return {
    summary: `${counted({ added, removed, changed }, 'row')}; ${rows} ${total.after === 1 ? 'row' : 'rows'}, ${by}`,
    notes: [...facts, ...contents.notes],
    lines: [],
    rows: shown.map((change) => tableRow(change, key)),
    label: key.join(', '),
    omitted: added + removed + changed - shown.reduce((sum, { count }) => sum + count, 0),
  }
}

function tableRow(change: RowChange, key: readonly string[]): MarkedRow {
  const times = change.count > 1 ? ` (${number(change.count)} times)` : ''
  const labelOf = (row: Row): string => key.map((name) => row[name] ?? '').join(', ') + times
  if (change.kind === 'changed') {
    const { before, after } = change
    const names = new Set([...Object.keys(before), ...Object.keys(after)])
    const cells = Array.from(names, (name) => ({
      name,
      before: before[name] ?? '(none)',
      after: after[name] ?? '(none)',
    }))
    return { mark: '~', label: labelOf(change.key), cells }
  }
  const [side, mark, row] =
    change.kind === 'added'
      ? (['after', '+', change.after] as const)
      : (['before', '-', change.before] as const)
  const cells = Object.entries(row)
    .filter(([name]) => !key.includes(name))
    .map(([name, text]) => ({ name, [side]: text }))
  return { mark, label: labelOf(row), cells }
}

function valueRow(change: ValueChange): MarkedRow {
  const moved = change.kind === 'changed' && change.from !== undefined ? `${change.from} -> ` : ''
  const mark = change.kind === 'added' ? '+' : change.kind === 'removed' ? '-' : '~'
  const cell: MarkedCell = {
    name: 'value',
    ...('before' in change ? { before: JSON.stringify(change.before) } : {}),
    ...('after' in change ? { after: JSON.stringify(change.after) } : {}),
  }
  return { mark, label: `${moved}${change.path === '' ? '(whole)' : change.path}`, cells: [cell] }
}

function tensorRow({ kind, name, before, after, values }: TensorChange): MarkedRow {
  const facts = (fact: 'dtype' | 'shape'): MarkedCell => ({
    name: fact,
    ...(before === undefined ? {} : { before: textOf(before[fact]) }),
    ...(after === undefined ? {} : { after: textOf(after[fact]) }),
  })
  const same = (fact: string, text: string): MarkedCell => ({
    name: fact,
    before: text,
    after: text,
  })
  const cells = [facts('dtype'), facts('shape')]
  if (values !== undefined) {
    cells.push(same('changed', share(values.changed, values.elements)))
    if (values.max !== undefined) cells.push(same('max difference', real(values.max)))
    if (values.mean !== undefined) cells.push(same('mean difference', real(values.mean)))
    if (values.notFinite > 0) cells.push(same('not finite', number(values.notFinite)))
  }
  const mark = kind === 'added' ? '+' : kind === 'removed' ? '-' : '~'
  return { mark, label: name === '' ? 'array' : name, cells }
}

function textOf(fact: string | readonly number[]): string {
  return typeof fact === 'string' ? fact : `[${fact.join(', ')}]`
}

function markOf(line: string): Mark {
  return line.startsWith('+') ? '+' : line.startsWith('-') ? '-' : line.startsWith('\\') ? '@' : ' '
}

/** As in `diff -u`: a single line is not counted. */
function range(start: number, lines: number): string {
  return lines === 1 ? `${start}` : `${start},${lines}`
}

/** `1 row added, 2 changed`; `no row differs`. */
function counted(counts: Readonly<Record<string, number>>, one: string): string {
  const [first, ...more] = Object.entries(counts).filter(([, count]) => count > 0)
  if (first === undefined) return `no ${one} differs`
  const [verb, count] = first
  return [
    `${number(count)} ${count === 1 ? one : `${one}s`} ${verb}`,
    ...more.map(([other, many]) => `${number(many)} ${other}`),
  ].join(', ')
}

function listed(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return []
  const more = names.length > 20 ? ` and ${number(names.length - 20)} more` : ''
  return [`${what}: ${names.slice(0, 20).join(', ')}${more}.`]
}

function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

function real(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** `12 of 400 (3 %)` */
function share(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (part / whole) * 100
  return `${number(part)} of ${number(whole)} (${percent > 0 && percent < 0.01 ? '<0.01' : Number(percent.toPrecision(3))} %)`
}

function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let [rest, unit] = [value, 0]
  for (; rest >= (unit === 0 ? 1000 : 999.5) && unit < units.length - 1; unit++) rest /= 1000
  return `${rest.toFixed(unit === 0 || rest >= 9.95 ? 0 : 1)} ${units[unit]}`
}
