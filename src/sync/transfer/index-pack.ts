/**
 * Index packs (docs/remote.md section 5): the tables of the packs that join a remote with one operation, as chunks of a
 * pack of their own. A pack's id is the hash of its table, so a table is found in there under the id of its pack: who has
 * read the index packs knows where every object is, and has asked for nothing else.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { damaged, isSystemError } from '../../errors.ts'
import type { Io } from '../../store/io/io.ts'
import { temporaryName } from '../../store/layout.ts'
import type { JoiningPack } from '../../store/log/operation.ts'
import { compress, decompress } from '../../store/object/compression.ts'
import { CHUNK, chunkHash, ID_BYTES, readId } from '../../store/object/id.ts'
import {
  codecOf,
  decodeRecordHeader,
  decodeTable,
  decodeTrailer,
  kindOf,
  maxRawLength,
  PACK_MAGIC,
  type PackEntry,
  type PackTable,
  packId,
  RECORD_HEADER_BYTES,
  TRAILER_BYTES,
  tableEntries,
} from '../../store/object/pack.ts'
import { PackWriter } from '../../store/object/pack-writer.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ObjectId } from '../../types.ts'
import { type Backend, type RequestOptions, readAll } from '../backend.ts'
import { packName } from '../put-pack.ts'

/** A table longer than this is read from its pack. */
export const MAX_INDEXED_TABLE: number = maxRawLength(CHUNK)

/** What the log says of a pack, as far as it is needed to find its table. */
export type NamedPack = Pick<JoiningPack, 'id' | 'bytes' | 'toc' | 'sha256'>

/** A written index pack, under a temporary name. */
export interface IndexPack extends JoiningPack {
  readonly path: string
  readonly table: Buffer
}

/**
 * Reads an index pack of a remote and returns the tables of those of `packs` whose tables it has, by the ids of the packs.
 * @throws ArtifactsError ERR_DAMAGED for anything that is not as its names say, ERR_NOT_FOUND where the pack is gone.
 */
export async function readIndexPack(
  backend: Backend,
  pack: NamedPack,
  packs: Iterable<NamedPack>,
  options: RequestOptions = {},
): Promise<Map<ObjectId, PackTable>> {
  return new Map(tablesIn(await readWholePack(backend, pack, options), pack, packs))
}

/**
 * The tables of those of `packs` whose tables stand in the index pack `bytes`, one after another. What else it holds is
 * not looked at, so that nobody pays for more than the log has named.
 * @throws ArtifactsError ERR_DAMAGED
 */
export function* tablesIn(
  bytes: Buffer,
  pack: NamedPack,
  packs: Iterable<NamedPack>,
): Generator<[pack: ObjectId, table: PackTable]> {
  const wanted = new Map<string, NamedPack>()
  for (const each of packs) wanted.set(each.id, each)
  for (const entry of tableEntries(tableOf(bytes, pack))) {
    const named = wanted.get(readId(entry.id))
    if (named === undefined) continue
    const [offset, length] = named.toc
    if (entry.raw !== length) throw refused(named.id, 'has a table of another length')
    yield [named.id, decodeTable(chunkAt(bytes, entry), offset, `Pack "${named.id}"`)]
  }
}

/**
 * Reads a list of packs that a `closure` names (`closure.list`), from the pack that holds it.
 * @throws ArtifactsError ERR_DAMAGED where it is not there or is no list.
 */
export async function readClosureList(
  backend: Backend,
  pack: NamedPack,
  list: ObjectId,
  options: RequestOptions = {},
): Promise<ObjectId[]> {
  const bytes = await readWholePack(backend, pack, options)
  const id = Buffer.from(list, 'hex')
  const entry = tableEntries(tableOf(bytes, pack)).find((each) => each.id.equals(id))
  if (entry === undefined) throw refused(pack.id, `does not hold the list "${list}"`)
  return decodeClosureList(chunkAt(bytes, entry), list)
}

/** Reads the bytes of a list: ids of 32 bytes, ascending. */
export function decodeClosureList(bytes: Buffer, list: ObjectId): ObjectId[] {
  const ids: ObjectId[] = []
  for (let at = 0; at + ID_BYTES <= bytes.length; at += ID_BYTES) ids.push(readId(bytes, at))
  const isOrdered = ids.every((id, index) => index === 0 || (ids[index - 1] as string) < id)
  if (bytes.length % ID_BYTES !== 0 || ids.length === 0 || !isOrdered) {
    throw damaged(`The list of packs "${list}" is no list of ids in ascending order.`)
  }
  return ids
}

/** The bytes of a list of packs, and its id. */
export function encodeClosureList(packs: Iterable<ObjectId>): { id: ObjectId; bytes: Buffer } {
  const bytes = Buffer.from([...packs].sort().join(''), 'hex')
  return { id: readId(chunkHash(bytes)), bytes }
}

/**
 * Reads one pack's table out of the pack itself: where no index pack has it.
 * @throws ArtifactsError as `readIndexPack`
 */
export async function readRemoteTable(
  backend: Backend,
  pack: NamedPack,
  options: RequestOptions = {},
): Promise<PackTable> {
  const [start, length] = pack.toc
  const range = { start, end: start + length }
  const bytes = await readAll(backend, packName(pack.id), { ...options, range, most: length })
  if (packId(bytes) !== pack.id) throw refused(pack.id, 'has another table than its name says')
  return decodeTable(bytes, start, `Pack "${pack.id}"`)
}

/** Writes index packs into `tmp/`: nearly always one, more where the tables are longer than a pack is. */
export class IndexPackWriter {
  readonly #store: OpenedStore
  readonly #isTaken: (id: string) => boolean
  readonly #seen = new Set<ObjectId>()
  readonly #packs: Promise<IndexPack>[] = []
  #writer: PackWriter | undefined
  #path = ''

  /** @param isTaken true for ids that a new pack must not have: those that the receiver dropped. */
  constructor(store: OpenedStore, isTaken: (id: string) => boolean) {
    this.#store = store
    this.#isTaken = isTaken
  }

  /** Adds a table or a list of packs; one that is too long for a chunk is left out. */
  add(bytes: Uint8Array): void {
    if (bytes.length > MAX_INDEXED_TABLE) return
    const id = chunkHash(bytes)
    if (this.#seen.has(readId(id))) return
    this.#seen.add(readId(id))
    const { codec, bytes: stored } = compress(bytes, CHUNK)
    if (this.#writer?.fits(stored.length) === false) this.#end()
    const writer = this.#open()
    writer.append({ kind: CHUNK, id, codec, stored, rawLength: bytes.length })
  }

  /** Ends the packs; each is a file of the given path, to be removed by the caller. */
  async finish(): Promise<IndexPack[]> {
    this.#end()
    const packs = await Promise.all(this.#packs)
    this.#packs.length = 0
    return packs
  }

  /** Removes what was not finished. */
  async abort(): Promise<void> {
    this.#writer?.abort()
    this.#writer = undefined
    for (const ended of await Promise.allSettled(this.#packs)) {
      if (ended.status === 'fulfilled') removeIfThere(this.#store.io, ended.value.path)
    }
  }

  #open(): PackWriter {
    if (this.#writer === undefined) {
      const { io, layout } = this.#store
      this.#path = join(layout.tmp, temporaryName())
      this.#writer = new PackWriter(io, this.#path)
    }
    return this.#writer
  }

  #end(): void {
    const writer = this.#writer
    if (writer === undefined) return
    this.#writer = undefined
    const ending = this.#endOf(writer, this.#path)
    // A failure is met again by `finish`; until then it must not end the process.
    ending.catch(() => {})
    this.#packs.push(ending)
  }

  async #endOf(writer: PackWriter, path: string): Promise<IndexPack> {
    try {
      const { id, bytes, toc, table } = await writer.finish(this.#isTaken)
      return { id: id as ObjectId, bytes, kind: 'index', toc, table, path }
    } catch (error) {
      writer.abort()
      throw error
    }
  }
}

/** A whole pack of a remote in memory, as long as the log says and with the hash it says. */
async function readWholePack(
  backend: Backend,
  pack: NamedPack,
  options: RequestOptions,
): Promise<Buffer> {
  const bytes = await readAll(backend, packName(pack.id), { ...options, most: pack.bytes })
  if (bytes.length !== pack.bytes) throw refused(pack.id, 'has another length than the log says')
  const { sha256 } = pack
  if (sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw refused(pack.id, 'has other bytes than the log says')
  }
  return bytes
}

/** The table of a pack that is in memory. */
function tableOf(bytes: Buffer, { id }: NamedPack): PackTable {
  const name = `Pack "${id}"`
  if (!bytes.subarray(0, PACK_MAGIC.length).equals(PACK_MAGIC)) throw refused(id, 'is no pack')
  const end = bytes.subarray(Math.max(bytes.length - TRAILER_BYTES, 0))
  const { tableOffset, tableLength } = decodeTrailer(end, bytes.length, name)
  const table = bytes.subarray(tableOffset, tableOffset + tableLength)
  if (packId(table) !== id) throw refused(id, 'has another table than its name says')
  return decodeTable(table, tableOffset, name)
}

/** A chunk of a pack that is in memory, verified by its id. */
function chunkAt(bytes: Buffer, { id, offset, type, stored, raw }: PackEntry): Buffer {
  const header = decodeRecordHeader(bytes, offset)
  const isSame = header?.type === type && header.stored === stored && header.raw === raw
  const from = offset + RECORD_HEADER_BYTES
  const payload = bytes.subarray(from, from + stored)
  const chunk = isSame && kindOf(type) === CHUNK ? decompress(codecOf(type), payload, raw) : payload
  if (!isSame || !chunkHash(chunk).equals(id)) {
    throw damaged(`Chunk "${readId(id)}" of an index pack has other bytes than its name says.`)
  }
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
}

function removeIfThere(io: Io, path: string): void {
  try {
    io.unlink(path)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}

function refused(pack: ObjectId, reason: string): Error {
  return damaged(`Pack "${pack}" of the remote ${reason}.`)
}
