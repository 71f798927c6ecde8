/**
 * Counts what is reached: for every record of every named pack, who reached it. A pack's records are known by where they
 * begin, so eight bytes a record are all that is in memory, however many versions there are.
 *
 * An owner is a version, by number. What versions that stay reach is needed; a version that goes owns what none of those
 * reaches. What several versions of one sort reach belongs to nobody alone.
 */
import { closeSync, openSync } from 'node:fs'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { type NamedPack, namedPacks } from '../index/pack-rows.ts'
import type { StoreIndex } from '../index/store-index.ts'
import { type Layout, packPath } from '../layout.ts'
import { readId } from '../object/id.ts'
import {
  entryOffset,
  kindOf,
  type PackTable,
  RECORD_HEADER_BYTES,
  TABLE_ENTRY_BYTES,
} from '../object/pack.ts'
import { readObject, readTable, type StoredObject } from '../object/pack-reader.ts'

/** Whether something met an object for the first time, as far as it has to be looked into. */
export type Met = 'new' | 'known' | 'missing'

/** What was counted of a pack. */
export interface CountedPack extends NamedPack {
  /** Offsets of its records, ascending. */
  readonly offsets: Uint32Array
  /** Who reached each: 0 is nobody. */
  readonly owners: Int32Array
  /** Records that versions that stay reach, and what these take of the pack in bytes. */
  reached: number
  reachedBytes: number
}

/** Beside its payload, a record takes its header and its line of the table. */
export const RECORD_COST: number = RECORD_HEADER_BYTES + TABLE_ENTRY_BYTES

/** Numbers of owners: versions that stay count from 1, those that go from `LEAVING`. */
const SHARED = 0x3fff_ffff
export const LEAVING = 0x4000_0000
const SHARED_LEAVING = 0x7fff_ffff

const PLACES = 'SELECT pack, offset, stored, raw, type FROM object WHERE id = ? ORDER BY pack -- gc'
type Place = readonly [pack: number, offset: number, stored: number, raw: number, type: number]

/** The index went on to another database while it was being read: everything is to be counted anew. */
export class IndexReplacedError extends Error {
  static {
    this.prototype.name = 'IndexReplacedError'
  }
}

export class Census {
  readonly #index: StoreIndex
  readonly #layout: Layout
  readonly #rebuilds: number
  readonly #packs = new Map<number, CountedPack>()
  /** Packs that are named and cannot be read: what only they hold is missing. */
  readonly #unreadable = new Map<number, NamedPack>()
  /** Bytes by owner. */
  readonly #bytes = new Map<number, number>()

  constructor(index: StoreIndex, layout: Layout) {
    this.#index = index
    this.#layout = layout
    this.#rebuilds = index.rebuilds
  }

  /** Takes up packs that were named since. False when one is gone that was counted: then the census is void. */
  update(): boolean {
    this.#checkIndex()
    const named = namedPacks(this.#index)
    for (const pack of named) {
      if (this.#packs.has(pack.row) || this.#unreadable.has(pack.row)) continue
      const table = readTableOf(this.#layout, pack)
      if (table === undefined) this.#unreadable.set(pack.row, pack)
      else this.#packs.set(pack.row, countedPack(pack, table))
    }
    return named.length === this.#packs.size + this.#unreadable.size
  }

  get packs(): Iterable<CountedPack> {
    return this.#packs.values()
  }

  get unreadable(): Iterable<NamedPack> {
    return this.#unreadable.values()
  }

  get hasUnreadable(): boolean {
    return this.#unreadable.size > 0
  }

  /** Bytes that only this owner reaches, with what the pack needs for them. */
  bytesOf(owner: number): number {
    return this.#bytes.get(owner) ?? 0
  }

  /** Bytes that several versions that stay reach; or several that go, and none that stays. */
  sharedBytes(sort: 'staying' | 'leaving'): number {
    return this.bytesOf(sort === 'staying' ? SHARED : SHARED_LEAVING)
  }

  /**
   * Notes that the owner reaches an object. `new` says that what the object points to has to be met as well: nobody did so
   * for this owner yet, nor for others that make it belong to nobody alone.
   * @param id 32 bytes.
   */
  meet(id: Uint8Array, owner: number): Met {
    const place = this.#home(id)
    if (place === undefined) return 'missing'
    const [row, offset, stored] = place
    const pack = this.#packs.get(row) as CountedPack
    const index = positionOf(pack.offsets, offset)
    const before = pack.owners[index] as number
    const after = ownerAfter(before, owner)
    if (after === before) return 'known'
    pack.owners[index] = after
    const bytes = stored + RECORD_COST
    if (before !== 0) this.#bytes.set(before, this.bytesOf(before) - bytes)
    this.#bytes.set(after, this.bytesOf(after) + bytes)
    if ((before === 0 || before >= LEAVING) && owner < LEAVING) {
      pack.reached++
      pack.reachedBytes += bytes
    }
    return 'new'
  }

  /** The record that counts for the object: of several, the one that counted before, else the first that is sound. */
  #home(id: Uint8Array): Place | undefined {
    this.#checkIndex()
    const places = this.#index
      .read((connection) => connection.statement(PLACES).raw().all(id) as Place[])
      .filter(([pack, offset]) => this.#has(pack, offset))
    if (places.length < 2) return places[0]
    return (
      places.find(([row, offset]) => this.#isReached(row, offset)) ??
      places.find((place) => this.#isSound(id, place)) ??
      places[0]
    )
  }

  #has(row: number, offset: number): boolean {
    const pack = this.#packs.get(row)
    return pack !== undefined && positionOf(pack.offsets, offset) >= 0
  }

  #isReached(row: number, offset: number): boolean {
    const { offsets, owners } = this.#packs.get(row) as CountedPack
    return owners[positionOf(offsets, offset)] !== 0
  }

  /** The other copies may be dropped, so the one that stays must not be the one that is damaged. */
  #isSound(id: Uint8Array, [row, offset, stored, raw, type]: Place): boolean {
    const pack = this.#packs.get(row) as CountedPack
    const object = { id: readId(Buffer.from(id)), offset, type, stored, raw }
    try {
      readRecord(packPath(this.#layout, pack.id), object)
      return true
    } catch (error) {
      if (isUnreadable(error)) return false
      throw error
    }
  }

  /** Rows are known by number, which means something in one database only. */
  #checkIndex(): void {
    if (this.#index.rebuilds !== this.#rebuilds) throw new IndexReplacedError('The index is new.')
  }
}

function countedPack(pack: NamedPack, table: PackTable): CountedPack {
  const offsets = new Uint32Array(table.count)
  for (let index = 0; index < table.count; index++) {
    offsets[index] = table.bytes.readUInt32LE(entryOffset(index) + 32)
  }
  const owners = new Int32Array(table.count)
  return { ...pack, offsets: offsets.sort(), owners, reached: 0, reachedBytes: 0 }
}

function readTableOf(layout: Layout, { id, state }: NamedPack): PackTable | undefined {
  if (state !== 'present') return undefined
  try {
    return readTable(packPath(layout, id))
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

function readRecord(path: string, object: StoredObject): void {
  const fd = openSync(path, 'r')
  try {
    readObject(fd, kindOf(object.type), object)
  } finally {
    closeSync(fd)
  }
}

function isUnreadable(error: unknown): boolean {
  const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
  return isDamage || isSystemError(error, 'ENOENT', 'EIO', 'EISDIR')
}

/** Who owns a record that had this owner, or nobody (0), when another one reaches it. */
function ownerAfter(before: number, owner: number): number {
  const isLeaving = owner >= LEAVING
  const wasLeaving = before >= LEAVING
  if (before === 0 || before === owner || (wasLeaving && !isLeaving)) return owner
  if (isLeaving && !wasLeaving) return before
  return isLeaving ? SHARED_LEAVING : SHARED
}

/** True for the owner of a record that a version needs which stays. */
export function isNeeded(owner: number): boolean {
  return owner !== 0 && owner < LEAVING
}

/** Where a number is among ascending ones; −1 where it is not. */
export function positionOf(numbers: Uint32Array, wanted: number): number {
  let low = 0
  let high = numbers.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const number = numbers[middle] as number
    if (number === wanted) return middle
    if (number < wanted) low = middle + 1
    else high = middle - 1
  }
  return -1
}
