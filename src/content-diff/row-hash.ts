/**
 * HalfSipHash-1-3 (Aumasson and Bernstein, SipHash 2012; the form for machines of 32 bits, as Linux has it), 64 bits.
 * Keyed anew by each comparison, so that nobody can write rows that look equal and are not.
 */
import { randomBytes } from 'node:crypto'

export type HashKey = readonly [number, number]

export function newHashKey(): HashKey {
  const bytes = randomBytes(8)
  return [bytes.readInt32LE(0), bytes.readInt32LE(4)]
}

/** Hashes the bytes from `start` to `end` and puts two words into `out` at `at`. */
export function hashBytes(
  key: HashKey,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Int32Array,
  at: number,
): void {
  let v0 = key[0]
  let v1 = key[1] ^ 0xee
  let v2 = key[0] ^ 0x6c796765
  let v3 = key[1] ^ 0x74656462
  const length = end - start
  const whole = start + (length & ~3)
  for (let i = start; i <= whole; i += 4) {
    let m: number
    if (i < whole) {
      m =
        (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24)
    } else {
      m = length << 24
      if ((length & 3) > 0) m |= bytes[i] as number
      if ((length & 3) > 1) m |= (bytes[i + 1] as number) << 8
      if ((length & 3) > 2) m |= (bytes[i + 2] as number) << 16
    }
    v3 ^= m
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= m
  }
  v2 ^= 0xee
  for (let half = 0; half < 2; half++) {
    for (let round = 0; round < 3; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    out[at + half] = v1 ^ v3
    v1 ^= 0xdd
  }
}
