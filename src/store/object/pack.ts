/**
 * The bytes of a pack (docs/format.md section 4), without any file: record headers, the table and the trailer.
 * Whatever is decoded here was written by anybody: every length is checked before anything is read or allocated by it.
 */
import { createHash } from 'node:crypto'
import { damaged } from '../../errors.ts'
import { xxh64 } from './checksum.ts'
import { Codec } from './compression.ts'
import { CHUNK, ID_BYTES, isObjectKind, type ObjectKind } from './id.ts'

export const PACK_MAGIC: Buffer = Buffer.from('ARTPACK1')
const END_MAGIC = Buffer.from('ARTPEND1')

export const MAX_PACK_BYTES = 67_108_864
export const RECORD_HEADER_BYTES = 10
/** Salt and count, before the entries of a table. */
export const TABLE_HEADER_BYTES = 8
export const TABLE_ENTRY_BYTES: number = ID_BYTES + 21
export const TRAILER_BYTES = 24

const RECORD_MARK = 0xa7
const MAX_CHUNK_BYTES = 2 << 20
const MAX_METADATA_BYTES = 4 << 20

/** Lengths in bytes. */
export interface RecordHeader {
  /** Kind and codec in one byte: `recordType`. */
  readonly type: number
  /** Length of the payload as it is stored. */
  readonly stored: number
  /** Length of the object itself. */
  readonly raw: number
}

/** What a table says of one object. */
export interface PackEntry extends RecordHeader {
  /** 32 bytes. */
  readonly id: Buffer
  /** Of the record's first byte in the pack. */
  readonly offset: number
  /** xxHash64 of the payload. */
  readonly checksum: bigint
}

/** A table that has passed every check. */
export interface PackTable {
  /** The table as it stands in the pack. */
  readonly bytes: Buffer
  /** Where it stands in the pack. */
  readonly offset: number
  readonly salt: number
  readonly count: number
}

export interface Trailer {
  readonly tableOffset: number
  readonly tableLength: number
  readonly checksum: bigint
}

export function recordType(kind: ObjectKind, codec: Codec): number {
  return (kind << 4) | codec
}

/** The kind of object in a record that was read by this module. */
export function kindOf(type: number): ObjectKind {
  return (type >> 4) as ObjectKind
}

/** A `Codec`, or a number that only a newer version knows. */
export function codecOf(type: number): number {
  return type & 0x0f
}

/** The longest object of a kind, in bytes. */
export function maxRawLength(kind: ObjectKind): number {
  return kind === CHUNK ? MAX_CHUNK_BYTES : MAX_METADATA_BYTES
}

/** Whether a record can have this type and these lengths. */
export function isPossible({ type, stored, raw }: RecordHeader): boolean {
  const kind = type >> 4
  if (!isObjectKind(kind)) return false
  const max = maxRawLength(kind)
  return raw <= max && stored <= max && (codecOf(type) !== Codec.none || stored === raw)
}

export function encodeRecordHeader(record: RecordHeader, into: Buffer, at: number): void {
  into[at] = RECORD_MARK
  into[at + 1] = record.type
  into.writeUInt32LE(record.stored, at + 2)
  into.writeUInt32LE(record.raw, at + 6)
}

/** The record header at `at`, or undefined where none can be. */
export function decodeRecordHeader(bytes: Buffer, at = 0): RecordHeader | undefined {
  if (bytes.length - at < RECORD_HEADER_BYTES || bytes[at] !== RECORD_MARK) return undefined
  const header = {
    type: bytes[at + 1] as number,
    stored: bytes.readUInt32LE(at + 2),
    raw: bytes.readUInt32LE(at + 6),
  }
  return isPossible(header) ? header : undefined
}

/** Writes an entry of a table. */
export function encodeEntry(
  entry: Omit<PackEntry, 'id'> & { id: Uint8Array },
  into: Buffer,
  at: number,
): void {
  into.set(entry.id, at)
  into.writeUInt32LE(entry.offset, at + 32)
  into.writeUInt32LE(entry.stored, at + 36)
  into.writeUInt32LE(entry.raw, at + 40)
  into[at + 44] = entry.type
  into.writeBigUInt64LE(entry.checksum, at + 45)
}

/** The entry number `index` of a table; its id is a view of the table. */
export function tableEntry({ bytes }: PackTable, index: number): PackEntry {
  const at = entryOffset(index)
  return {
    id: bytes.subarray(at, at + ID_BYTES),
    offset: bytes.readUInt32LE(at + 32),
    stored: bytes.readUInt32LE(at + 36),
    raw: bytes.readUInt32LE(at + 40),
    type: bytes[at + 44] as number,
    checksum: bytes.readBigUInt64LE(at + 45),
  }
}

/** All entries of a table, ordered by id. */
export function tableEntries(table: PackTable): PackEntry[] {
  return Array.from({ length: table.count }, (_, index) => tableEntry(table, index))
}

/** A pack's name: the SHA-256 of its table. */
export function packId(table: Uint8Array): string {
  return createHash('sha256').update(table).digest('hex')
}

export function encodeTrailer(tableOffset: number, table: Uint8Array): Buffer {
  const bytes = Buffer.alloc(TRAILER_BYTES)
  bytes.writeUInt32LE(tableOffset, 0)
  bytes.writeUInt32LE(table.length, 4)
  bytes.writeBigUInt64LE(xxh64(table), 8)
  END_MAGIC.copy(bytes, 16)
  return bytes
}

/**
 * Reads the trailer of a pack of `packBytes` bytes. `name` begins the message when it is refused.
 * @throws ArtifactsError `ERR_DAMAGED`
 */
export function decodeTrailer(bytes: Buffer, packBytes: number, name: string): Trailer {
  if (bytes.length !== TRAILER_BYTES || !bytes.subarray(16).equals(END_MAGIC)) {
    throw damaged(`${name} has no end`)
  }
  const tableOffset = bytes.readUInt32LE(0)
  const tableLength = bytes.readUInt32LE(4)
  const isPlaced =
    packBytes <= MAX_PACK_BYTES &&
    tableOffset >= PACK_MAGIC.length &&
    tableLength >= TABLE_HEADER_BYTES &&
    tableOffset + tableLength + TRAILER_BYTES === packBytes
  if (!isPlaced) throw damaged(`${name} is not as long as its end says`)
  return { tableOffset, tableLength, checksum: bytes.readBigUInt64LE(8) }
}

/**
 * Checks a table that stands at `offset` of its pack: its order, and that every record can lie where it says, apart
 * from the others. What the bytes hash to is for the caller to compare.
 * @throws ArtifactsError `ERR_DAMAGED`
 */
export function decodeTable(bytes: Buffer, offset: number, name: string): PackTable {
  const refuse = (reason: string): never => {
    throw damaged(`${name} has a table in which ${reason}`)
  }
  if (bytes.length < TABLE_HEADER_BYTES) refuse('nothing stands')
  const table = { bytes, offset, salt: bytes.readUInt32LE(0), count: bytes.readUInt32LE(4) }
  if (bytes.length !== entryOffset(table.count)) refuse(`${table.count} entries do not fit`)
  const spans = new Float64Array(table.count)
  for (let index = 0; index < table.count; index++) {
    const at = entryOffset(index)
    if (index > 0 && compareIds(bytes, entryOffset(index - 1), at) >= 0) refuse('ids do not grow')
    const { offset: start, stored, raw, type } = tableEntry(table, index)
    if (!isPossible({ type, stored, raw })) refuse('a record has lengths that it can not have')
    const length = RECORD_HEADER_BYTES + stored
    if (start < PACK_MAGIC.length || start + length > offset) refuse('a record lies outside')
    // Both numbers in one, so that the native sort orders the records: 26 and 23 bits.
    spans[index] = start * 2 ** 23 + length
  }
  let end = 0
  for (const span of spans.sort()) {
    const start = Math.floor(span / 2 ** 23)
    if (start < end) refuse('records overlap')
    end = start + (span % 2 ** 23)
  }
  return table
}

/** Where entry number `index` of a table begins. */
export function entryOffset(index: number): number {
  return TABLE_HEADER_BYTES + index * TABLE_ENTRY_BYTES
}

function compareIds(bytes: Buffer, a: number, b: number): number {
  return bytes.compare(bytes, b, b + ID_BYTES, a, a + ID_BYTES)
}
