/**
 * The bytes of one file at any place, from the store or from a directory, and its chunks: whoever compares two files
 * reads only what the lists of their chunks do not already say. Stored chunks are verified before they are handed out.
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { ArtifactsError, damaged } from '../errors.ts'
import type { FileEntry, ObjectId } from '../types.ts'
import { CandidateList } from './object/candidates.ts'
import { CutSelector, chunkSizesFor, cutBuffer, scanCandidates, WINDOW } from './object/chunker.ts'
import { CHUNK, chunkHash } from './object/id.ts'
import { type OpenedStore, readObject } from './opened.ts'
import { readRecipe } from './recipes.ts'

/** Chunk i holds the bytes from `starts[i]` to `starts[i + 1]`; its id is 32 bytes of `ids`. */
export interface ChunkMap {
  readonly ids: Buffer
  /** One more than there are chunks; the last is the file's size. */
  readonly starts: Float64Array
}

export interface RandomAccess extends Disposable {
  /** Bytes. */
  readonly size: number
  /** The bytes from `at` on, fewer where the file ends before; valid until the next call. */
  read(at: number, length: number): Uint8Array
  /** From `at` to the end; each piece is valid until the next. */
  pieces(at?: number): Iterable<Uint8Array>
  /** Of a file in a directory, found by reading it once. */
  chunks(): ChunkMap
}

const READ_BYTES = 1 << 20

/** A stored file. Its calls throw ArtifactsError ERR_DAMAGED. */
export function storedFile(store: OpenedStore, { size, content }: FileEntry): RandomAccess {
  const map = chunkMap(store, size, content)
  let held: { readonly index: number; readonly bytes: Uint8Array } | undefined
  const chunk = (index: number): Uint8Array => {
    if (content.kind === 'inline') return content.bytes
    if (held?.index === index) return held.bytes
    const length = (map.starts[index + 1] as number) - (map.starts[index] as number)
    const id = map.ids.toString('hex', index * 32, index * 32 + 32) as ObjectId
    const bytes = readObject(store, CHUNK, id)
    if (bytes.length !== length) {
      throw damaged(`The chunk "${id}" has ${bytes.length} bytes where ${length} are expected.`)
    }
    held = { index, bytes }
    return bytes
  }
  function* pieces(at = 0): Generator<Uint8Array> {
    for (let index = chunkAt(map, at), from = at; from < size; index++) {
      const start = map.starts[index] as number
      yield chunk(index).subarray(from - start)
      from = map.starts[index + 1] as number
    }
  }
  return {
    size,
    chunks: () => map,
    pieces,
    read: (at, length) => gather(pieces(at), Math.max(0, Math.min(length, size - at))),
    [Symbol.dispose]() {
      held = undefined
    },
  }
}

/** Index of the chunk that holds the byte at `at`. */
export function chunkAt({ starts }: ChunkMap, at: number): number {
  let low = 0
  let high = starts.length - 1
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((starts[middle] as number) <= at) low = middle
    else high = middle
  }
  return low
}

/**
 * A file on disk, open until it is disposed of. Its calls throw ArtifactsError ERR_FILE_CHANGED where it has become
 * shorter than it was when it was opened.
 */
export function fileOnDisk(path: string): RandomAccess {
  const fd = openSync(path, 'r')
  const { size } = fstatSync(fd)
  const readInto = (buffer: Uint8Array, at: number, length: number): Uint8Array => {
    for (let read = 0; read < length; ) {
      const got = readSync(fd, buffer, read, length - read, at + read)
      if (got === 0) throw changed(path)
      read += got
    }
    return buffer.subarray(0, length)
  }
  const read = (at: number, length: number): Uint8Array => {
    const within = Math.max(0, Math.min(length, size - at))
    return readInto(Buffer.allocUnsafe(within), at, within)
  }
  function* pieces(from = 0): Generator<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, size))
    for (let at = from; at < size; at += READ_BYTES) {
      yield readInto(buffer, at, Math.min(READ_BYTES, size - at))
    }
  }
  let map: ChunkMap | undefined
  return {
    size,
    read,
    pieces,
    chunks() {
      map ??= mapOf(cutsOf(size, readInto), read)
      return map
    },
    [Symbol.dispose]() {
      closeSync(fd)
    },
  }
}

function chunkMap(store: OpenedStore, size: number, content: FileEntry['content']): ChunkMap {
  if (content.kind === 'recipe') {
    const { ids, lengths } = readRecipe(store, content.id, size)
    return { ids, starts: startsOf(lengths) }
  }
  const ids =
    content.kind === 'inline'
      ? createHash('sha256').update(content.bytes).digest()
      : Buffer.from(content.id, 'hex')
  return size === 0
    ? { ids: Buffer.alloc(0), starts: Float64Array.of(0) }
    : { ids, starts: Float64Array.of(0, size) }
}

function startsOf(lengths: readonly number[]): Float64Array {
  const starts = new Float64Array(lengths.length + 1)
  for (const [index, length] of lengths.entries()) {
    starts[index + 1] = (starts[index] as number) + length
  }
  return starts
}

function gather(pieces: Iterable<Uint8Array>, length: number): Uint8Array {
  const parts: Uint8Array[] = []
  let missing = length
  if (missing > 0) {
    for (const piece of pieces) {
      const part = piece.subarray(0, missing)
      missing -= part.length
      if (missing === 0 && parts.length === 0) return part
      parts.push(part)
      if (missing === 0) break
    }
  }
  return Buffer.concat(parts)
}

/** Where the chunks of a file end, as a commit would cut it. */
function cutsOf(
  size: number,
  readInto: (buffer: Uint8Array, at: number, length: number) => Uint8Array,
): number[] {
  if (size <= READ_BYTES) return cutBuffer(readInto(Buffer.allocUnsafe(size), 0, size))
  const sizes = chunkSizesFor(size)
  const selector = new CutSelector(sizes, size)
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES + WINDOW)
  const cuts: number[] = []
  for (let at = 0; at < size; at += READ_BYTES) {
    const lead = Math.min(WINDOW, at)
    const end = Math.min(at + READ_BYTES, size)
    const found = new CandidateList(at)
    const bytes = readInto(buffer, at - lead, end - at + lead)
    scanCandidates(bytes, lead, bytes.length, sizes, at - lead, found)
    for (const cut of selector.add(found.bytes(), end)) cuts.push(cut)
  }
  return cuts
}

function mapOf(
  ends: readonly number[],
  read: (at: number, length: number) => Uint8Array,
): ChunkMap {
  const ids = Buffer.allocUnsafe(ends.length * 32)
  const starts = new Float64Array(ends.length + 1)
  for (const [index, end] of ends.entries()) {
    const start = starts[index] as number
    ids.set(chunkHash(read(start, end - start)), index * 32)
    starts[index + 1] = end
  }
  return { ids, starts }
}

function changed(path: string): ArtifactsError {
  return new ArtifactsError('ERR_FILE_CHANGED', `"${path}" became shorter while it was read.`, {
    hint: 'Run the same command again when nothing writes to it.',
  })
}
