/** What is put: bytes of a known length and hash, which can be gone through as often as there are attempts. */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { ArtifactsError } from '../errors.ts'

export interface Source {
  readonly size: number
  /** SHA-256 of all bytes, hex: what the receiver checks. */
  readonly sha256: string
  /** All bytes from the beginning, in pieces that may be overwritten when the next one is asked for. */
  pieces(): Iterable<Uint8Array>
}

export function bytesSource(bytes: Uint8Array | string): Source {
  const all = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  const sha256 = createHash('sha256').update(all).digest('hex')
  return { size: all.length, sha256, pieces: () => [all] }
}

/** A file that does not change. Without its hash it is read once now, and again for each attempt. */
export function fileSource(path: string, sha256?: string): Source {
  const { size, hash } = sha256 === undefined ? measure(path) : { size: sizeOf(path), hash: sha256 }
  return { size, sha256: hash, pieces: () => filePieces(path, size) }
}

/** The pieces of a source; throws behind the last one when they are not what its hash says. */
export function* checkedPieces(source: Source): Iterable<Uint8Array> {
  const hash = createHash('sha256')
  let size = 0
  for (const piece of source.pieces()) {
    hash.update(piece)
    size += piece.length
    yield piece
  }
  if (size !== source.size || hash.digest('hex') !== source.sha256) {
    throw new ArtifactsError('ERR_FILE_CHANGED', 'What is sent is not what its hash says.', {
      hint: 'Run `artifacts fsck --data`.',
    })
  }
}

const PIECE = 256 * 1024

function measure(path: string): { size: number; hash: string } {
  const size = sizeOf(path)
  const hash = createHash('sha256')
  for (const piece of filePieces(path, size)) hash.update(piece)
  return { size, hash: hash.digest('hex') }
}

function sizeOf(path: string): number {
  const fd = openSync(path, 'r')
  try {
    return fstatSync(fd).size
  } finally {
    closeSync(fd)
  }
}

function* filePieces(path: string, size: number): Iterable<Uint8Array> {
  const fd = openSync(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, size)))
    let done = 0
    for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) {
      done += got
      yield buffer.subarray(0, got)
    }
    if (done === size) return
  } finally {
    closeSync(fd)
  }
  throw new ArtifactsError('ERR_FILE_CHANGED', `"${path}" changed while it was sent.`, {
    hint: 'Run `artifacts fsck`: files of a store do not change.',
  })
}
