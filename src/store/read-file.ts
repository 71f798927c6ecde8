/** The bytes of one stored file, piece by piece, each verified before it is handed out. */
import { createHash } from 'node:crypto'
import { damaged } from '../errors.ts'
import type { FileEntry, ObjectId } from '../types.ts'
import { CHUNK } from './object/id.ts'
import { type OpenedStore, readObject } from './opened.ts'
import { readRecipe } from './recipes.ts'

/** @throws ArtifactsError ERR_DAMAGED; the signal's reason when it is aborted between two pieces. */
export function* fileBytes(
  store: OpenedStore,
  { path, size, content }: FileEntry,
  signal?: AbortSignal,
): Generator<Uint8Array> {
  if (content.kind === 'inline') {
    yield content.bytes
    return
  }
  if (content.kind === 'chunk') {
    yield readChunk(store, content.id, size)
    return
  }
  const { ids, lengths, sha256 } = readRecipe(store, content.id, size)
  const hash = createHash('sha256')
  for (const [index, length] of lengths.entries()) {
    signal?.throwIfAborted()
    const id = ids.toString('hex', index * 32, index * 32 + 32) as ObjectId
    const bytes = readChunk(store, id, length)
    hash.update(bytes)
    yield bytes
  }
  if (!hash.digest().equals(sha256)) throw damaged(`"${path}" is not what its recipe says.`)
}

/**
 * Bytes `start` to `end` of a stored file, the end excluded. Each chunk is verified; no more of them are read than are needed.
 * @throws ArtifactsError ERR_DAMAGED
 */
export function* fileRange(
  store: OpenedStore,
  entry: FileEntry,
  start: number,
  end: number,
): Generator<Uint8Array> {
  const { size, content } = entry
  if (start === 0 && end === size) {
    yield* fileBytes(store, entry)
    return
  }
  if (content.kind !== 'recipe') {
    for (const bytes of fileBytes(store, entry)) yield bytes.subarray(start, end)
    return
  }
  const { ids, lengths } = readRecipe(store, content.id, size)
  let at = 0
  for (const [index, length] of lengths.entries()) {
    if (at >= end) return
    if (at + length > start) {
      const id = ids.toString('hex', index * 32, index * 32 + 32) as ObjectId
      const bytes = readChunk(store, id, length)
      yield bytes.subarray(Math.max(0, start - at), Math.min(length, end - at))
    }
    at += length
  }
}

/** SHA-256 of a stored file's bytes, in hex; none of them is read. */
export function fileDigest(store: OpenedStore, { size, content }: FileEntry): string {
  switch (content.kind) {
    case 'inline':
      return createHash('sha256').update(content.bytes).digest('hex')
    case 'chunk':
      return content.id
    case 'recipe':
      return hexOf(readRecipe(store, content.id, size).sha256)
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function readChunk(store: OpenedStore, id: ObjectId, length: number): Uint8Array {
  const bytes = readObject(store, CHUNK, id)
  if (bytes.length === length) return bytes
  throw damaged(`The chunk "${id}" has ${bytes.length} bytes where ${length} are expected.`)
}
