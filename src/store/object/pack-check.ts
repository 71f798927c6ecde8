/**
 * Looks a whole pack over: its size, its table, the header of every record, that no byte lies between records, and on
 * request every payload, by its checksum and by its id. Read from front to end, with few large reads.
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { ArtifactsError, damaged, isSystemError } from '../../errors.ts'
import { xxh64 } from './checksum.ts'
import { decompress } from './compression.ts'
import { ID_BYTES, objectHash } from './id.ts'
import {
  codecOf,
  decodeRecordHeader,
  entryOffset,
  kindOf,
  PACK_MAGIC,
  type PackEntry,
  type PackTable,
  RECORD_HEADER_BYTES,
  tableEntry,
} from './pack.ts'
import { readTable } from './pack-reader.ts'
import { WindowReader } from './window-reader.ts'

export interface PackFindings {
  /** Why nothing in it can be read: it is missing, or its table or size is not as it was. */
  readonly problem?: string
  readonly state: 'present' | 'missing' | 'damaged'
  /** Records that can't be read. */
  readonly bad: readonly BadRecord[]
  /** Places that are not as they were written, although every object can be read. */
  readonly blemishes: readonly string[]
  readonly records: number
  /** Of payloads that were read. */
  readonly bytes: number
  /** Of the whole file, where it was asked for. */
  readonly sha256?: string
}

export interface BadRecord {
  /** 32 bytes. */
  readonly id: Uint8Array
  readonly offset: number
  readonly reason: string
}

export interface CheckPackOptions {
  /** The length that the log says, where it does. */
  readonly bytes: number | undefined
  /** Whether payloads are read too, and are what their ids say. */
  readonly data: boolean
  /** Whether payloads are read at least to see that their checksums are right. */
  readonly checksums?: boolean
  readonly sha256?: boolean
  /** The pack's id, where the file is not called by it yet. */
  readonly id?: string
  /** Payloads that can't be decompressed here are bad: nobody would know what is in them. */
  readonly readable?: boolean
}

/** Checks a pack; throws only what says nothing about it, such as ENOMEM. */
export function checkPack(path: string, options: CheckPackOptions): PackFindings {
  const none = { bad: [], blemishes: [], records: 0, bytes: 0 }
  try {
    const table = readTable(path, options.id)
    return withFile(path, (fd) => {
      const size = fstatSync(fd).size
      const problem = `is ${size} bytes long, where the log says ${options.bytes}`
      if (size !== (options.bytes ?? size)) return { ...none, state: 'damaged', problem }
      const findings = checkRecords(new WindowReader(fd, table.offset), table, options)
      return options.sha256 === true ? { ...findings, sha256: hashOf(fd, size) } : findings
    })
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return { ...none, state: 'missing', problem: 'is missing' }
    if (isSystemError(error, 'EIO', 'EISDIR')) {
      return { ...none, state: 'damaged', problem: `can't be read (${error.code})` }
    }
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_DAMAGED') throw error
    return { ...none, state: 'damaged', problem: withoutName(error.message, path) }
  }
}

const PIECE_BYTES = 1 << 20

function checkRecords(
  reader: WindowReader,
  table: PackTable,
  options: CheckPackOptions,
): PackFindings {
  const bad: BadRecord[] = []
  const blemishes: string[] = []
  let bytes = 0
  let end = PACK_MAGIC.length
  for (const index of byOffset(table)) {
    const entry = tableEntry(table, index)
    if (!isFilled(reader, end, entry.offset)) {
      blemishes.push(`bytes ${end} to ${entry.offset} belong to no record`)
    }
    end = entry.offset + RECORD_HEADER_BYTES + entry.stored
    const reads = options.data || options.checksums === true
    const reason =
      headerFault(reader, entry) ?? (reads ? payloadFault(reader, entry, options) : undefined)
    if (reads) bytes += entry.stored
    if (reason === undefined) continue
    if (reason === HARMLESS) blemishes.push(`record at ${entry.offset}: ${reason}`)
    else bad.push({ id: Uint8Array.from(entry.id), offset: entry.offset, reason })
  }
  if (!isFilled(reader, end, table.offset)) {
    blemishes.push(`bytes ${end} to ${table.offset} belong to no record`)
  }
  return { state: 'present', bad, blemishes, records: table.count, bytes }
}

const HARMLESS = 'its stored bytes changed, but stand for the same object'

function headerFault(reader: WindowReader, entry: PackEntry): string | undefined {
  const bytes = reader.read(entry.offset, RECORD_HEADER_BYTES)
  const header = bytes && decodeRecordHeader(bytes)
  const fits =
    header?.type === entry.type && header.stored === entry.stored && header.raw === entry.raw
  return fits ? undefined : 'its header is not as the table says'
}

function payloadFault(
  reader: WindowReader,
  entry: PackEntry,
  { data, readable = false }: CheckPackOptions,
): string | undefined {
  const payload = reader.read(entry.offset + RECORD_HEADER_BYTES, entry.stored)
  if (payload === undefined) return 'the pack ends before it'
  const isAsStored = xxh64(payload) === entry.checksum
  if (!data) return isAsStored ? undefined : 'its checksum is wrong'
  try {
    const raw = decompress(codecOf(entry.type), payload, entry.raw)
    if (!objectHash(kindOf(entry.type), raw).equals(entry.id)) {
      return 'it has other bytes than its name says'
    }
    return isAsStored ? undefined : HARMLESS
  } catch (error) {
    if (!(error instanceof ArtifactsError)) throw error
    // What this program can't decompress it can't hash; the checksum still tells.
    if (error.code === 'ERR_UNSUPPORTED' && !readable)
      return isAsStored ? undefined : 'its checksum is wrong'
    return error.message
  }
}

/** Whether [from, to) holds records and nothing else: an object that was written twice stands in the table once. */
function isFilled(reader: WindowReader, from: number, to: number): boolean {
  let at = from
  while (at < to) {
    const bytes = reader.read(at, RECORD_HEADER_BYTES)
    const header = bytes && decodeRecordHeader(bytes)
    if (header === undefined) return false
    at += RECORD_HEADER_BYTES + header.stored
  }
  return at === to
}

/** The numbers of a table's entries in the order of their records. */
function byOffset({ bytes, count }: PackTable): Uint32Array {
  // Offsets have 26 bits, numbers 21: both in one float, so that the native sort does it.
  const keys = new Float64Array(count)
  for (let index = 0; index < count; index++) {
    keys[index] = bytes.readUInt32LE(entryOffset(index) + ID_BYTES) * 2 ** 21 + index
  }
  return Uint32Array.from(keys.sort(), (key) => key % 2 ** 21)
}

function hashOf(fd: number, size: number): string {
  const hash = createHash('sha256')
  const reader = new WindowReader(fd, size)
  for (let at = 0; at < size; at += PIECE_BYTES) {
    const piece = reader.read(at, Math.min(PIECE_BYTES, size - at))
    if (piece === undefined) throw damaged('It has become shorter')
    hash.update(piece)
  }
  return hash.digest('hex')
}

function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r')
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}

/** A message about a pack, for a list in which its name stands already. */
function withoutName(message: string, path: string): string {
  const name = `Pack "${path}" `
  return message.startsWith(name) ? message.slice(name.length) : message
}
