/** Bytes as a file that counts what is read of it. */
import { inMemory } from '../../src/previews/gzip.ts'
import type { Previewed } from '../../src/previews/preview.ts'

export interface CountedFile extends Previewed {
  /** Bytes that were asked for. */
  readonly bytesRead: () => number
}

export function fileOf(path: string, content: string | Uint8Array): CountedFile {
  const bytes = Buffer.from(content as string)
  const inner = inMemory(path, bytes)
  let read = 0
  return {
    ...inner,
    read(at, length) {
      const found = inner.read(at, length)
      read += found.length
      return found
    },
    *pieces(from = 0) {
      for (let at = from; at < bytes.length; at += 65_536) {
        const piece = bytes.subarray(at, at + 65_536)
        read += piece.length
        yield piece
      }
    },
    bytesRead: () => read,
  }
}
