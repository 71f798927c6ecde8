/**
 * The content of one item of a level 0 node (docs/format.md section 5): a kind byte, whose bit 7 is the executable bit,
 * and what that kind of entry consists of.
 */

import { isUtf8 } from 'node:buffer'
import { ArtifactsError } from '../../errors.ts'
import type { Entry, EntryPath, FileEntry, ObjectId } from '../../types.ts'
import { ID_BYTES, readId } from '../object/id.ts'
import { type ByteReader, writeVarint } from './bytes.ts'
import { quotePath } from './paths.ts'
import { decodeReference, encodeReference, MAX_REFERENCE } from './reference.ts'

/** Sizes, in bytes, up to which a file stands in its entry, and up to which it is one chunk. */
export const MAX_INLINE = 64
export const MAX_ONE_CHUNK = 262_144
/** Bytes that the target of a symlink may have. */
export const MAX_TARGET = 4096
/** Bytes that the longest content has: a reference, its kind and its length. */
export const MAX_CONTENT: number = MAX_REFERENCE + 4

const EXECUTABLE = 0x80
const KIND = { inline: 0, chunk: 1, recipe: 2, symlink: 3, directory: 4, reference: 5 } as const

/**
 * Writes the content of `entry` and returns the offset behind it; `into` has room for `MAX_CONTENT` bytes.
 * @throws ArtifactsError `ERR_UNSUPPORTED` for a symlink target or a reference that no entry can hold.
 */
export function writeContent(entry: Entry, into: Buffer, at: number): number {
  switch (entry.kind) {
    case 'file':
      return writeFile(entry, into, at)
    case 'symlink': {
      const length = Buffer.byteLength(entry.target)
      const fault = targetFault(entry.target, length)
      if (fault !== undefined) throw unsupported('symlink', entry, fault)
      return writeText(KIND.symlink, entry.target, length, into, at)
    }
    case 'directory':
      into[at] = KIND.directory
      return at + 1
    case 'reference': {
      const json = encodeReference(entry.reference)
      const length = Buffer.byteLength(json)
      if (length > MAX_REFERENCE) {
        throw unsupported('reference', entry, `it takes more than ${MAX_REFERENCE} bytes`)
      }
      return writeText(KIND.reference, json, length, into, at)
    }
  }
}

/** Reads one content and returns it as the entry at `path`. */
export function readContent(reader: ByteReader, path: EntryPath): Entry {
  const first = reader.byte()
  const kind = first & ~EXECUTABLE
  const executable = first >= EXECUTABLE
  if (executable && kind > KIND.recipe) reader.refuse('an entry that is not a file is executable')
  switch (kind) {
    case KIND.inline: {
      const { from, to } = readSpan(reader, MAX_INLINE)
      const bytes = new Uint8Array(reader.bytes.subarray(from, to))
      const content = { kind: 'inline', bytes } as const
      return { kind: 'file', path, executable, size: bytes.length, content }
    }
    case KIND.chunk: {
      const size = reader.varint()
      if (size <= MAX_INLINE || size > MAX_ONE_CHUNK) reader.refuse('a chunk has a wrong size')
      const content = { kind: 'chunk', id: takeId(reader) } as const
      return { kind: 'file', path, executable, size, content }
    }
    case KIND.recipe: {
      const size = reader.varint()
      if (size <= MAX_ONE_CHUNK) reader.refuse('a recipe has a wrong size')
      const content = { kind: 'recipe', id: takeId(reader) } as const
      return { kind: 'file', path, executable, size, content }
    }
    case KIND.symlink:
      return { kind: 'symlink', path, target: readTarget(reader) }
    case KIND.directory:
      return { kind: 'directory', path }
    case KIND.reference: {
      const reference = decodeReference(readText(reader, MAX_REFERENCE))
      if (reference === undefined) reader.refuse('a reference is not canonical')
      return { kind: 'reference', path, reference }
    }
    default:
      return reader.refuse(`an entry has the unknown kind ${kind}`)
  }
}

/** Writes the 32 bytes of `id` and returns the offset behind them. */
export function putId(id: ObjectId, into: Buffer, at: number): number {
  if (id.length !== 2 * ID_BYTES || into.write(id, at, ID_BYTES, 'hex') !== ID_BYTES) {
    throw new TypeError(`"${id}" is not an object id`)
  }
  return at + ID_BYTES
}

export function takeId(reader: ByteReader): ObjectId {
  return readId(reader.bytes, reader.skip(ID_BYTES))
}

/** Bytes that `entry` adds to a version: a file's size, the length of a symlink's target. */
export function entrySize(entry: Entry): number {
  switch (entry.kind) {
    case 'file':
      return entry.size
    case 'symlink':
      return Buffer.byteLength(entry.target)
    case 'directory':
      return 0
    case 'reference':
      return entry.reference.size ?? 0
  }
}

/** True when two entries hold the same, whatever their paths. */
export function equalEntries(a: Entry, b: Entry): boolean {
  switch (a.kind) {
    case 'file':
      return b.kind === 'file' && a.executable === b.executable && equalContent(a, b)
    case 'symlink':
      return b.kind === 'symlink' && a.target === b.target
    case 'directory':
      return b.kind === 'directory'
    case 'reference':
      return b.kind === 'reference' && encodeReference(a.reference) === encodeReference(b.reference)
  }
}

/** True when two files hold the same bytes. */
export function equalContent(a: FileEntry, b: FileEntry): boolean {
  if (a.size !== b.size) return false
  if (a.content.kind === 'inline') {
    return b.content.kind === 'inline' && Buffer.compare(a.content.bytes, b.content.bytes) === 0
  }
  return b.content.kind === a.content.kind && a.content.id === b.content.id
}

function writeFile(entry: FileEntry, into: Buffer, at: number): number {
  const { content, size } = entry
  into[at] = KIND[content.kind] | (entry.executable ? EXECUTABLE : 0)
  const behind = writeVarint(into, at + 1, size)
  if (content.kind === 'inline') {
    if (size !== content.bytes.length || size > MAX_INLINE) throw wrongSize(entry)
    into.set(content.bytes, behind)
    return behind + size
  }
  const fits =
    content.kind === 'chunk' ? size > MAX_INLINE && size <= MAX_ONE_CHUNK : size > MAX_ONE_CHUNK
  if (!fits || !Number.isSafeInteger(size)) throw wrongSize(entry)
  return putId(content.id, into, behind)
}

function writeText(kind: number, text: string, length: number, into: Buffer, at: number): number {
  into[at] = kind
  const behind = writeVarint(into, at + 1, length)
  return behind + into.write(text, behind, 'utf8')
}

function readSpan(reader: ByteReader, most: number): { from: number; to: number } {
  const length = reader.varint()
  if (length > most) reader.refuse(`an entry has ${length} bytes where ${most} are allowed`)
  const from = reader.skip(length)
  return { from, to: from + length }
}

function readText(reader: ByteReader, most: number): string {
  const { from, to } = readSpan(reader, most)
  if (!isUtf8(reader.bytes.subarray(from, to))) reader.refuse('an entry is not valid UTF-8')
  return reader.bytes.toString('utf8', from, to)
}

function readTarget(reader: ByteReader): string {
  const target = readText(reader, MAX_TARGET)
  const fault = targetFault(target, Buffer.byteLength(target))
  if (fault !== undefined) reader.refuse(`a symlink: ${fault}`)
  return target
}

function targetFault(target: string, length: number): string | undefined {
  if (length === 0) return 'its target is empty'
  if (length > MAX_TARGET) return `its target is longer than ${MAX_TARGET} bytes`
  if (target.includes('\0')) return 'its target holds a NUL'
  if (/\p{Surrogate}/u.test(target)) return 'its target is not valid UTF-8'
  return undefined
}

function unsupported(what: string, entry: Entry, fault: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_UNSUPPORTED',
    `${what} ${quotePath(entry.path)} cannot be stored: ${fault}`,
  )
}

function wrongSize(entry: FileEntry): TypeError {
  return new TypeError(
    `${quotePath(entry.path)} of ${entry.size} bytes cannot be ${entry.content.kind}`,
  )
}
