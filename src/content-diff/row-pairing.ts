/** What was added, removed or changed, of the rows that one side has more often than the other. */

import { PARTS, Spill } from './row-spill.ts'
import { placeOf, WORDS } from './row-table.ts'
import type { RowPair, Tallied, TallyOptions } from './row-tally.ts'

/** Says of what is left over what was added, removed or changed. */
export class Pairing implements Disposable {
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
