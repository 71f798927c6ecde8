/** Hashes of rows of CSV. */
import type { ColumnPlan } from './columns.ts'
import { type HashKey, hashBytes } from './row-hash.ts'
import type { RowReader } from './row-reader.ts'
import type { RowHashes } from './row-tally.ts'

/** Hashes the cells of a row in the columns that both tables have, and in those that no column names. */
export class RowHasher {
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
