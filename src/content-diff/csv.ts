/**
 * Tables as CSV or TSV, streamed. Where the lists of chunks say that both files go on alike, and a row begins at the
 * same byte of that run in both, all rows of the run are equal: they are stepped over in one file and not read in
 * the other. Other rows are tallied by their hashes; only those that are shown are read again.
 */
import { type ColumnPlan, columnNames, planColumns, rowChange } from './columns.ts'
import type { RowChange, TableDifference } from './difference.ts'
import { type HashKey, hashBytes, newHashKey } from './row-hash.ts'
import { delimiterOf, NotRows, RowReader } from './row-reader.ts'
import { type RowHashes, type RowPair, RowTally } from './row-tally.ts'
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

/** Hashes the cells of a row in the columns that both tables have, and in those that no column names. */
class RowHasher {
  readonly #key: HashKey
  readonly #columns: Int32Array
  readonly #keyColumns: readonly number[]
  readonly #width: number
  #cells: Words
  readonly #keyCells: Words
  readonly #hashes: RowHashes = { row: new Int32Array(2), key: new Int32Array(2) }

  constructor(key: HashKey, plan: ColumnPlan, columns: Int32Array, width: number) {
    this.#key = key
    this.#columns = columns
    this.#keyColumns = plan.key
    this.#width = width
    this.#cells = words((columns.length + 1) * 2)
    this.#keyCells = words(plan.key.length * 2)
  }

  /** The hashes of the row that was read, valid until the next call. */
  hash(reader: RowReader): RowHashes {
    const { row, key } = this.#hashes
    const common = this.#columns.length
    const extra = Math.max(0, reader.cells - this.#width)
    if (this.#cells.words.length < (common + extra) * 2) {
      this.#cells = words((common + extra) * 4)
    }
    for (let index = 0; index < common; index++) {
      this.#hashCell(reader, this.#columns[index] as number, index)
    }
    for (let index = 0; index < extra; index++) {
      this.#hashCell(reader, this.#width + index, common + index)
    }
    hashBytes(this.#key, this.#cells.bytes, 0, (common + extra) * 8, row, 0)
    if (this.#keyColumns.length === 0) {
      key[0] = row[0] as number
      key[1] = row[1] as number
      return this.#hashes
    }
    const cells = this.#cells.words
    let word = 0
    for (const index of this.#keyColumns) {
      this.#keyCells.words[word++] = cells[index * 2] as number
      this.#keyCells.words[word++] = cells[index * 2 + 1] as number
    }
    hashBytes(this.#key, this.#keyCells.bytes, 0, word * 4, key, 0)
    return this.#hashes
  }

  /** A cell that a short row lacks is not an empty one. */
  #hashCell(reader: RowReader, cell: number, index: number): void {
    const out = this.#cells.words
    if (cell >= reader.cells) {
      out[index * 2] = 0
      out[index * 2 + 1] = 0
    } else if (reader.isPlain(cell)) {
      const start = reader.starts[cell] as number
      hashBytes(this.#key, reader.bytes, start, reader.ends[cell] as number, out, index * 2)
    } else {
      const content = reader.content(cell)
      hashBytes(this.#key, content, 0, content.length, out, index * 2)
    }
  }
}

/** Words, and the same memory as bytes. */
interface Words {
  readonly words: Int32Array
  readonly bytes: Uint8Array
}

function words(length: number): Words {
  const made = new Int32Array(length)
  return { words: made, bytes: new Uint8Array(made.buffer) }
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
