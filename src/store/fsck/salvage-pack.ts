/**
 * Reads what can be read of a damaged pack. With its table, wherever that was found, every record's place and length is
 * known, and a header that changed is no loss; without it the records are walked, and where the walk breaks off, the
 * places that the index remembers help, and a search for the next record that holds something known to be lost.
 *
 * A pack none of whose payloads changed is put together again as it was, byte for byte: its name proves it.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { IdSet } from '../ingest/id-set.ts'
import { xxh64 } from '../object/checksum.ts'
import { compress, decompress } from '../object/compression.ts'
import { objectHash } from '../object/id.ts'
import {
  codecOf,
  decodeRecordHeader,
  decodeTable,
  encodeEntry,
  encodeRecordHeader,
  encodeTrailer,
  kindOf,
  MAX_PACK_BYTES,
  PACK_MAGIC,
  type PackEntry,
  type PackTable,
  packId,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  TABLE_ENTRY_BYTES,
  TRAILER_BYTES,
  tableEntries,
} from '../object/pack.ts'
import { sortedTable } from '../object/pack-writer.ts'

/** A record whose payload is what its id says. */
export interface SoundRecord extends RecordHeader {
  /** 32 bytes. */
  readonly id: Buffer
  readonly offset: number
  readonly payload: Buffer
}

/** Where the index says that an object is. */
export interface RememberedPlace extends RecordHeader {
  readonly id: ObjectId
  readonly offset: number
}

export interface SalvageSources {
  /** Where the table lies, as the log says. */
  readonly toc: readonly [offset: number, length: number] | undefined
  readonly places: () => readonly RememberedPlace[]
  /** Whether somebody needs the object with this id (32 bytes). */
  readonly isWanted: (id: Buffer) => boolean
  /** The payload of the same record in another pack. */
  readonly duplicate: (entry: PackEntry) => Buffer | undefined
  /** False: only records are asked for. */
  readonly mayRestore: boolean
}

export interface Salvaged {
  /** The pack as it was. */
  readonly whole?: Buffer
  readonly records: readonly SoundRecord[]
}

/** Takes what it can out of the bytes of the pack with this id, which may be put right where they are. */
export function salvagePack(bytes: Buffer, id: ObjectId, sources: SalvageSources): Salvaged {
  const table = findTable(bytes, id, sources.toc)
  if (table !== undefined) return salvageByTable(bytes, table, sources)
  const walked = walkRecords(bytes)
  const told = tableOf(walked, id)
  return told === undefined
    ? { records: collect(bytes, walked, sources) }
    : salvageByTable(bytes, told, sources)
}

/** The id of the pack that this file is, by the table at its end. */
export function idByTable(path: string): ObjectId | undefined {
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    const end = Buffer.alloc(TRAILER_BYTES)
    if (size < TRAILER_BYTES || size > MAX_PACK_BYTES) return undefined
    readRange(fd, end, 0, TRAILER_BYTES, size - TRAILER_BYTES)
    const [offset, length] = [end.readUInt32LE(0), end.readUInt32LE(4)]
    if (offset + length + TRAILER_BYTES !== size) return undefined
    const table = Buffer.alloc(length)
    readRange(fd, table, 0, length, offset)
    return packId(table) as ObjectId
  } catch (error) {
    if (isSystemError(error, 'EIO')) return undefined
    throw error
  } finally {
    closeSync(fd)
  }
}

/** Reads a file of which parts may be unreadable: those come back as zeros. The buffer is as large as a pack can be. */
export function readDamagedFile(path: string, buffer: Buffer): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = buffer.subarray(0, Math.min(fstatSync(fd).size, buffer.length))
    for (let at = 0; at < bytes.length; at += PIECE) readPiece(fd, bytes, at)
    return bytes
  } finally {
    closeSync(fd)
  }
}

const PIECE = 1 << 20
const SECTOR = 4096

function readPiece(fd: number, bytes: Buffer, from: number): void {
  const to = Math.min(from + PIECE, bytes.length)
  try {
    readRange(fd, bytes, from, to, from)
  } catch (error) {
    if (!isSystemError(error, 'EIO')) throw error
    bytes.fill(0, from, to)
    for (let at = from; at < to; at += SECTOR) {
      try {
        readRange(fd, bytes, at, Math.min(at + SECTOR, to), at)
      } catch (each) {
        if (!isSystemError(each, 'EIO')) throw each
      }
    }
  }
}

function readRange(fd: number, bytes: Buffer, from: number, to: number, position: number): void {
  for (let at = from; at < to; ) {
    const got = readSync(fd, bytes, at, to - at, position + at - from)
    if (got === 0) {
      bytes.fill(0, at, to)
      return
    }
    at += got
  }
}

interface Walked {
  readonly records: readonly SoundRecord[]
  /** Where no record can be any more. */
  readonly end: number
}

/** Sound records from the first one on, up to where none can be. One whose payload is damaged is stepped over. */
function walkRecords(bytes: Buffer): Walked {
  const records: SoundRecord[] = []
  let at = PACK_MAGIC.length
  for (;;) {
    const header = decodeRecordHeader(bytes, at)
    if (header === undefined) return { records, end: at }
    const record = soundAt(bytes, at, header)
    if (record !== undefined) records.push(record)
    at += RECORD_HEADER_BYTES + header.stored
  }
}

/** The record with this header, if its payload is all there; its id is what its object hashes to. */
function soundAt(bytes: Buffer, offset: number, header: RecordHeader): SoundRecord | undefined {
  const { type, stored, raw } = header
  const start = offset + RECORD_HEADER_BYTES
  if (start + stored > bytes.length) return undefined
  const payload = bytes.subarray(start, start + stored)
  const object = objectOf(payload, header)
  if (object === undefined || object === UNKNOWN_CODEC) return undefined
  return { type, stored, raw, id: objectHash(kindOf(type), object), offset, payload }
}

const UNKNOWN_CODEC = Symbol('unknown codec')

function objectOf(
  payload: Buffer,
  { type, raw }: RecordHeader,
): Uint8Array | typeof UNKNOWN_CODEC | undefined {
  try {
    return decompress(codecOf(type), payload, raw)
  } catch (error) {
    if (!(error instanceof ArtifactsError)) throw error
    return error.code === 'ERR_UNSUPPORTED' ? UNKNOWN_CODEC : undefined
  }
}

/** The table, where the log or the pack's end says, if it is the one that gives the pack its name. */
function findTable(bytes: Buffer, id: ObjectId, toc: SalvageSources['toc']): PackTable | undefined {
  const places = [toc && bytes.subarray(toc[0], toc[0] + toc[1]), tableAtEnd(bytes)]
  for (const table of places) {
    if (table === undefined || packId(table) !== id) continue
    try {
      return decodeTable(table, table.byteOffset - bytes.byteOffset, `Pack "${id}"`)
    } catch (error) {
      // The right table in a place where it can't be.
      if (!(error instanceof ArtifactsError) || error.code !== 'ERR_DAMAGED') throw error
    }
  }
  return undefined
}

function tableAtEnd(bytes: Buffer): Buffer | undefined {
  if (bytes.length < TRAILER_BYTES) return undefined
  const trailer = bytes.length - TRAILER_BYTES
  const [offset, length] = [bytes.readUInt32LE(trailer), bytes.readUInt32LE(trailer + 4)]
  return offset + length === trailer ? bytes.subarray(offset, trailer) : undefined
}

/** The table that the records themselves give, if the pack has its name from it. */
function tableOf({ records, end }: Walked, id: ObjectId): PackTable | undefined {
  if (records.length === 0) return undefined
  const entries = Buffer.alloc(records.length * TABLE_ENTRY_BYTES)
  for (const [index, { payload, ...record }] of records.entries()) {
    encodeEntry({ ...record, checksum: xxh64(payload) }, entries, index * TABLE_ENTRY_BYTES)
  }
  const table = sortedTable(entries, records.length)
  for (let salt = 0; salt < MOST_SALTS; salt++) {
    table.writeUInt32LE(salt, 0)
    if (packId(table) === id) return decodeTable(table, end, `Pack "${id}"`)
  }
  return undefined
}

/** A pack has salt 1 when the log has dropped the one with salt 0, and so on. */
const MOST_SALTS = 16

function salvageByTable(bytes: Buffer, table: PackTable, sources: SalvageSources): Salvaged {
  const whole = sources.mayRestore ? restore(bytes, table, sources) : undefined
  if (whole !== undefined) return { whole, records: [] }
  const records = tableEntries(table).flatMap((entry) => {
    const record = soundAt(bytes, entry.offset, entry) ?? storedAt(bytes, entry)
    return record?.id.equals(entry.id) === true ? [record] : []
  })
  return { records: records.sort(byOffset) }
}

/** The bytes themselves, if there are enough: what is put right in them is right for whoever looks for records, too. */
function roomFor(bytes: Buffer, length: number): Buffer {
  if (bytes.length >= length) return bytes.subarray(0, length)
  const room = Buffer.alloc(length)
  bytes.copy(room)
  return room
}

function restore(bytes: Buffer, table: PackTable, sources: SalvageSources): Buffer | undefined {
  const whole = roomFor(bytes, table.offset + table.bytes.length + TRAILER_BYTES)
  // It may stand in the very bytes.
  const right = Buffer.from(table.bytes)
  PACK_MAGIC.copy(whole)
  right.copy(whole, table.offset)
  encodeTrailer(table.offset, right).copy(whole, table.offset + right.length)
  const entries = tableEntries(table).sort((a, b) => a.offset - b.offset)
  let end = PACK_MAGIC.length
  for (const entry of entries) {
    if (!isFilled(whole, end, entry.offset)) return undefined
    encodeRecordHeader(entry, whole, entry.offset)
    const start = entry.offset + RECORD_HEADER_BYTES
    end = start + entry.stored
    const payload = whole.subarray(start, end)
    if (isPayload(payload, entry)) continue
    const stored = [recompressed(payload, entry), sources.duplicate(entry)].find(
      (each) => each !== undefined && isPayload(each, entry),
    )
    if (stored === undefined) return undefined
    whole.set(stored, start)
  }
  return isFilled(whole, end, table.offset) ? whole : undefined
}

/** Whether these are the bytes that were stored. The table, which its name proves, has their checksum. */
function isPayload(payload: Uint8Array, entry: PackEntry): boolean {
  if (payload.length !== entry.stored || xxh64(payload) !== entry.checksum) return false
  const object = objectOf(Buffer.from(payload.buffer, payload.byteOffset, payload.length), entry)
  if (object === UNKNOWN_CODEC) return true
  return object !== undefined && objectHash(kindOf(entry.type), object).equals(entry.id)
}

/** Some bits of compressed bytes mean nothing: the object is right, and compressing it gives back what was stored. */
function recompressed(payload: Buffer, entry: PackEntry): Uint8Array | undefined {
  const object = objectOf(payload, entry)
  if (object === undefined || object === UNKNOWN_CODEC) return undefined
  const kind = kindOf(entry.type)
  return objectHash(kind, object).equals(entry.id) ? compress(object, kind).bytes : undefined
}

/** Whether nothing but records is there: objects that were written twice stand in the table once. */
function isFilled(bytes: Buffer, from: number, to: number): boolean {
  let at = from
  while (at < to) {
    const header = decodeRecordHeader(bytes, at)
    if (header === undefined) return false
    at += RECORD_HEADER_BYTES + header.stored
  }
  return at === to
}

/** Without a table: what the walk found, what the index remembers, and what somebody needs of the rest. */
function collect(bytes: Buffer, walked: Walked, sources: SalvageSources): SoundRecord[] {
  const records: SoundRecord[] = []
  const seen = new IdSet(Number.POSITIVE_INFINITY)
  const keep = (record: SoundRecord): void => {
    if (seen.add(record.id, 0)) records.push(record)
  }
  for (const record of walked.records) keep(record)
  for (const place of sources.places()) {
    const record = soundAt(bytes, place.offset, place)
    if (record?.id.equals(Buffer.from(place.id, 'hex')) === true) keep(record)
  }
  for (let at = walked.end + 1; at < bytes.length; ) {
    const header = decodeRecordHeader(bytes, at)
    const record = header && soundAt(bytes, at, header)
    if (record !== undefined && sources.isWanted(record.id)) {
      keep(record)
      at += RECORD_HEADER_BYTES + record.stored
    } else {
      const next = bytes.indexOf(RECORD_MARK, at + 1)
      at = next < 0 ? bytes.length : next
    }
  }
  return records.sort(byOffset)
}

function byOffset(a: SoundRecord, b: SoundRecord): number {
  return a.offset - b.offset
}

/** A record that this program can't decompress, and whose stored bytes are those of the table. */
function storedAt(bytes: Buffer, entry: PackEntry): SoundRecord | undefined {
  const start = entry.offset + RECORD_HEADER_BYTES
  const payload = bytes.subarray(start, start + entry.stored)
  return isPayload(payload, entry) ? { ...entry, payload } : undefined
}

const RECORD_MARK = 0xa7
