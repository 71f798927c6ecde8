/**
 * Ids of objects (docs/format.md section 2): SHA-256 of the bytes, under a prefix for every kind but chunks, so that a
 * file of one chunk is named by its `sha256sum` and no chunk can pass for a node.
 *
 * `crypto.hash` in one shot is the fastest of Node's ways for small inputs (8 KiB: 4.8 µs as text, 5.1 as bytes,
 * `createHash` 5.6); from 64 KiB on there is no difference.
 */
import { createHash, type Hash, hash } from 'node:crypto'
import type { ObjectId } from '../../types.ts'

/** The kinds of object, with their numbers in packs. */
export const CHUNK = 0
export const RECIPE = 1
export const NODE = 2
export const VERSION = 3
export type ObjectKind = typeof CHUNK | typeof RECIPE | typeof NODE | typeof VERSION

/** The words for the kinds, by number. */
export const KIND_NAMES = ['chunk', 'recipe', 'node', 'version'] as const

/** Length of an id as bytes. */
export const ID_BYTES = 32

const PREFIXES: readonly Buffer[] = KIND_NAMES.map((name) => Buffer.from(`artifacts.${name}\0`))

/** The id of an object, as text. */
export function objectId(kind: ObjectKind, bytes: Uint8Array): ObjectId {
  return kind === CHUNK ? chunkId(bytes) : (prefixed(kind, bytes).digest('hex') as ObjectId)
}

/** The id of an object, as 32 bytes. */
export function objectHash(kind: ObjectKind, bytes: Uint8Array): Buffer {
  return kind === CHUNK ? chunkHash(bytes) : prefixed(kind, bytes).digest()
}

export function chunkId(bytes: Uint8Array): ObjectId {
  return hash('sha256', bytes) as ObjectId
}

export function chunkHash(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}

/** Whether a number read from a pack is a kind of object. */
export function isObjectKind(value: number): value is ObjectKind {
  return value < KIND_NAMES.length
}

/** Whether a text from outside is an id in its one spelling. */
export function isObjectId(text: string): text is ObjectId {
  return /^[0-9a-f]{64}$/.test(text)
}

/** Reads the 32 bytes of an id. */
export function readId(bytes: Buffer, offset = 0): ObjectId {
  return bytes.toString('hex', offset, offset + ID_BYTES) as ObjectId
}

/** Writes the 32 bytes of an id. */
export function writeId(id: ObjectId, bytes: Buffer, offset = 0): void {
  bytes.write(id, offset, ID_BYTES, 'hex')
}

/**
 * What the bytes of an object are under another kind; undefined if under that kind they would have another id. A chunk
 * may hold a prefix and what follows it: then a chunk and, say, a node have one id, and a store keeps one of the two.
 */
export function asKind(
  bytes: Uint8Array,
  from: ObjectKind,
  to: ObjectKind,
): Uint8Array | undefined {
  if (from === to) return bytes
  const prefix = PREFIXES[to] as Buffer
  if (to === CHUNK) return Buffer.concat([PREFIXES[from] as Buffer, bytes])
  const isPrefixed = from === CHUNK && prefix.equals(bytes.subarray(0, prefix.length))
  return isPrefixed ? bytes.subarray(prefix.length) : undefined
}

/** The length that `asKind` gives an object of `length` bytes as a chunk. */
export function lengthAsChunk(from: ObjectKind, length: number): number {
  return from === CHUNK ? length : (PREFIXES[from] as Buffer).length + length
}

function prefixed(kind: ObjectKind, bytes: Uint8Array): Hash {
  return createHash('sha256')
    .update(PREFIXES[kind] as Buffer)
    .update(bytes)
}
