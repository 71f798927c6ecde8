/**
 * Where received bytes wait, in a folder of their own under `quarantine/`, until all that was asked for is there. Whole
 * packs are files of their own, read through once by the workers before anything in them counts; single records go, each
 * verified, into new packs. Packs that were verified outlive a process that ended or failed before it was through:
 * the next one that needs them finds them.
 */
import { closeSync, fstatSync, lstatSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { removeTree } from '../../store/checkout/staging.ts'
import type { Location } from '../../store/index/objects.ts'
import { type LazyPool, lazyPool } from '../../store/ingest/lazy-pool.ts'
import { workerCount } from '../../store/ingest/pool.ts'
import { isDeadHere, packPath, temporaryName } from '../../store/layout.ts'
import type { JoiningPack } from '../../store/log/operation.ts'
import { Codec, isReadable } from '../../store/object/compression.ts'
import { CHUNK, ID_BYTES, type ObjectKind, VERSION } from '../../store/object/id.ts'
import {
  codecOf,
  decodeRecordHeader,
  entryOffset,
  kindOf,
  type PackEntry,
  type PackTable,
  RECORD_HEADER_BYTES,
  recordType,
  tableEntries,
  tableEntry,
} from '../../store/object/pack.ts'
import { readObject, readTable, type StoredObject } from '../../store/object/pack-reader.ts'
import { PackWriter, publish } from '../../store/object/pack-writer.ts'
import { WindowReader } from '../../store/object/window-reader.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ObjectId } from '../../types.ts'
import { remoteDamaged } from './errors.ts'

/** A pack that lies in the inbox, every byte of it verified. */
interface SoundPack {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/** A record in a pack that is being written. */
interface OwnRecord {
  readonly pack: OwnPack
  readonly object: StoredObject
}

interface OwnPack {
  readonly path: string
  readonly writer: PackWriter
}

/** Whether the object whose id stands at `offset` was asked for. */
export type IsWanted = (ids: Uint8Array, offset: number) => boolean

export interface VersionBytes {
  readonly id: ObjectId
  readonly bytes: Buffer
}

/** A folder that another process, or an attempt that failed, left behind with packs that were verified. */
const LEFT = /^left-[0-9a-f]{16}/
/** Received packs that are smaller, or of which less was asked for, do not join as they are. */
const WHOLE_PACK_BYTES = 1 << 20
const WHOLE_SHARE = 0.6
/** Up to here, data and metadata go into one pack. */
const MIXED_BYTES = 1 << 20
/** A pack that stands for more bytes than so many for each of its own, and than these, is not unpacked as a whole. */
const MOST_EXPANSION = 64
const FREE_EXPANSION = 256 << 20

export class Inbox {
  /** Of payloads and packs that came. */
  bytes = 0
  readonly #store: OpenedStore
  readonly #folder: string
  readonly #pool: LazyPool
  readonly #sound = new Map<ObjectId, SoundPack>()
  readonly #records = new Map<ObjectId, OwnRecord>()
  readonly #isTaken: (id: string) => boolean
  #left: Map<ObjectId, string> | undefined
  #mixed: OwnPack | undefined
  #data: OwnPack | undefined
  #meta: OwnPack | undefined
  /** Packs that are being written, or full. */
  readonly #open = new Set<OwnPack>()
  #isMade = false

  constructor(store: OpenedStore, jobs: number | undefined) {
    this.#store = store
    const { layout, io, index } = store
    this.#folder = join(layout.quarantine, temporaryName())
    this.#isTaken = (id) => index.state.isDropped(id as ObjectId)
    const { durability } = io
    const decide = (): never => {
      throw new Error('Nothing is stored here.')
    }
    this.#pool = lazyPool({ root: layout.root, durability, decide }, workerCount(jobs))
  }

  /** Where a pack is to be written before it is taken in. */
  pathOf(pack: ObjectId): string {
    this.#make()
    return join(this.#folder, 'incoming', `${pack}.pack`)
  }

  /** Looks for a pack that an earlier attempt has left behind, and moves it to where one that came just now would lie. */
  findLeft(pack: ObjectId): boolean {
    this.#left ??= leftPacks(this.#store.layout.quarantine)
    const path = this.#left.get(pack)
    if (path === undefined) return false
    this.#left.delete(pack)
    const to = this.pathOf(pack)
    try {
      this.#store.io.rename(path, to)
      return true
    } catch (error) {
      // Another process was faster, or gc.
      if (isSystemError(error, 'ENOENT')) return false
      throw error
    }
  }

  /**
   * Verifies a pack that lies at its path, and takes it in. False: it is not unpacked as a whole, because it stands for
   * very many bytes or has records that this program can't read; what is wanted of it can be appended.
   * @throws ArtifactsError ERR_DAMAGED
   */
  async take(pack: JoiningPack, wasLeft: boolean): Promise<boolean> {
    const path = this.pathOf(pack.id)
    if (!isModest(tableAt(path, pack.id), pack.bytes)) return false
    // What was left was verified then; that it is the same is enough.
    const data = !wasLeft || pack.sha256 === undefined
    const job = {
      kind: 'pack',
      path,
      bytes: pack.bytes,
      data,
      checksums: true,
      sha256: true,
    } as const
    const { findings } = await this.#pool.wait(this.#pool.run(job))
    const { problem, bad, blemishes, sha256 } = findings
    const isAsSaid = pack.sha256 === undefined || pack.sha256 === sha256
    const fault =
      problem ??
      (isAsSaid ? undefined : 'it has other bytes than the log says') ??
      bad[0]?.reason ??
      blemishes[0]
    if (fault !== undefined || sha256 === undefined) throw refused(pack.id, fault ?? 'it is gone')
    const sound = join(this.#folder, `${pack.id}.pack`)
    this.#store.io.rename(path, sound)
    this.#sound.set(pack.id, { path: sound, bytes: pack.bytes, sha256 })
    return true
  }

  /** Takes in a record whose payload was verified. */
  append(place: Location, payload: Uint8Array): void {
    const { id, type, stored, raw } = place
    const { pack, offset } = this.#append({ ...place, id: Buffer.from(id, 'hex') }, payload)
    if (kindOf(type) === CHUNK) return
    this.#records.set(id, { pack, object: { id, type, stored, raw, offset } })
  }

  /** Whether an object that lies there at one of these places is here. */
  has(id: ObjectId, places: readonly Location[]): boolean {
    return this.#records.has(id) || places.some(({ pack }) => this.#sound.has(pack))
  }

  /** Whether all of a pack is here. */
  hasPack(pack: ObjectId): boolean {
    return this.#sound.has(pack)
  }

  /** The bytes of an object other than a chunk that is here. @throws ArtifactsError ERR_DAMAGED where it is of another kind */
  read(kind: ObjectKind, id: ObjectId, places: readonly Location[]): Uint8Array {
    const own = this.#records.get(id)
    if (own !== undefined) {
      own.pack.writer.flush()
      return readAt(own.pack.path, kind, own.object)
    }
    const place = places.find(({ pack }) => this.#sound.has(pack))
    if (place === undefined) throw new Error(`Object "${id}" was not received.`)
    return readAt((this.#sound.get(place.pack) as SoundPack).path, kind, place)
  }

  /**
   * Puts what came into the store's packs, durable; no operation names them yet.
   * @param versions objects of versions: the log has them, so they need not come as records
   */
  async publish(isWanted: IsWanted, versions: readonly VersionBytes[]): Promise<JoiningPack[]> {
    const { io, layout } = this.#store
    for (const { id, bytes } of versions) {
      const place = { id: Buffer.from(id, 'hex'), type: recordType(VERSION, Codec.none) }
      this.#append({ ...place, raw: bytes.length }, bytes)
    }
    const packs: JoiningPack[] = []
    for (const [id, { path, bytes, sha256 }] of this.#sound) {
      const table = readTable(path)
      const share = wantedBytes(table, isWanted)
      if (share === 0) continue
      if (bytes < WHOLE_PACK_BYTES || share < bytes * WHOLE_SHARE || this.#isTaken(id)) {
        const records = tableEntries(table).filter((entry) => isWanted(entry.id, 0))
        for (const [place, payload] of payloads(path, records)) this.#append(place, payload)
        continue
      }
      const toc = [table.offset, table.bytes.length] as const
      publish(io, path, packPath(layout, id))
      packs.push({ id, bytes, kind: kindOfPack(table), toc, sha256 })
    }
    for (const pack of this.#open) {
      const { id, bytes, kind, toc } = await pack.writer.finish(this.#isTaken)
      publish(io, pack.path, packPath(layout, id))
      this.#open.delete(pack)
      packs.push({ id: id as ObjectId, bytes, kind, toc })
    }
    if (packs.length > 0) io.fsyncDirectory(layout.packs)
    removeTree(io, this.#folder)
    return packs
  }

  /** Ends threads. Without `publish` before, packs that were verified are left for the next attempt. */
  async close(): Promise<void> {
    await this.#pool.close()
    for (const { writer } of this.#open) writer.abort()
    if (!this.#isMade || lstatSync(this.#folder, { throwIfNoEntry: false }) === undefined) return
    const { io, layout } = this.#store
    removeTree(io, join(this.#folder, 'incoming'))
    if (this.#sound.size === 0) removeTree(io, this.#folder)
    else io.rename(this.#folder, join(layout.quarantine, `left-${temporaryName().slice(-16)}`))
  }

  #make(): void {
    if (this.#isMade) return
    this.#isMade = true
    this.#store.io.mkdir(join(this.#folder, 'incoming'), { recursive: true })
  }

  #append(
    { id, type, raw }: Pick<PackEntry, 'id' | 'type' | 'raw'>,
    stored: Uint8Array,
  ): { pack: OwnPack; offset: number } {
    const kind = kindOf(type)
    const pack = this.#packFor(kind, stored.length)
    const offset = pack.writer.offset
    pack.writer.append({ kind, id, codec: codecOf(type) as Codec, stored, rawLength: raw })
    return { pack, offset }
  }

  #packFor(kind: ObjectKind, stored: number): OwnPack {
    if (this.#data === undefined && this.#meta === undefined) {
      this.#mixed ??= this.#begin()
      if (this.#mixed.writer.bytes + stored < MIXED_BYTES) return this.#mixed
    }
    const name = kind === CHUNK ? 'data' : 'meta'
    let pack = name === 'data' ? this.#data : this.#meta
    if (pack?.writer.fits(stored) === false) pack = undefined
    pack ??= this.#begin()
    if (name === 'data') this.#data = pack
    else this.#meta = pack
    return pack
  }

  #begin(): OwnPack {
    this.#make()
    const path = join(this.#folder, temporaryName())
    const pack = { path, writer: new PackWriter(this.#store.io, path) }
    this.#open.add(pack)
    return pack
  }
}

/** The payloads of records of a file, by where they begin; valid until the next one is asked for. */
export function* payloads<P extends Place>(
  path: string,
  places: readonly P[],
): Generator<[place: P, payload: Buffer]> {
  const fd = openSync(path, 'r')
  try {
    const reader = new WindowReader(fd, fstatSync(fd).size)
    for (const place of places.toSorted((a, b) => a.offset - b.offset)) {
      const record = reader.read(place.offset, RECORD_HEADER_BYTES + place.stored)
      if (record === undefined) throw remoteDamaged(`"${path}" ends before a record that it has.`)
      yield [place, payloadOf(record, place)]
    }
  } finally {
    closeSync(fd)
  }
}

/** The payload of a record, whose header is what is said of it elsewhere. @throws ArtifactsError ERR_DAMAGED */
export function payloadOf(record: Buffer, { type, stored, raw }: Omit<Place, 'offset'>): Buffer {
  const header = decodeRecordHeader(record)
  if (header?.type !== type || header.stored !== stored || header.raw !== raw) {
    throw remoteDamaged('A record is not where the table of its pack says.')
  }
  return record.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + stored)
}

type Place = Pick<PackEntry, 'offset' | 'type' | 'stored' | 'raw'>

/** Whether the whole of a pack can be unpacked, at a price that its length lets expect. */
function isModest(table: PackTable, bytes: number): boolean {
  let raw = 0
  for (let index = 0; index < table.count; index++) {
    const entry = tableEntry(table, index)
    if (!isReadable(codecOf(entry.type))) return false
    raw += entry.raw
  }
  return raw <= FREE_EXPANSION + bytes * MOST_EXPANSION
}

function tableAt(path: string, pack: ObjectId): PackTable {
  try {
    return readTable(path)
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_DAMAGED') throw error
    throw refused(pack, error.message)
  }
}

/** Of the records of a pack that were asked for, with their headers. */
function wantedBytes({ bytes, count }: PackTable, isWanted: IsWanted): number {
  let sum = 0
  for (let index = 0; index < count; index++) {
    const at = entryOffset(index)
    if (isWanted(bytes, at)) sum += RECORD_HEADER_BYTES + bytes.readUInt32LE(at + ID_BYTES + 4)
  }
  return sum
}

function kindOfPack(table: PackTable): JoiningPack['kind'] {
  let chunks = 0
  for (let index = 0; index < table.count; index++) {
    if (kindOf(table.bytes[entryOffset(index) + ID_BYTES + 12] as number) === CHUNK) chunks++
  }
  return chunks === 0 ? 'meta' : chunks === table.count ? 'data' : 'mixed'
}

/** Packs that were verified, in folders that nobody uses any more. */
function leftPacks(quarantine: string): Map<ObjectId, string> {
  const packs = new Map<ObjectId, string>()
  for (const folder of namesIn(quarantine)) {
    if (!LEFT.test(folder) && !isDeadHere(folder)) continue
    for (const name of namesIn(join(quarantine, folder))) {
      const id = /^([0-9a-f]{64})\.pack$/.exec(name)?.[1]
      if (id !== undefined) packs.set(id as ObjectId, join(quarantine, folder, name))
    }
  }
  return packs
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function readAt(path: string, kind: ObjectKind, object: StoredObject): Uint8Array {
  const fd = openSync(path, 'r')
  try {
    return readObject(fd, kind, object)
  } finally {
    closeSync(fd)
  }
}

function refused(pack: ObjectId, reason: string): Error {
  return remoteDamaged(`Pack "${pack}" is not what its name says: ${reason}.`)
}
