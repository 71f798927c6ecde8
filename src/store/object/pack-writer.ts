/**
 * Writes one pack: records go through a buffer into a temporary file, the table is kept in memory (53 bytes a record)
 * and ends the file. The pack's name is known only then, so giving it that name is a step of its own (`publish`).
 */
import type { Io } from '../io/io.ts'
import { xxh64 } from './checksum.ts'
import type { Codec } from './compression.ts'
import { CHUNK, ID_BYTES, type ObjectKind } from './id.ts'
import {
  encodeEntry,
  encodeRecordHeader,
  encodeTrailer,
  entryOffset,
  isPossible,
  MAX_PACK_BYTES,
  PACK_MAGIC,
  packId,
  RECORD_HEADER_BYTES,
  recordType,
  TABLE_ENTRY_BYTES,
  TRAILER_BYTES,
} from './pack.ts'

/** A record to be written. */
export interface NewRecord {
  readonly kind: ObjectKind
  /** 32 bytes. */
  readonly id: Uint8Array
  readonly codec: Codec
  /** The payload. */
  readonly stored: Uint8Array
  /** The object's own length in bytes. */
  readonly rawLength: number
}

/** A pack whose bytes are durable under its temporary name. */
export interface FinishedPack {
  readonly id: string
  /** Length of the file. */
  readonly bytes: number
  readonly kind: 'data' | 'meta' | 'mixed'
  /** Where its table lies. */
  readonly toc: readonly [offset: number, length: number]
  /** That table; `decodeTable` reads it. */
  readonly table: Buffer
}

/** Records wait for one write of this size; larger payloads are written as they come, without being copied. */
const BUFFER_BYTES = 1 << 20
const DIRECT_BYTES = 256 << 10

export class PackWriter {
  readonly #io: Io
  readonly #path: string
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #buffered = 0
  /** Where the next record begins in the file. */
  #offset = 0
  #entries = Buffer.allocUnsafe(64 * TABLE_ENTRY_BYTES)
  #count = 0
  #chunks = 0
  #fd: number | undefined
  #exists = false

  /** @param path a new name in `tmp/`; the file is made when the first bytes are written. */
  constructor(io: Io, path: string) {
    this.#io = io
    this.#path = path
    this.#write(PACK_MAGIC)
  }

  /** Records so far. */
  get count(): number {
    return this.#count
  }

  /** Where the next record begins. */
  get offset(): number {
    return this.#offset
  }

  /** Length of the file if it ended now. */
  get bytes(): number {
    return this.#offset + entryOffset(this.#count) + TRAILER_BYTES
  }

  /** Whether a record whose payload has this length still fits. One of any kind fits into an empty pack. */
  fits(storedLength: number): boolean {
    return this.bytes + RECORD_HEADER_BYTES + storedLength + TABLE_ENTRY_BYTES <= MAX_PACK_BYTES
  }

  /** Hands what was appended to the file, so that it can be read there. */
  flush(): void {
    this.#flush()
  }

  /** Appends a record that fits. After an error nothing but `abort` is left to do. */
  append(record: NewRecord): void {
    const { kind, codec, id, stored, rawLength } = record
    const entry = {
      type: recordType(kind, codec),
      stored: stored.length,
      raw: rawLength,
      id,
      offset: this.#offset,
      checksum: xxh64(stored),
    }
    if (!isPossible(entry))
      throw new Error(`No pack can hold a payload of ${stored.length} bytes for ${rawLength}.`)
    if (!this.fits(stored.length)) throw new Error('The record does not fit into this pack.')
    const at = this.#count * TABLE_ENTRY_BYTES
    if (at === this.#entries.length) this.#entries = Buffer.concat([this.#entries], at * 2)
    encodeEntry(entry, this.#entries, at)
    if (this.#buffered + RECORD_HEADER_BYTES > BUFFER_BYTES) this.#flush()
    encodeRecordHeader(entry, this.#buffer, this.#buffered)
    this.#buffered += RECORD_HEADER_BYTES
    this.#offset += RECORD_HEADER_BYTES
    this.#write(stored)
    this.#count++
    if (kind === CHUNK) this.#chunks++
  }

  /**
   * Writes table and trailer and makes the file durable, while other packs are being filled.
   * @param isDropped whether the log dropped a pack of this id: then the next salt gives another one.
   */
  async finish(isDropped: (id: string) => boolean = () => false): Promise<FinishedPack> {
    if (this.#count === 0) throw new Error('A pack has at least one record.')
    const table = sortedTable(this.#entries, this.#count)
    let id = packId(table)
    for (let salt = 1; isDropped(id); salt++) {
      table.writeUInt32LE(salt, 0)
      id = packId(table)
    }
    const tableOffset = this.#offset
    this.#write(table)
    this.#write(encodeTrailer(tableOffset, table))
    const bytes = this.#offset
    this.#flush()
    const fd = this.#open()
    // Taken out first, so that `abort` never closes it under the sync.
    this.#fd = undefined
    try {
      await this.#io.fdatasyncAsync(fd)
    } finally {
      this.#io.close(fd)
    }
    const kind = this.#chunks === 0 ? 'meta' : this.#chunks === this.#count ? 'data' : 'mixed'
    return { id, bytes, kind, toc: [tableOffset, table.length], table }
  }

  /** Gives the pack up and removes its file. Not after `publish`. */
  abort(): void {
    const fd = this.#fd
    this.#fd = undefined
    if (fd !== undefined) this.#io.close(fd)
    if (!this.#exists) return
    this.#exists = false
    this.#io.unlink(this.#path)
  }

  #write(bytes: Uint8Array): void {
    this.#offset += bytes.length
    if (this.#buffered + bytes.length > BUFFER_BYTES || bytes.length >= DIRECT_BYTES) {
      this.#flush()
      if (bytes.length >= DIRECT_BYTES) {
        this.#io.writeAll(this.#open(), bytes)
        return
      }
    }
    this.#buffer.set(bytes, this.#buffered)
    this.#buffered += bytes.length
  }

  #flush(): void {
    if (this.#buffered === 0) return
    this.#io.writeAll(this.#open(), this.#buffer.subarray(0, this.#buffered))
    this.#buffered = 0
  }

  #open(): number {
    if (this.#fd === undefined) {
      this.#fd = this.#io.open(this.#path, 'wx')
      this.#exists = true
    }
    return this.#fd
  }
}

/**
 * Moves a finished pack from its temporary to its final name. A pack that has the name already has the same bytes, or
 * would have them if nothing had damaged it, so it is replaced. The name is durable when its directory is synced.
 */
export function publish(io: Io, from: string, to: string): void {
  io.rename(from, to)
}

/** The table with salt 0 of entries in any order: by id; of an id that was written twice, the first. */
export function sortedTable(entries: Buffer, count: number): Buffer {
  // The id's first 31 bits above the number, in one float each: the native sort is 20 times faster than comparing ids.
  const keys = new Float64Array(count)
  for (let index = 0; index < count; index++) {
    keys[index] = (entries.readUInt32BE(index * TABLE_ENTRY_BYTES) >>> 1) * 2 ** 21 + index
  }
  const order = Uint32Array.from(keys.sort(), (key) => (key % 2 ** 21) * TABLE_ENTRY_BYTES)
  const table = Buffer.alloc(entryOffset(count))
  let used = 0
  for (let index = 0; index < count; index++) {
    const entry = order[index] as number
    // Ids that begin alike are rare and few: they find their place by insertion.
    let at = used
    let difference = 1
    for (; at > 0; at--) {
      const before = entryOffset(at - 1)
      difference = entries.compare(table, before, before + ID_BYTES, entry, entry + ID_BYTES)
      if (difference >= 0) break
    }
    if (difference === 0 && at > 0) continue
    table.copyWithin(entryOffset(at + 1), entryOffset(at), entryOffset(used))
    entries.copy(table, entryOffset(at), entry, entry + TABLE_ENTRY_BYTES)
    used++
  }
  table.writeUInt32LE(used, 4)
  return table.subarray(0, entryOffset(used))
}
