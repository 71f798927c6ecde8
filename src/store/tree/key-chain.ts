/**
 * Follows keys in their order: checks that each comes after the one before and that none lies below another that is
 * itself an entry. Keys that begin with `a` need not be neighbours of `a/b` (`a`, `a.b`, `a/b`), so the chain remembers
 * every earlier key that the newest one begins with. In sorted order those are the only ones that can still matter, and
 * only one whose length is exactly what two neighbours share can have become a directory: one comparison a key.
 */

import { MAX_PATH } from './paths.ts'

const SLASH = 0x2f

/** What `next` returns instead of a length for a key it refuses. */
export const NOT_AFTER = -1
export const BELOW_ENTRY = -2

export class KeyChain {
  /** The newest key is `key[0, length)`. */
  readonly key: Buffer = Buffer.allocUnsafe(MAX_PATH)
  length = 0
  /** Lengths of the keys that the newest one begins with, itself included, growing. */
  readonly #open: number[] = []

  /**
   * Takes the key made of the first `shared` bytes of the newest key and `source[at, at + length)`; both together are at
   * most `MAX_PATH` bytes. Returns how many bytes it really shares with the key before, `NOT_AFTER` when it does not
   * come after that, or `BELOW_ENTRY` when it lies below one taken earlier: that one then is `key[0, entryLength)`.
   */
  next(source: Uint8Array, at: number, length: number, shared: number): number {
    const key = this.key
    const offset = at - shared
    const total = shared + length
    const most = Math.min(this.length, total)
    let same = shared
    while (same < most && key[same] === source[offset + same]) same++
    if (same === total) return NOT_AFTER
    const byte = source[offset + same] as number
    if (same < this.length && byte < (key[same] as number)) return NOT_AFTER
    while (this.entryLength > same) this.#open.pop()
    if (byte === SLASH && same > 0 && this.entryLength === same) return BELOW_ENTRY
    for (let to = same; to < total; to++) key[to] = source[offset + to] as number
    this.length = total
    this.#open.push(total)
    return same
  }

  /** Length of the longest key taken that the newest one begins with. */
  get entryLength(): number {
    return this.#open[this.#open.length - 1] ?? 0
  }

  /** True when the newest key is `other[0, length)`. */
  equals(other: Buffer, length: number): boolean {
    return this.length === length && this.key.compare(other, 0, length, 0, length) === 0
  }

  /** All that decides what may come next, as a text to compare and to go back to. */
  save(): string {
    return `${this.#open.join(',')} ${this.key.toString('latin1', 0, this.length)}`
  }

  /** Goes back to what `save` returned. */
  restore(saved: string): void {
    const end = saved.indexOf(' ')
    const open = saved.slice(0, end)
    this.#open.length = 0
    if (open !== '') this.#open.push(...open.split(',').map(Number))
    this.length = this.key.write(saved.slice(end + 1), 'latin1')
  }

  copy(): KeyChain {
    const copy = new KeyChain()
    this.key.copy(copy.key, 0, 0, this.length)
    copy.length = this.length
    copy.#open.push(...this.#open)
    return copy
  }
}
