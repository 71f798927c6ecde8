/**
 * Where the nodes of a tree end (docs/format.md section 5): after a key whose hash matches, whatever stands around it,
 * so an edit never moves a natural end and the same entries give the same nodes whatever their history; or after
 * 131,072 bytes, so that keys chosen to avoid natural ends cannot make a node that nobody can hold.
 *
 * XXH32 (xxHash_spec.md, Yann Collet) is written out here: for keys of some 30 bytes a call into WebAssembly with its
 * copy costs 120 ns and this 35 ns, and it needs nothing to be loaded first. The tests hold it against xxhash-wasm.
 */

/** Levels that a tree may have: 0 to 11. */
export const MAX_LEVELS = 12

/** A node ends with the item that brings its plain lengths to this sum. */
export const PLAIN_LIMIT = 131_072

const NATURAL_MASK = 511

/** True when a node of `level` has a natural end after the key `key[0, length)`. */
export function endsNaturally(key: Uint8Array, length: number, level: number): boolean {
  return (xxh32(key, length, level) & NATURAL_MASK) === 0
}

const PRIME_1 = 0x9e3779b1
const PRIME_2 = 0x85ebca77
const PRIME_3 = 0xc2b2ae3d
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1

/** Returns XXH32 of `bytes[0, length)`, 0 to 2^32 − 1. */
export function xxh32(bytes: Uint8Array, length: number, seed: number): number {
  let at = 0
  let hash = (seed + PRIME_5) | 0
  if (length >= 16) {
    let a = (seed + PRIME_1 + PRIME_2) | 0
    let b = (seed + PRIME_2) | 0
    let c = seed | 0
    let d = (seed - PRIME_1) | 0
    for (; at + 16 <= length; at += 16) {
      a = round(a, word(bytes, at))
      b = round(b, word(bytes, at + 4))
      c = round(c, word(bytes, at + 8))
      d = round(d, word(bytes, at + 12))
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
  }
  hash = (hash + length) | 0
  for (; at + 4 <= length; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(word(bytes, at), PRIME_3)) | 0, 17), PRIME_4)
  }
  for (; at < length; at++) {
    hash = Math.imul(rotate((hash + Math.imul(bytes[at] as number, PRIME_5)) | 0, 11), PRIME_1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}
