/**
 * Which rows one table has and the other has not. Each row is a record of its hash, the hash of its key and its place;
 * equal rows of both tables cancel each other in a table of hashes. When that grows beyond its bound, records go to
 * files by parts of the hash (external hash partition), and each file is settled by itself, so memory does not grow with
 * the tables. What is left over is paired by key.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

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
const PARTS = 256
/** Words of a record: row hash, key hash, place (low, high), count; before is positive, after negative. */
const WORDS = 7

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

/** Distinct rows, with how many more of them are before than after. Open addressing; the hashes are random. */
class Table {
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

/** Records in files, by the eight upper bits of one of their words. */
class Spill implements Disposable {
  readonly #directory: string
  readonly #by: number
  readonly #files: (number | undefined)[] = []
  readonly #buffers = new Int32Array(PARTS * BUFFER_WORDS)
  readonly #used = new Int32Array(PARTS)

  constructor(scratch: string, by = 0) {
    this.#directory = mkdtempSync(join(scratch, 'rows-'))
    this.#by = by
  }

  write(records: Int32Array, at: number): void {
    const part = (records[at + this.#by] as number) >>> 24
    let used = this.#used[part] as number
    if (used === BUFFER_WORDS) {
      this.#flush(part)
      used = 0
    }
    const to = part * BUFFER_WORDS + used
    for (let word = 0; word < WORDS; word++) {
      this.#buffers[to + word] = records[at + word] as number
    }
    this.#used[part] = used + WORDS
  }

  /** Calls `use` for each record of a part, in the order they were written. */
  read(part: number, use: (records: Int32Array, at: number) => void): void {
    this.#flush(part)
    const fd = this.#files[part]
    if (fd === undefined) return
    const words = new Int32Array(READ_WORDS)
    const bytes = new Uint8Array(words.buffer)
    for (let from = 0; ; from += bytes.length) {
      let read = 0
      while (read < bytes.length) {
        const got = readSync(fd, bytes, read, bytes.length - read, from + read)
        if (got === 0) break
        read += got
      }
      for (let at = 0; at < read / 4; at += WORDS) use(words, at)
      if (read < bytes.length) return
    }
  }

  #flush(part: number): void {
    const used = this.#used[part] as number
    if (used === 0) return
    const fd = this.#files[part] ?? openSync(join(this.#directory, `${part}`), 'wx+', 0o600)
    this.#files[part] = fd
    const start = part * BUFFER_WORDS * 4
    const bytes = new Uint8Array(this.#buffers.buffer, start, used * 4)
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
    this.#used[part] = 0
  }

  [Symbol.dispose](): void {
    for (const fd of this.#files) if (fd !== undefined) closeSync(fd)
    this.#files.length = 0
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** Multiples of a record. */
const BUFFER_WORDS = WORDS * 512
const READ_WORDS = WORDS * 8192

/** Says of what is left over what was added, removed or changed. */
class Pairing implements Disposable {
  readonly #options: TallyOptions
  readonly #bound: number
  readonly #listing: Listing
  #records = new Int32Array(WORDS * 1024)
  #used = 0
  #spill: Spill | undefined
  #added = 0
  #removed = 0
  #changed = 0
  #ambiguous = 0

  constructor(options: TallyOptions, bound: number) {
    this.#options = options
    this.#bound = bound
    this.#listing = new Listing(options.limit)
  }

  take(records: Int32Array, at: number): void {
    if (!this.#options.keyed) this.#alone(records, at, Math.abs(records[at + 6] as number))
    else if (this.#spill !== undefined) this.#spill.write(records, at)
    else this.#keep(records, at)
  }

  finish(): Tallied {
    if (this.#spill === undefined) {
      this.#pair()
    } else {
      for (let part = 0; part < PARTS; part++) {
        this.#spill.read(part, (records, at) => this.#append(records, at))
        this.#pair()
      }
    }
    return {
      added: this.#added,
      removed: this.#removed,
      changed: this.#changed,
      pairs: this.#listing.sorted(),
      ambiguous: this.#ambiguous,
    }
  }

  #keep(records: Int32Array, at: number): void {
    this.#append(records, at)
    if (this.#used < this.#bound * WORDS) return
    const spill = new Spill(this.#options.scratch(), 2)
    this.#spill = spill
    for (let record = 0; record < this.#used; record += WORDS) spill.write(this.#records, record)
    this.#used = 0
  }

  #append(records: Int32Array, at: number): void {
    if (this.#used === this.#records.length) {
      const larger = new Int32Array(this.#records.length * 2)
      larger.set(this.#records)
      this.#records = larger
    }
    for (let word = 0; word < WORDS; word++) {
      this.#records[this.#used + word] = records[at + word] as number
    }
    this.#used += WORDS
  }

  /** Goes through the records in the order of keys and places; of each key, rows are paired in order. */
  #pair(): void {
    const all = this.#records
    const order = new Uint32Array(this.#used / WORDS)
    for (let index = 0; index < order.length; index++) order[index] = index * WORDS
    order.sort(
      (a, b) =>
        (all[a + 2] as number) - (all[b + 2] as number) ||
        (all[a + 3] as number) - (all[b + 3] as number) ||
        placeOf(all, a) - placeOf(all, b),
    )
    for (let from = 0, to = 0; from < order.length; from = to) {
      const first = order[from] as number
      const isSameKey = (at: number): boolean =>
        all[at + 2] === all[first + 2] && all[at + 3] === all[first + 3]
      while (to < order.length && isSameKey(order[to] as number)) to++
      this.#pairGroup(order.subarray(from, to))
    }
    this.#used = 0
  }

  #pairGroup(group: Uint32Array): void {
    const all = this.#records
    let before = 0
    let after = 0
    const nextOf = (sign: number, from: number): number => {
      let at = from
      while (at < group.length && Math.sign(all[(group[at] as number) + 6] as number) !== sign) at++
      return at
    }
    let i = nextOf(1, 0)
    let j = nextOf(-1, 0)
    while (i < group.length || j < group.length) {
      const a = group[i]
      const b = group[j]
      const countA = a === undefined ? 0 : (all[a + 6] as number)
      const countB = b === undefined ? 0 : -(all[b + 6] as number)
      const pairs = Math.min(countA, countB)
      if (a !== undefined && b !== undefined) {
        this.#changed += pairs
        this.#listing.add({ before: placeOf(all, a), after: placeOf(all, b), count: pairs })
        all[a + 6] = countA - pairs
        all[b + 6] = pairs - countB
      } else {
        this.#alone(all, (a ?? b) as number, countA + countB)
      }
      before += pairs || countA
      after += pairs || countB
      if (a !== undefined && (b === undefined || countA === pairs)) i = nextOf(1, i + 1)
      if (b !== undefined && (a === undefined || countB === pairs)) j = nextOf(-1, j + 1)
    }
    if (before > 1 || after > 1) this.#ambiguous++
  }

  #alone(records: Int32Array, at: number, count: number): void {
    const place = placeOf(records, at)
    if ((records[at + 6] as number) > 0) {
      this.#removed += count
      this.#listing.add({ before: place, count })
    } else {
      this.#added += count
      this.#listing.add({ after: place, count })
    }
  }

  [Symbol.dispose](): void {
    this.#spill?.[Symbol.dispose]()
  }
}

function placeOf(records: Int32Array, at: number): number {
  return ((records[at + 4] as number) >>> 0) + (records[at + 5] as number) * 2 ** 32
}

/** The pairs that stand first, of any number. */
class Listing {
  readonly #limit: number
  #pairs: RowPair[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  add(pair: RowPair): void {
    this.#pairs.push(pair)
    if (this.#pairs.length > this.#limit * 4 + 1000) this.#pairs = this.sorted()
  }

  sorted(): RowPair[] {
    const place = ({ before, after }: RowPair): number => after ?? before ?? 0
    return this.#pairs.toSorted((a, b) => place(a) - place(b)).slice(0, this.#limit)
  }
}
