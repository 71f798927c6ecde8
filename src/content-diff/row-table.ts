/** Records of rows, and a table of the distinct ones with how often each is on one side more than on the other. */

/** Words of a record: row hash, key hash, place (low, high), count; before is positive, after negative. */
export const WORDS = 7

/** Where in its file the row of a record is. */
export function placeOf(records: Int32Array, at: number): number {
  return ((records[at + 4] as number) >>> 0) + (records[at + 5] as number) * 2 ** 32
}

/** Open addressing; the hashes are random. */
export class Table {
  size = 0
  #records: Int32Array
  #slots: Int32Array

  constructor(capacity: number) {
    this.#records = new Int32Array(capacity * WORDS)
    this.#slots = new Int32Array(capacity * 2).fill(-1)
  }

  add(from: Int32Array, at: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = (from[at] as number) & mask; ; slot = (slot + 1) & mask) {
      const record = slots[slot] as number
      if (record < 0) {
        if ((this.size + 1) * WORDS > this.#records.length) {
          this.#grow(this.size * 2)
          this.add(from, at)
          return
        }
        slots[slot] = this.size * WORDS
        for (let word = 0; word < WORDS; word++) {
          this.#records[this.size * WORDS + word] = from[at + word] as number
        }
        this.size++
        return
      }
      const records = this.#records
      if (
        records[record] === from[at] &&
        records[record + 1] === from[at + 1] &&
        records[record + 2] === from[at + 2] &&
        records[record + 3] === from[at + 3]
      ) {
        this.#count(record, from, at)
        return
      }
    }
  }

  /** Calls `use` for each row that one side has more of. */
  each(use: (records: Int32Array, at: number) => void): void {
    for (let record = 0; record < this.size * WORDS; record += WORDS) {
      if (this.#records[record + 6] !== 0) use(this.#records, record)
    }
  }

  forgetEqual(): void {
    const old = this.#records
    const end = this.size * WORDS
    this.#records = new Int32Array(old.length)
    this.#slots.fill(-1)
    this.size = 0
    for (let record = 0; record < end; record += WORDS) {
      if (old[record + 6] !== 0) this.add(old, record)
    }
  }

  /** The place that is kept is one of the side that has more rows. */
  #count(record: number, from: Int32Array, at: number): void {
    const records = this.#records
    const before = records[record + 6] as number
    const sum = before + (from[at + 6] as number)
    records[record + 6] = sum
    if (Math.sign(sum) === Math.sign(before) || sum === 0) return
    records[record + 4] = from[at + 4] as number
    records[record + 5] = from[at + 5] as number
  }

  #grow(capacity: number): void {
    const old = this.#records
    const end = this.size * WORDS
    this.#records = new Int32Array(capacity * WORDS)
    this.#slots = new Int32Array(capacity * 2).fill(-1)
    this.size = 0
    for (let record = 0; record < end; record += WORDS) this.add(old, record)
  }
}
