/** Tables as Parquet: schema, rows, and cells by key, tallied as rows of CSV are. */
import { ArtifactsError, isSystemError } from '../errors.ts'
import { type ColumnPlan, planColumns, type RowTexts, rowChange } from './columns.ts'
import type { TableOptions } from './csv.ts'
import type { RowChange, TableDifference } from './difference.ts'
import type { ParquetFile } from './parquet-file.ts'
import { openInThread, type ThreadOptions } from './parquet-thread.ts'
import { type HashKey, hashBytes, newHashKey } from './row-hash.ts'
import { type RowPair, RowTally } from './row-tally.ts'
import type { Source } from './source.ts'
import { Unfit } from './unfit.ts'

/** @returns Unfit for files that are none, or that hyparquet can't read. */
export async function compareParquet(
  before: Source,
  after: Source,
  options: TableOptions & ThreadOptions,
): Promise<TableDifference | Unfit> {
  try {
    return await compareFiles(before, after, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    // Errors of the package are of any kind; those of the sources are ours or the system's.
    if (error instanceof ArtifactsError || isSystemError(error) || !(error instanceof Error)) {
      throw error
    }
    return new Unfit(`it can't be read (${error.message.slice(0, 200)})`)
  }
}

async function compareFiles(
  before: Source,
  after: Source,
  options: TableOptions & ThreadOptions,
): Promise<TableDifference> {
  await using a = await openInThread(before, options)
  await using b = await openInThread(after, options)
  const names = ({ columns }: ParquetFile): string[] => columns.map(({ name }) => name)
  const plan = planColumns(names(a), names(b), options.keys)
  using tally = new RowTally({ ...options, keyed: plan.key.length > 0 })
  const key = newHashKey()
  const { signal } = options
  await tallyFile(a, plan.before, plan.key, 1, { tally, key, signal })
  await tallyFile(b, plan.after, plan.key, -1, { tally, key, signal })
  const { pairs, ambiguous, ...counts } = tally.finish()
  const changes = await listRows(pairs, plan, a, b)
  const total = counts.added + counts.removed + counts.changed
  const notes = [...plan.notes]
  if (ambiguous > 0) notes.push(`Keys that stand for several rows that differ: ${ambiguous}.`)
  const retyped = plan.common.flatMap((name, index) => {
    const old = a.columns[plan.before[index] as number]?.type ?? ''
    const now = b.columns[plan.after[index] as number]?.type ?? ''
    return old === now ? [] : [{ name, before: old, after: now }]
  })
  const { added, removed } = plan.difference
  if (total + retyped.length + added.length + removed.length === 0) {
    notes.push('The same rows, written or ordered differently.')
  }
  return {
    kind: 'table',
    format: 'parquet',
    columns: { ...plan.difference, retyped },
    key: plan.key.map((index) => plan.common[index] as string),
    rows: { before: a.rows, after: b.rows },
    ...counts,
    changes,
    omitted: total - changes.reduce((sum, { count }) => sum + count, 0),
    notes,
  }
}

interface Tallying {
  readonly tally: RowTally
  readonly key: HashKey
  readonly signal: AbortSignal | undefined
}

/** A row's hash is that of its cells, taken in one after another as their columns are read. */
async function tallyFile(
  file: ParquetFile,
  columns: Int32Array,
  keyColumns: readonly number[],
  side: 1 | -1,
  { tally, key, signal }: Tallying,
): Promise<void> {
  for (const group of file.groups) {
    const rows = new ChainedHashes(group.rows, key)
    const keys = new ChainedHashes(keyColumns.length === 0 ? 0 : group.rows, key)
    for (const [index, column] of columns.entries()) {
      signal?.throwIfAborted()
      const cells = await file.read(file.columns[column] as never, group)
      rows.take(cells)
      if (keyColumns.includes(index)) keys.take(cells)
    }
    for (let row = 0; row < group.rows; row++) {
      const hash = rows.at(row)
      tally.add(
        side,
        { row: hash, key: keyColumns.length === 0 ? hash : keys.at(row) },
        group.start + row,
      )
    }
  }
}

class ChainedHashes {
  readonly #hashes: Int32Array
  readonly #key: HashKey
  /** Hash of the row so far, and of a cell. */
  readonly #words = new Int32Array(4)
  readonly #bytes = new Uint8Array(this.#words.buffer)
  #text = Buffer.alloc(1024)

  constructor(rows: number, key: HashKey) {
    this.#hashes = new Int32Array(rows * 2)
    this.#key = key
  }

  /** A cell that is not there is not an empty one. */
  take(cells: readonly (string | undefined)[]): void {
    for (const [row, cell] of cells.entries()) {
      this.#words[0] = this.#hashes[row * 2] as number
      this.#words[1] = this.#hashes[row * 2 + 1] as number
      this.#words[2] = 0
      this.#words[3] = 0
      if (cell !== undefined) {
        if (cell.length * 3 > this.#text.length) this.#text = Buffer.alloc(cell.length * 3)
        hashBytes(this.#key, this.#text, 0, this.#text.write(cell), this.#words, 2)
      }
      hashBytes(this.#key, this.#bytes, 0, 16, this.#hashes, row * 2)
    }
  }

  at(row: number): Int32Array {
    return this.#hashes.subarray(row * 2, row * 2 + 2)
  }
}

/** Reads rows again, those of a row group together. */
async function listRows(
  pairs: readonly RowPair[],
  plan: ColumnPlan,
  a: ParquetFile,
  b: ParquetFile,
): Promise<RowChange[]> {
  const before = await rowsAt(
    a,
    pairs.flatMap((pair) => pair.before ?? []),
  )
  const after = await rowsAt(
    b,
    pairs.flatMap((pair) => pair.after ?? []),
  )
  return pairs.map((pair) =>
    rowChange(
      plan,
      pair.count,
      pair.before === undefined ? undefined : before.get(pair.before),
      pair.after === undefined ? undefined : after.get(pair.after),
    ),
  )
}

async function rowsAt(
  file: ParquetFile,
  places: readonly number[],
): Promise<Map<number, RowTexts>> {
  const rows = new Map<number, (string | undefined)[]>()
  for (const group of file.groups) {
    const here = places.filter((row) => row >= group.start && row < group.start + group.rows)
    if (here.length === 0) continue
    for (const row of here) rows.set(row, [])
    for (const column of file.columns) {
      const cells = await file.read(column, group)
      for (const row of here) rows.get(row)?.push(cells[row - group.start])
    }
  }
  return rows
}
