/**
 * What is to be sent so that a receiver has versions whole. A pack of this store goes as it is where the receiver lacks
 * nearly all of it and may have all of it; everything else that it lacks is copied into full packs, so that nothing leaves
 * that was not asked for, and a remote is not strewn with small packs.
 */

import { SourceError } from '../../store/gc/copy.ts'
import { namedPacks } from '../../store/index/pack-rows.ts'
import { packPath } from '../../store/layout.ts'
import type { PackKind } from '../../store/log/operation.ts'
import type { Closure } from '../../store/log/sync-change.ts'
import {
  entryOffset,
  MAX_PACK_BYTES,
  PACK_MAGIC,
  type PackTable,
  RECORD_HEADER_BYTES,
  TABLE_ENTRY_BYTES,
  TRAILER_BYTES,
} from '../../store/object/pack.ts'
import { readTable } from '../../store/object/pack-reader.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ObjectId, OperationOptions } from '../../types.ts'
import { MissingThere, type Receiver, type Subtree, type WantedVersion } from './missing-there.ts'
import type { Needed } from './needed.ts'

export interface SendPlan {
  /** Objects that the receiver lacks. */
  readonly objects: number
  /** Of the packs to be sent, without index packs. */
  readonly bytes: number
  /** To be sent, without index packs. */
  readonly packs: number
  /** The receiver's packs that are relied on: where one of them is gone, another plan is needed. */
  readonly relied: ReadonlySet<ObjectId>
  /** What only this folder looks at. */
  readonly inner: PlannedSend
}

/** A pack to be sent: one of this store, or a new one with records of several. */
export interface PlannedPack {
  readonly kind: Exclude<PackKind, 'index'>
  /** Absent: it is written anew. */
  readonly whole?: { readonly id: ObjectId; readonly bytes: number }
  /** Packs here from which records are taken, as `Needed` numbers them. */
  readonly sources: readonly number[]
}

export interface PlannedSend {
  readonly receiver: Receiver
  readonly found: MissingThere
  readonly versions: ReadonlyMap<ObjectId, Subtree>
  /** In the order in which they are sent. */
  readonly packs: readonly PlannedPack[]
  /** For each object that the receiver lacks, its pack. */
  readonly assigned: Int32Array
  /** Where versions lie; known when all packs are. */
  closures?: ReadonlyMap<ObjectId, Closure>
  /** Where leaves lie that were looked through; known then as well. */
  leaves?: ReadonlyMap<ObjectId, ReadonlySet<ObjectId>>
}

/** A smaller pack is copied into a fuller one. */
const WHOLE_PACK_BYTES = 8 << 20
/** The part of a pack that the receiver must lack for it to go as it is. */
const WHOLE_SHARE = 0.9
/** Data and metadata that are smaller than this together share a pack. */
const MIXED_BYTES = 1 << 20

export interface SendOptions extends OperationOptions {
  /** Bytes that a pack may have, for a receiver that takes no full ones; an object that is larger has a pack of its own. */
  readonly largestPack?: number | undefined
}

/**
 * Plans to send versions: nothing is written or sent yet.
 * @throws ArtifactsError ERR_NOT_FETCHED naming a version that is not whole here, ERR_DAMAGED
 */
export async function planSend(
  store: OpenedStore,
  receiver: Receiver,
  versions: readonly WantedVersion[],
  options: SendOptions = {},
): Promise<SendPlan> {
  const found = new MissingThere(store, receiver, options)
  const met = new Map<ObjectId, Subtree>()
  for (const version of versions) {
    if (!met.has(version.id)) met.set(version.id, await found.meet(version))
  }
  const { needed } = found
  const { largestPack = MAX_PACK_BYTES } = options
  const packer = new Packer(store, receiver, needed, Math.min(largestPack, MAX_PACK_BYTES))
  packer.takeWholePacks()
  packer.takeRest()
  const { packs, assigned } = packer.inOrder()
  return {
    objects: needed.size,
    bytes: packer.bytes,
    packs: packs.length,
    relied: new Set(found.relied),
    inner: { receiver, found, versions: met, packs, assigned },
  }
}

class Packer {
  bytes = 0
  readonly #store: OpenedStore
  readonly #receiver: Receiver
  readonly #needed: Needed
  readonly #largest: number
  readonly #packs: PlannedPack[] = []
  readonly #assigned: Int32Array

  constructor(store: OpenedStore, receiver: Receiver, needed: Needed, largest: number) {
    this.#largest = largest
    this.#store = store
    this.#receiver = receiver
    this.#needed = needed
    this.#assigned = new Int32Array(needed.size).fill(-1)
  }

  /** Takes the packs that can go as they are. */
  takeWholePacks(): void {
    const lacking = new Float64Array(this.#needed.packs.length)
    for (let index = 0; index < this.#needed.size; index++) {
      const pack = this.#needed.packOf(index)
      if (pack < lacking.length) lacking[pack] = (lacking[pack] as number) + this.#cost(index)
    }
    const rows = new Map(namedPacks(this.#store.index).map((row) => [row.id, row]))
    for (const [number, id] of this.#needed.packs.entries()) {
      const row = rows.get(id)
      if (row === undefined || row.kind === 'index' || row.bytes < WHOLE_PACK_BYTES) continue
      if (row.bytes > this.#largest) continue
      if ((lacking[number] as number) < row.bytes * WHOLE_SHARE) continue
      if (this.#receiver.isDropped(id)) continue
      const table = this.#table(id)
      if (!this.#mayGo(table)) continue
      this.bytes += row.bytes
      const pack =
        this.#packs.push({ kind: row.kind, whole: { id, bytes: row.bytes }, sources: [] }) - 1
      for (let at = 0; at < table.count; at++) {
        const index = this.#needed.ids.indexOf(table.bytes, entryOffset(at))
        if (index >= 0 && (this.#assigned[index] as number) < 0) this.#assigned[index] = pack
      }
    }
  }

  /** Assigns everything else to new packs: chunks to some, the rest to others, or all to one that is small. */
  takeRest(): void {
    const rest = this.#rest()
    let bytes = 0
    for (const index of rest) bytes += this.#cost(index)
    const data = rest.filter((index) => this.#needed.isChunk(index))
    const meta = rest.filter((index) => !this.#needed.isChunk(index))
    if (bytes >= MIXED_BYTES || data.length === 0 || meta.length === 0) {
      this.#fill(data, 'data')
      this.#fill(meta, 'meta')
    } else {
      this.#fill(rest, 'mixed')
    }
  }

  /** Data before metadata: what is named comes before what names it. */
  inOrder(): { packs: PlannedPack[]; assigned: Int32Array } {
    const order = this.#packs
      .map((_, index) => index)
      .sort((a, b) => rank(this.#packs[a]) - rank(this.#packs[b]) || a - b)
    const moved = new Int32Array(order.length)
    for (const [to, from] of order.entries()) moved[from] = to
    const assigned = this.#assigned.map((pack) => moved[pack] as number)
    return { packs: order.map((index) => this.#packs[index] as PlannedPack), assigned }
  }

  /** What no pack takes along yet, pack by pack. */
  #rest(): Uint32Array {
    const keys: number[] = []
    for (let index = 0; index < this.#needed.size; index++) {
      if ((this.#assigned[index] as number) >= 0) continue
      keys.push(Math.min(this.#needed.packOf(index), 2 ** 20) * 2 ** 32 + index)
    }
    return Uint32Array.from(Float64Array.from(keys).sort(), (key) => key % 2 ** 32)
  }

  /** Cuts objects into packs that are as full as can be. */
  #fill(indexes: Uint32Array, kind: PlannedPack['kind']): void {
    let size = EMPTY_PACK
    let sources = new Set<number>()
    const end = (): void => {
      if (sources.size === 0) return
      this.#packs.push({ kind, sources: [...sources] })
      this.bytes += size
      size = EMPTY_PACK
      sources = new Set()
    }
    for (const index of indexes) {
      const cost = this.#cost(index)
      if (size + cost > this.#largest) end()
      size += cost
      sources.add(this.#needed.packOf(index))
      this.#assigned[index] = this.#packs.length
    }
    end()
  }

  /** What an object adds to the length of a pack. */
  #cost(index: number): number {
    return RECORD_HEADER_BYTES + this.#needed.stored(index) + TABLE_ENTRY_BYTES
  }

  /** Whether the receiver may have every object of the pack: it gets it anyway, or has it. */
  #mayGo(table: PackTable): boolean {
    for (let at = 0; at < table.count; at++) {
      const offset = entryOffset(at)
      if (this.#needed.ids.indexOf(table.bytes, offset) >= 0) continue
      if (this.#receiver.packOf(table.bytes.subarray(offset, offset + 32)) === undefined)
        return false
    }
    return true
  }

  #table(id: ObjectId): PackTable {
    try {
      return readTable(packPath(this.#store.layout, id))
    } catch (error) {
      throw new SourceError(id, error)
    }
  }
}

const EMPTY_PACK = PACK_MAGIC.length + entryOffset(0) + TRAILER_BYTES

function rank(pack: PlannedPack | undefined): number {
  return pack?.kind === 'data' ? 0 : 1
}
