/** Unsigned LEB128 integers and bounded reading, as nodes use them (docs/format.md). */

import { damaged } from '../../errors.ts'

/** Writes `value`, an integer of at most 53 bits, and returns the offset behind it. */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value
  let to = at
  while (rest >= 0x80) {
    into[to++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  into[to++] = rest
  return to
}

/** Returns the bytes that `writeVarint` needs for `value`. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
  return length
}

/** What the eighth byte of an integer counts; 53 bits need no more. */
const LAST_SCALE = 2 ** 49

/**
 * Reads from bytes that nobody has vouched for. Everything that does not fit is refused with `ERR_DAMAGED` and a
 * message that begins with `name`.
 */
export class ByteReader {
  readonly bytes: Buffer
  at = 0
  readonly #name: string

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#name = name
  }

  get rest(): number {
    return this.bytes.length - this.at
  }

  byte(): number {
    return this.bytes[this.skip(1)] as number
  }

  /** Steps over `length` bytes and returns the offset of the first. */
  skip(length: number): number {
    const from = this.at
    if (length > this.bytes.length - from) this.refuse('it ends too early')
    this.at = from + length
    return from
  }

  varint(): number {
    const first = this.byte()
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let scale = 0x80; scale <= LAST_SCALE; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte >= 0x80) continue
      if (byte === 0) this.refuse('it has an integer that is not in its shortest form')
      if (value <= Number.MAX_SAFE_INTEGER) return value
    }
    return this.refuse('it has an integer of more than 53 bits')
  }

  refuse(reason: string): never {
    throw damaged(`${this.#name} is not as it was written: ${reason}`)
  }
}
