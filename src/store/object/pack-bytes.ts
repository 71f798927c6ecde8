/**
 * Looks over every byte of a pack that came from somebody: its table, that records stand one after another and nothing
 * between them, and of each record the checksum and, decompressed, the id. Stricter than `checkPack`, which tells what can
 * still be read: here anything that is not as it should be is damage.
 */
import { damaged } from '../../errors.ts'
import { xxh64 } from './checksum.ts'
import { decompress } from './compression.ts'
import { objectHash } from './id.ts'
import {
  codecOf,
  decodeRecordHeader,
  decodeTable,
  decodeTrailer,
  kindOf,
  PACK_MAGIC,
  type PackEntry,
  type PackTable,
  packId,
  RECORD_HEADER_BYTES,
  TRAILER_BYTES,
  tableEntries,
} from './pack.ts'

/**
 * Checks a whole pack and returns its table. `name` begins each message.
 * @throws ArtifactsError ERR_DAMAGED, ERR_UNSUPPORTED for a codec that this program or this Node does not have
 */
export function checkPackBytes(bytes: Buffer, id: string, name: string): PackTable {
  const table = tableOf(bytes, id, name)
  let at = PACK_MAGIC.length
  for (const entry of tableEntries(table).sort((a, b) => a.offset - b.offset)) {
    if (entry.offset !== at) throw damaged(`${name} has bytes that belong to no record, at ${at}`)
    checkRecord(bytes, entry, name)
    at += RECORD_HEADER_BYTES + entry.stored
  }
  if (at !== table.offset) throw damaged(`${name} has bytes that belong to no record, at ${at}`)
  return table
}

function tableOf(bytes: Buffer, id: string, name: string): PackTable {
  const hasMagic = bytes.subarray(0, PACK_MAGIC.length).equals(PACK_MAGIC)
  if (!hasMagic || bytes.length < PACK_MAGIC.length + TRAILER_BYTES) {
    throw damaged(`${name} is no pack`)
  }
  const end = bytes.subarray(bytes.length - TRAILER_BYTES)
  const { tableOffset, tableLength, checksum } = decodeTrailer(end, bytes.length, name)
  const table = bytes.subarray(tableOffset, tableOffset + tableLength)
  if (packId(table) !== id || xxh64(table) !== checksum) {
    throw damaged(`${name} is not the one of that name`)
  }
  return decodeTable(table, tableOffset, name)
}

function checkRecord(bytes: Buffer, entry: PackEntry, name: string): void {
  const { offset, type, stored, raw, id, checksum } = entry
  const header = decodeRecordHeader(bytes, offset)
  if (header?.type !== type || header.stored !== stored || header.raw !== raw) {
    throw damaged(`${name} has a record at ${offset} that is not as its table says`)
  }
  const from = offset + RECORD_HEADER_BYTES
  const payload = bytes.subarray(from, from + stored)
  const isRight =
    xxh64(payload) === checksum &&
    objectHash(kindOf(type), decompress(codecOf(type), payload, raw)).equals(id)
  if (!isRight) throw damaged(`${name} has other bytes at ${offset} than their name says`)
}
