/**
 * An exact set of 32-byte ids in flat memory, which also numbers them: what one commit has stored so far, what is to be
 * sent. A JavaScript `Set` of a million ids
 * takes some 150 MB; this takes 48. Open addressing with linear probing; an id is uniformly distributed, so its first
 * four bytes are the hash.
 *
 * It never holds more than `limit` ids: then it starts empty again. Forgetting is harmless (a chunk that comes again
 * is stored twice), so memory stays bounded however large the commit is.
 */
export class IdSet {
  readonly #limit: number
  #ids: Buffer
  #slots: Int32Array
  #count = 0

  constructor(limit: number = 1 << 19) {
    this.#limit = limit
    this.#ids = Buffer.allocUnsafe(1024 * 32)
    this.#slots = new Int32Array(2048).fill(-1)
  }

  /** Adds the id at `offset` of `ids`; false when it was there. */
  add(ids: Uint8Array, offset: number): boolean {
    const found = this.#find(ids, offset)
    if (found < 0) return false
    if (this.#count === this.#limit) {
      this.#reset()
      return this.add(ids, offset)
    }
    this.#slots[found] = this.#count
    this.#ids.set(ids.subarray(offset, offset + 32), this.#count * 32)
    this.#count++
    if (this.#count * 2 >= this.#slots.length) this.#grow()
    return true
  }

  has(ids: Uint8Array, offset: number): boolean {
    return this.#find(ids, offset) < 0
  }

  /** How many it has. */
  get size(): number {
    return this.#count
  }

  /** How many it had when the id was added; −1 for an id that it does not have. */
  indexOf(ids: Uint8Array, offset: number): number {
    const mask = this.#slots.length - 1
    let slot = hashAt(ids, offset) & mask
    for (let index = this.#slots[slot] as number; index >= 0; index = this.#slots[slot] as number) {
      if (this.#ids.compare(ids, offset, offset + 32, index * 32, index * 32 + 32) === 0)
        return index
      slot = (slot + 1) & mask
    }
    return -1
  }

  /** The id of this index; valid until the next one is added. */
  at(index: number): Buffer {
    return this.#ids.subarray(index * 32, index * 32 + 32)
  }

  /** The free slot where the id belongs, or −1 when the set has it. */
  #find(ids: Uint8Array, offset: number): number {
    const mask = this.#slots.length - 1
    let slot = hashAt(ids, offset) & mask
    for (let index = this.#slots[slot] as number; index >= 0; index = this.#slots[slot] as number) {
      if (this.#ids.compare(ids, offset, offset + 32, index * 32, index * 32 + 32) === 0) return -1
      slot = (slot + 1) & mask
    }
    return slot
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1)
    const mask = slots.length - 1
    for (let index = 0; index < this.#count; index++) {
      let slot = hashAt(this.#ids, index * 32) & mask
      while ((slots[slot] as number) >= 0) slot = (slot + 1) & mask
      slots[slot] = index
    }
    this.#slots = slots
    const ids = Buffer.allocUnsafe((slots.length / 2 + 1) * 32)
    this.#ids.copy(ids, 0, 0, this.#count * 32)
    this.#ids = ids
  }

  #reset(): void {
    this.#slots.fill(-1)
    this.#count = 0
  }
}

function hashAt(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset] as number) |
    ((bytes[offset + 1] as number) << 8) |
    ((bytes[offset + 2] as number) << 16) |
    ((bytes[offset + 3] as number) << 24)
  )
}
