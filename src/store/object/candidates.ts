/**
 * Candidates for cuts, in order, at one to four bytes each: the distance to the one before, doubled, plus one when it is
 * strong, as LEB128. Data that repeats a few bytes can make every position a candidate; even then the list is not
 * longer than the data.
 */
export class CandidateList {
  #bytes = new Uint8Array(1024)
  #used = 0
  #last: number

  /** @param start where the part of the file begins. */
  constructor(start: number) {
    this.#last = start
  }

  /** Adds a position behind the last one. */
  add(position: number, isStrong: boolean): void {
    if (this.#used + 8 > this.#bytes.length) this.#grow()
    let rest = (position - this.#last) * 2 + (isStrong ? 1 : 0)
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.#bytes[this.#used++] = (rest % 0x80) | 0x80
    }
    this.#bytes[this.#used++] = rest
    this.#last = position
  }

  /** The list as bytes of its own. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#used)
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** Steps through the bytes of a list. */
export class CandidateReader {
  position: number
  isStrong = false
  readonly #bytes: Uint8Array
  #at = 0

  /** @param start what the list began with. */
  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes
    this.position = start
  }

  /** False at the end. */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes[this.#at++] as number
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    this.isStrong = value % 2 === 1
    this.position += Math.floor(value / 2)
    return true
  }
}
