/**
 * Takes tables and objects out of pack files. Nothing that comes from a pack is believed: a table is what its name
 * hashes to, and an object is handed out only when its bytes hash to its id.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { ArtifactsError, damaged } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { xxh64 } from './checksum.ts'
import { decompress } from './compression.ts'
import { asKind, KIND_NAMES, type ObjectKind, objectId } from './id.ts'
import {
  codecOf,
  decodeRecordHeader,
  decodeTable,
  decodeTrailer,
  kindOf,
  MAX_PACK_BYTES,
  PACK_MAGIC,
  type PackTable,
  packId,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  TRAILER_BYTES,
} from './pack.ts'

/** An object and the place of its record, as a table or the index says. */
export interface StoredObject extends RecordHeader {
  readonly id: ObjectId
  /** Of the record's first byte in the pack. */
  readonly offset: number
}

/**
 * Reads and checks the table of the pack with this id; by default the one of the file's name, `<id>.pack`.
 * @throws ArtifactsError `ERR_DAMAGED`, or the system's error when the file can't be read.
 */
export function readTable(path: string, id: string = idInName(path)): PackTable {
  const name = `Pack "${path}"`
  const fd = openSync(path, 'r')
  try {
    const size = fstatSync(fd).size
    if (size > MAX_PACK_BYTES) throw damaged(`${name} is longer than a pack can be`)
    const magic = Buffer.alloc(PACK_MAGIC.length)
    if (!fill(fd, magic, 0) || !magic.equals(PACK_MAGIC)) throw damaged(`${name} is no pack`)
    const end = Buffer.alloc(TRAILER_BYTES)
    if (!fill(fd, end, Math.max(size - TRAILER_BYTES, 0))) throw damaged(`${name} has no end`)
    const { tableOffset, tableLength, checksum } = decodeTrailer(end, size, name)
    const bytes = Buffer.allocUnsafeSlow(tableLength)
    if (!fill(fd, bytes, tableOffset)) throw damaged(`${name} ends early`)
    if (xxh64(bytes) !== checksum)
      throw damaged(`${name} has a table that is not as it was written`)
    if (packId(bytes) !== id) throw damaged(`${name} is not the one of that name`)
    return decodeTable(bytes, tableOffset, name)
  } finally {
    closeSync(fd)
  }
}

function idInName(path: string): string {
  return /^(.*)\.pack$/s.exec(basename(path))?.[1] ?? ''
}

/**
 * Reads one object with one read call and returns its bytes as `kind`, verified by its id. With `scratch`, the record is read into
 * that buffer where it fits, and an object that is stored as it is comes back as a view of it.
 * @throws ArtifactsError `ERR_DAMAGED` when the pack holds anything else there, `ERR_UNSUPPORTED` for an unknown codec.
 */
export function readObject(
  fd: number,
  kind: ObjectKind,
  object: StoredObject,
  scratch?: Buffer,
): Uint8Array {
  const { id, offset, type, stored, raw } = object
  const length = RECORD_HEADER_BYTES + stored
  const record =
    scratch !== undefined && scratch.length >= length
      ? scratch.subarray(0, length)
      : Buffer.allocUnsafeSlow(length)
  const name = `The ${KIND_NAMES[kind]} "${id}"`
  if (!fill(fd, record, offset)) throw damaged(`${name} lies beyond the end of its pack`)
  const header = decodeRecordHeader(record)
  if (header?.type !== type || header.stored !== stored || header.raw !== raw) {
    throw damaged(`${name} is not where the table of its pack says`)
  }
  const payload = record.subarray(RECORD_HEADER_BYTES)
  const bytes = named(name, () => decompress(codecOf(type), payload, raw))
  if (objectId(kindOf(type), bytes) !== id) {
    throw damaged(`${name} has other bytes than its name says`)
  }
  const asked = asKind(bytes, kindOf(type), kind)
  if (asked === undefined) throw damaged(`${name} is a ${KIND_NAMES[kindOf(type)]}`)
  return asked
}

/**
 * Walks the records of a pack whose table or end may be missing, up to the first place where no record can be. A record
 * is named by what its bytes hash to; one whose bytes can't be decompressed is stepped over.
 */
export function* salvage(path: string): Generator<StoredObject> {
  const fd = openSync(path, 'r')
  try {
    const head = Buffer.alloc(RECORD_HEADER_BYTES)
    let offset = PACK_MAGIC.length
    while (fill(fd, head, offset)) {
      const header = decodeRecordHeader(head)
      if (header === undefined) return
      const payload = Buffer.allocUnsafeSlow(header.stored)
      if (!fill(fd, payload, offset + RECORD_HEADER_BYTES)) return
      const id = idOf(header, payload)
      if (id !== undefined) yield { id, offset, ...header }
      offset += RECORD_HEADER_BYTES + header.stored
    }
  } finally {
    closeSync(fd)
  }
}

function idOf({ type, raw }: RecordHeader, payload: Buffer): ObjectId | undefined {
  try {
    return objectId(kindOf(type), decompress(codecOf(type), payload, raw))
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return undefined
    throw error
  }
}

/** Runs something whose errors don't know what it is about, and says so in front of them. */
function named<T>(name: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof ArtifactsError)) throw error
    const { code, hint, cause } = error
    throw new ArtifactsError(code, `${name}: ${error.message}`, { hint, cause })
  }
}

/** Fills the buffer from `position` on; false when the file ends before. */
function fill(fd: number, buffer: Buffer, position: number): boolean {
  let done = 0
  while (done < buffer.length) {
    const got = readSync(fd, buffer, done, buffer.length - done, position + done)
    if (got === 0) return false
    done += got
  }
  return true
}
