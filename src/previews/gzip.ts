/** The beginning of what gzip packed. */
import { constants, gunzipSync } from 'node:zlib'
import type { Previewed } from './preview.ts'

/** A byte unpacks to at most 1,032. */
const PACKED_BYTES = 16 << 10
const MOST_TIMES = 1040

/** The first bytes under the name of what was packed; undefined for what is no gzip file. */
export function unzippedHead(source: Previewed): Previewed | undefined {
  const head = source.read(0, PACKED_BYTES)
  try {
    const bytes = gunzipSync(head, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: PACKED_BYTES * MOST_TIMES,
    })
    const path = source.path.replace(/\.tgz$/i, '.tar').replace(/\.gz$/i, '')
    return { ...inMemory(path, bytes), isCut: head.length < source.size }
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      return undefined
    }
    throw error
  }
}

/** Bytes as a file. */
export function inMemory(path: string, bytes: Buffer): Previewed {
  return {
    path,
    size: bytes.length,
    read: (at, length) => bytes.subarray(at, at + length),
    *pieces(at = 0) {
      if (at < bytes.length) yield bytes.subarray(at)
    },
    chunks: () => ({ ids: Buffer.alloc(0), starts: Float64Array.of(0) }),
  }
}
