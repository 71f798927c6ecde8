/** The digests that references record of bytes, computed: `sha256`, `md5`, `crc32c`, each in hex. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import type { Reference } from '../types.ts'
import { crc32c } from './crc32c.ts'

export interface Hasher {
  update(bytes: Uint8Array): void
  hex(): string
}

/** What computes a digest of this algorithm; undefined for one that is not of the bytes. */
export function hasherFor(algo: string): Hasher | undefined {
  switch (algo) {
    case 'sha256':
    case 'md5': {
      const hash = createHash(algo)
      return { update: (bytes) => hash.update(bytes), hex: () => hash.digest('hex') }
    }
    case 'crc32c': {
      let state = 0
      return {
        update: (bytes) => {
          state = crc32c(bytes, state)
        },
        hex: () => state.toString(16).padStart(8, '0'),
      }
    }
    default:
      return undefined
  }
}

/** Whether a file of `size` bytes is for sure what was recorded. False where the record does not tell. */
export function isRecorded(
  { uri, digest, size }: Reference,
  file: string,
  actual: number,
): boolean {
  if (size !== undefined && size !== actual) return false
  // S3 names what was sent in one piece by its MD5.
  const isMd5 =
    digest.algo === 'etag' && uri.startsWith('s3:') && /^[0-9a-f]{32}$/.test(digest.value)
  const hasher = hasherFor(isMd5 ? 'md5' : digest.algo)
  return hasher !== undefined && digestOfFile(file, hasher) === digest.value
}

/** Reads a file through a hasher. */
export function digestOfFile(file: string, hasher: Hasher): string {
  const buffer = Buffer.allocUnsafe(1 << 20)
  const fd = openSync(file, 'r')
  try {
    for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) {
      hasher.update(buffer.subarray(0, got))
    }
  } finally {
    closeSync(fd)
  }
  return hasher.hex()
}
