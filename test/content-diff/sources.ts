/** Files in memory, cut after bytes that say so, so that small files have many chunks; what is read is counted. */
import { createHash } from 'node:crypto'
import type { CompareOptions } from '../../src/content-diff/compare.ts'
import type { Source } from '../../src/content-diff/source.ts'

export interface CountedSource extends Source {
  /** Bytes that were read. */
  readonly read: Source['read']
  bytesRead: number
}

export const OPTIONS: CompareOptions = {
  keys: [],
  limit: 1_000,
  scratch: () => {
    throw new Error('Small files need no temporary ones.')
  },
}

/** @param mean bytes of a chunk, on average. */
export function sourceOf(content: string | Uint8Array, path = 'file', mean = 16): CountedSource {
  const bytes = Buffer.from(content)
  const starts = [0]
  for (let at = 1; at < bytes.length; at++) {
    const sum = bytes.readUInt8(at - 1) * 31 + (bytes[at - 2] ?? 0) * 7 + (bytes[at - 3] ?? 0)
    if (sum % mean === 0) starts.push(at)
  }
  if (bytes.length > 0) starts.push(bytes.length)
  const ids = starts.slice(0, -1).map((start, index) =>
    createHash('sha256')
      .update(bytes.subarray(start, starts[index + 1]))
      .digest(),
  )
  return {
    path,
    size: bytes.length,
    bytesRead: 0,
    read(at, length) {
      const part = bytes.subarray(at, at + length)
      this.bytesRead += part.length
      return part
    },
    *pieces(at = 0) {
      for (let from = at; from < bytes.length; from += mean - 9) {
        const part = bytes.subarray(from, from + mean - 9)
        this.bytesRead += part.length
        yield part
      }
    },
    chunks: () => ({ ids: Buffer.concat(ids), starts: Float64Array.from(starts) }),
  }
}
