/**
 * Tables as CSV or TSV, streamed. Where the lists of chunks say that both files go on alike, and a row begins at the
 * same byte of that run in both, all rows of the run are equal: they are stepped over in one file and not read in
 * the other. Other rows are tallied by their hashes; only those that are shown are read again.
 */
import { type ColumnPlan, columnNames, planColumns, rowChange } from './columns.ts'
import type { RowChange, TableDifference } from './difference.ts'
import { newHashKey } from './row-hash.ts'
import { RowHasher } from './row-hasher.ts'
import { delimiterOf, NotRows, RowReader } from './row-reader.ts'
import { type RowPair, RowTally } from './row-tally.ts'
import { type SharedRun, sharedRuns } from './shared.ts'
import type { Source } from './source.ts'
import { isBinary } from './text.ts'
import { Unfit } from './unfit.ts'

export interface TableOptions {
  /** Columns that say which row is which. */
  readonly keys: readonly string[]
  /** Rows that are listed; all are counted. */
  readonly limit: number
  /** A folder for temporary files. */
  readonly scratch: () => string
  readonly signal?: AbortSignal | undefined
  /** Distinct rows in memory. */
  readonly bound?: number
}

/** @returns Unfit for files that are no tables. */
export async function compareCsv(
  before: Source,
  after: Source,
  format: 'csv' | 'tsv',
  options: TableOptions,
): Promise<TableDifference | Unfit> {
  if (isBinary(before.read(0, HEAD_BYTES)) || isBinary(after.read(0, HEAD_BYTES))) {
    return new Unfit('it is not text')
  }
  try {
    return await compareRows(before, after, format, options)
  } catch (error) {
    if (error instanceof NotRows) return new Unfit(error.message)
    throw error
  }
}

const HEAD_BYTES = 65_536

async function compareRows(
  before: Source,
  after: Source,
  format: 'csv' | 'tsv',
  options: TableOptions,
): Promise<TableDifference> {
  const delimiters = [delimiterOf(before, format), delimiterOf(after, format)] as const
  const a = openTable(before, delimiters[0])
  const b = openTable(after, delimiters[1])
  const plan = planColumns(a.columns, b.columns, options.keys)
  const key = newHashKey()
  const sameColumns = plan.difference.before.join('\n') === plan.difference.after.join('\n')
  const runs =
    sameColumns && delimiters[0] === delimiters[1]
      ? sharedRuns(before.chunks(), after.chunks())
      : []
  using tally = new RowTally({ ...options, keyed: plan.key.length > 0 })
  const rows = await tallyRows(
    { ...a, hasher: new RowHasher(key, plan, plan.before, a.columns.length) },
    { ...b, hasher: new RowHasher(key, plan, plan.after, b.columns.length) },
    runs,
    tally,
    options.signal,
  )
  const { pairs, ambiguous, ...counts } = tally.finish()
  const changes = listRows(pairs, plan, a.reader, b.reader)
  const total = counts.added + counts.removed + counts.changed
  const notes = [...plan.notes]
  if (ambiguous > 0) {
    notes.push(
      `${ambiguous} ${ambiguous === 1 ? 'key stands' : 'keys stand'} for several rows that differ: these are paired in their order.`,
    )
  }
  if (total === 0 && sameColumns) notes.push('The same rows, written or ordered differently.')
  return {
    kind: 'table',
    format,
    columns: plan.difference,
    key: plan.key.map((index) => plan.common[index] as string),
    rows,
    ...counts,
    changes,
    omitted: total - changes.reduce((sum, { count }) => sum + count, 0),
    notes,
  }
}

interface OpenTable {
  readonly reader: RowReader
  readonly columns: readonly string[]
  /** Whether the first row is one of the rows. */
  readonly isHeadless: boolean
}

interface HashedTable extends OpenTable {
  readonly hasher: RowHasher
}

function openTable(source: Source, delimiter: number): OpenTable {
  let width = 0
  const reader = new RowReader(source, delimiter, () => width === 1)
  const start = reader.position
  const first = reader.next() ? reader.texts() : []
  width = first.length
  const isHeadless = isData(first)
  if (isHeadless) reader.seek(start)
  return {
    reader,
    columns: isHeadless ? first.map((_, index) => `${index + 1}`) : columnNames(first),
    isHeadless,
  }
}

/** A first row with a decimal fraction, or of numbers only, names no columns. */
function isData(cells: readonly string[]): boolean {
  const numbers = cells.filter((cell) => /^\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*$/.test(cell))
  return (
    numbers.some((cell) => cell.includes('.')) ||
    (cells.length > 0 && numbers.length === cells.length)
  )
}

/** Tallies what is not in the shared runs; returns how many rows each table has. */
async function tallyRows(
  a: HashedTable,
  b: HashedTable,
  runs: readonly SharedRun[],
  tally: RowTally,
  signal: AbortSignal | undefined,
): Promise<{ before: number; after: number }> {
  const rows = { before: 0, after: 0 }
  const pause = pauser(signal)
  const readA = (): boolean => {
    if (!a.reader.next()) return false
    rows.before++
    tally.add(1, a.hasher.hash(a.reader), a.reader.rowStart)
    return true
  }
  const readB = (): boolean => {
    if (!b.reader.next()) return false
    rows.after++
    tally.add(-1, b.hasher.hash(b.reader), b.reader.rowStart)
    return true
  }
  for (const run of [...runs, { before: Infinity, after: Infinity, length: 0 }]) {
    while (a.reader.position < run.before && readA()) if (pause.isDue()) await pause.now()
    while (b.reader.position < run.after && readB()) if (pause.isDue()) await pause.now()
    if (run.length === 0) break
    const atA = (): number => a.reader.position - run.before
    const atB = (): number => b.reader.position - run.after
    while (atA() !== atB() && Math.min(atA(), atB()) < run.length) {
      if (!(atA() < atB() ? readA() : readB())) break
    }
    if (atA() !== atB()) continue
    for (let end = 0; end < run.length; ) {
      end = Math.min(run.length, Math.max(atB(), 0) + SKIP_BYTES)
      const skipped = b.reader.skipUntil(run.after + end)
      rows.before += skipped
      rows.after += skipped
      await pause.now()
    }
    a.reader.seek(run.before + atB())
  }
  return rows
}

const SKIP_BYTES = 16 << 20

/** Lets others have a turn every 50 milliseconds or so, and hears that the work is given up. */
function pauser(signal: AbortSignal | undefined): { isDue(): boolean; now(): Promise<void> } {
  let rows = 0
  return {
    isDue: () => ++rows % 65_536 === 0,
    async now() {
      await new Promise((resolve) => setImmediate(resolve))
      signal?.throwIfAborted()
    },
  }
}

/** Reads rows again, at their places. */
function listRows(
  pairs: readonly RowPair[],
  plan: ColumnPlan,
  a: RowReader,
  b: RowReader,
): RowChange[] {
  const before = new Map<number, string[]>()
  const after = new Map<number, string[]>()
  const places = (side: 'before' | 'after'): number[] =>
    pairs.flatMap((pair) => pair[side] ?? []).sort((x, y) => x - y)
  for (const place of places('before')) before.set(place, textsAt(a, place))
  for (const place of places('after')) after.set(place, textsAt(b, place))
  return pairs.map((pair) => {
    const old = pair.before === undefined ? undefined : (before.get(pair.before) as string[])
    const now = pair.after === undefined ? undefined : (after.get(pair.after) as string[])
    return rowChange(plan, pair.count, old, now)
  })
}

function textsAt(reader: RowReader, place: number): string[] {
  reader.seek(place)
  return reader.next() ? reader.texts() : []
}
