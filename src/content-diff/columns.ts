/** The columns of two tables: which both have, and in which of them rows are compared. */
import type { ColumnsDifference, RowChange } from './difference.ts'

export interface ColumnPlan {
  readonly difference: ColumnsDifference
  /** Columns that both have, in the order of before. */
  readonly common: readonly string[]
  /** Where each common column is in before and in after. */
  readonly before: Int32Array
  readonly after: Int32Array
  /** The key's columns as indexes of `common`; none: rows are compared as multisets. */
  readonly key: readonly number[]
  readonly notes: readonly string[]
}

/** @param keys columns that were asked for as the key; used where both tables have them all. */
export function planColumns(
  before: readonly string[],
  after: readonly string[],
  keys: readonly string[],
): ColumnPlan {
  const common = before.filter((name) => after.includes(name))
  const inAfter = after.filter((name) => before.includes(name))
  const lacking = keys.find((key) => !common.includes(key))
  return {
    difference: {
      before,
      after,
      added: after.filter((name) => !before.includes(name)),
      removed: before.filter((name) => !after.includes(name)),
      reordered: common.some((name, index) => inAfter[index] !== name),
      retyped: [],
    },
    common,
    before: Int32Array.from(common, (name) => before.indexOf(name)),
    after: Int32Array.from(common, (name) => after.indexOf(name)),
    key: lacking === undefined ? keys.map((key) => common.indexOf(key)) : [],
    notes:
      lacking === undefined
        ? []
        : [`There is no column "${lacking}" on both sides: rows are compared as multisets.`],
  }
}

/** Names of columns, each once: one that comes again gets a number. */
export function columnNames(cells: readonly string[]): string[] {
  const seen = new Set<string>()
  return cells.map((cell) => {
    let name = cell
    for (let again = 2; seen.has(name); again++) name = `${cell} (${again})`
    seen.add(name)
    return name
  })
}

/** The cells of a row as texts; undefined where there is none. */
export type RowTexts = readonly (string | undefined)[]

/** One row as what is shown of it. Cells that no column names are called by their number. */
export function rowChange(
  { difference, common, before, after, key }: ColumnPlan,
  count: number,
  old: RowTexts | undefined,
  now: RowTexts | undefined,
): RowChange {
  if (old === undefined) {
    return { kind: 'added', count, after: named(difference.after, now as RowTexts) }
  }
  if (now === undefined) return { kind: 'removed', count, before: named(difference.before, old) }
  const cells = common.map((name, index) => ({
    name,
    old: old[before[index] as number],
    now: now[after[index] as number],
  }))
  const changed = cells.filter((cell) => cell.old !== cell.now)
  const extra = (row: RowTexts, columns: readonly string[]): Record<string, string> =>
    named(
      [],
      row.map((cell, index) => (index < columns.length ? undefined : cell)),
    )
  const side = (which: 'old' | 'now', rest: Record<string, string>): Record<string, string> => ({
    ...Object.fromEntries(
      changed.flatMap((cell) => (cell[which] === undefined ? [] : [[cell.name, cell[which]]])),
    ),
    ...rest,
  })
  return {
    kind: 'changed',
    count,
    key: Object.fromEntries(
      key.map((index) => [cells[index]?.name as string, cells[index]?.old ?? '']),
    ),
    before: side('old', extra(old, difference.before)),
    after: side('now', extra(now, difference.after)),
  }
}

function named(columns: readonly string[], cells: RowTexts): Record<string, string> {
  return Object.fromEntries(
    cells.flatMap((cell, index) =>
      cell === undefined ? [] : [[columns[index] ?? `#${index + 1}`, cell]],
    ),
  )
}
