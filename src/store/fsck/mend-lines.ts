/**
 * Mends two lines of which the second is the SHA-256 of the first, as in `format.json` and in operations, of which there
 * is no second copy. Whatever happened to the second line, the first one tells it; a single bit that flipped in the
 * first is found by trying them all, for the second one says when it is right.
 */
import { createHash } from 'node:crypto'

/** The second line with both line ends. */
const TAIL = 66
/** Longer lines have too many bits to try: 32 KiB take some five seconds. */
const MOST_BYTES = 32 << 10
/** Bytes of a damaged second line that must be right for it to count, where nothing else says what it was. */
const ENOUGH = 60

/**
 * Returns the lines as they were, or undefined.
 *
 * @param expected the hash, where something else knows it, such as the operation that follows
 */
export function mendLines(bytes: Buffer, expected: string | undefined): Buffer | undefined {
  for (const line of firstLines(bytes)) {
    const hash = sha256(line)
    const isLine =
      expected === undefined
        ? looksLike(bytes.subarray(line.length), tailOf(hash))
        : hash === expected
    if (isLine) return Buffer.concat([line, tailOf(hash)])
  }
  for (const line of firstLines(bytes)) {
    const hash = expected ?? hashIn(bytes.subarray(line.length))
    const mended = hash === undefined ? undefined : flipBack(line, hash)
    if (mended !== undefined) return Buffer.concat([mended, tailOf(hash as string)])
  }
  return undefined
}

/** What the first line may be: by its length, and by its end. */
function firstLines(bytes: Buffer): Buffer[] {
  const end = bytes.indexOf(0x0a)
  const ends = new Set([bytes.length - TAIL, end < 0 ? bytes.length : end])
  return [...ends].filter((length) => length > 0).map((length) => bytes.subarray(0, length))
}

function flipBack(line: Buffer, hash: string): Buffer | undefined {
  if (line.length > MOST_BYTES) return undefined
  const copy = Buffer.from(line)
  for (let at = 0; at < copy.length; at++) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      copy[at] = (copy[at] as number) ^ bit
      if (sha256(copy) === hash) return copy
      copy[at] = (copy[at] as number) ^ bit
    }
  }
  return undefined
}

function hashIn(tail: Buffer): string | undefined {
  return /^.([0-9a-f]{64})/s.exec(tail.toString('latin1'))?.[1]
}

function looksLike(tail: Buffer, right: Buffer): boolean {
  let same = 0
  for (let at = 0; at < right.length; at++) if (tail[at] === right[at]) same++
  return same >= ENOUGH
}

function tailOf(hash: string): Buffer {
  return Buffer.from(`\n${hash}\n`)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
