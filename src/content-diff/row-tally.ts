/**
 * Which rows one table has and the other has not. Each row is a record of its hash, the hash of its key and its place;
 * equal rows of both tables cancel each other in a table of hashes. When that grows beyond its bound, records go to
 * files by parts of the hash (external hash partition), and each file is settled by itself, so memory does not grow with
 * the tables. What is left over is paired by key.
 */
import { Pairing } from './row-pairing.ts'
import { PARTS, Spill } from './row-spill.ts'
import { Table, WORDS } from './row-table.ts'

/** Two words each. */
export interface RowHashes {
  readonly row: Int32Array
  readonly key: Int32Array
}

/** Places of rows; one of the two alone was removed or added, `count` times. */
export interface RowPair {
  readonly before?: number
  readonly after?: number
  readonly count: number
}

export interface Tallied {
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** Up to the limit, those that stand first. */
  readonly pairs: readonly RowPair[]
  /** Keys that stand for several rows that differ, on one side at least. */
  readonly ambiguous: number
}

export interface TallyOptions {
  /** Whether rows with equal keys are one row that changed. */
  readonly keyed: boolean
  /** Rows that are returned; all are counted. */
  readonly limit: number
  /** A folder for temporary files, made when first needed. */
  readonly scratch: () => string
  /** Distinct rows in memory, a power of two. */
  readonly bound?: number
}

const BOUND = 1 << 19

export class RowTally implements Disposable {
  readonly #options: TallyOptions
  readonly #bound: number
  #table: Table
  #spill: Spill | undefined
  readonly #record = new Int32Array(WORDS)

  constructor(options: TallyOptions) {
    this.#options = options
    this.#bound = options.bound ?? BOUND
    this.#table = new Table(Math.min(this.#bound, 1 << 12))
  }

  /** @param side 1 for a row of before, −1 for one of after. */
  add(side: 1 | -1, { row, key }: RowHashes, place: number): void {
    const record = this.#record
    record[0] = row[0] as number
    record[1] = row[1] as number
    record[2] = key[0] as number
    record[3] = key[1] as number
    record[4] = place
    record[5] = place / 2 ** 32
    record[6] = side
    if (this.#spill !== undefined) {
      this.#spill.write(record, 0)
      return
    }
    this.#table.add(record, 0)
    if (this.#table.size < this.#bound) return
    this.#table.forgetEqual()
    if (this.#table.size < this.#bound / 2) return
    const spill = new Spill(this.#options.scratch())
    this.#spill = spill
    this.#table.each((records, at) => spill.write(records, at))
    this.#table = new Table(1 << 12)
  }

  finish(): Tallied {
    const pairing = new Pairing(this.#options, this.#bound)
    try {
      if (this.#spill === undefined) {
        this.#table.each((records, at) => pairing.take(records, at))
      } else {
        for (let part = 0; part < PARTS; part++) {
          const table = new Table(1 << 12)
          this.#spill.read(part, (records, at) => table.add(records, at))
          table.each((records, at) => pairing.take(records, at))
        }
      }
      return pairing.finish()
    } finally {
      pairing[Symbol.dispose]()
    }
  }

  [Symbol.dispose](): void {
    this.#spill?.[Symbol.dispose]()
  }
}
