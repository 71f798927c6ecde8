/**
 * Seeded randomness, so that a workload is the same bytes on every machine and in every run: a small generator for
 * choices (sfc32, from PractRand) and an AES-CTR key stream for noise, which no compressor or chunker can tell from
 * true randomness and which costs less than writing it out.
 */
import { createCipheriv, createHash } from 'node:crypto'

/** Uniform in [0, limit). */
export type Random = (limit: number) => number

export function randomOf(seed: string): Random {
  const key = createHash('sha256').update(seed).digest()
  let a = key.readInt32LE(0)
  let b = key.readInt32LE(4)
  let c = key.readInt32LE(8)
  let counter = 1
  return (limit) => {
    const word = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + word) | 0
    return Math.floor(((word >>> 0) / 4_294_967_296) * limit)
  }
}

/** The next `length` bytes of the stream that `seed` names. */
export type Noise = (length: number) => Buffer

export function noiseOf(seed: string): Noise {
  const key = createHash('sha256').update(seed).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  let zeros = Buffer.alloc(64 * 1024)
  return (length) => {
    if (zeros.length < length) zeros = Buffer.alloc(length)
    return cipher.update(zeros.subarray(0, length))
  }
}

/** `count` distinct numbers below `limit`, in random order. */
export function sampleOf(random: Random, limit: number, count: number): number[] {
  const pool = Uint32Array.from({ length: limit }, (_, index) => index)
  const chosen: number[] = []
  for (let index = 0; index < count; index++) {
    const other = index + random(limit - index)
    chosen.push(pool[other] ?? 0)
    pool[other] = pool[index] ?? 0
  }
  return chosen
}
