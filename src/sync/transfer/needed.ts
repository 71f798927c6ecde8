/**
 * The objects that a receiver lacks, each with its place here, in flat memory: some 60 bytes an object, so that five
 * million of them take 300 MB.
 */
import type { Location } from '../../store/index/objects.ts'
import { IdSet } from '../../store/ingest/id-set.ts'
import { CHUNK } from '../../store/object/id.ts'
import { kindOf, RECORD_HEADER_BYTES } from '../../store/object/pack.ts'
import type { ObjectId } from '../../types.ts'

/** The number of no pack: its bytes are made from the log. */
export const NOWHERE = 0xffff_ffff

/** Where an object is, if in a pack, and its record. */
export interface Place extends Pick<Location, 'stored' | 'type'> {
  readonly pack?: ObjectId
}

export class Needed {
  readonly ids: IdSet = new IdSet(Number.POSITIVE_INFINITY)
  /** Packs here, as `packOf` numbers them. */
  readonly packs: ObjectId[] = []
  /** Of the records, with their headers. */
  bytes = 0
  readonly #numbers = new Map<ObjectId, number>()
  #pack: Uint32Array<ArrayBuffer> = new Uint32Array(1024)
  #stored: Uint32Array<ArrayBuffer> = new Uint32Array(1024)
  #isChunk: Uint8Array<ArrayBuffer> = new Uint8Array(1024)

  get size(): number {
    return this.ids.size
  }

  /** Adds an object that it does not have. */
  add(id: Uint8Array, { pack, stored, type }: Place): void {
    const index = this.size
    if (index === this.#pack.length) this.#grow()
    this.ids.add(id, 0)
    this.#pack[index] = pack === undefined ? NOWHERE : this.#numberOf(pack)
    this.#stored[index] = stored
    this.#isChunk[index] = kindOf(type) === CHUNK ? 1 : 0
    this.bytes += RECORD_HEADER_BYTES + stored
  }

  /** Number of the pack that has it, or `NOWHERE`. */
  packOf(index: number): number {
    return this.#pack[index] as number
  }

  /** Length of its payload as it is stored, in bytes. */
  stored(index: number): number {
    return this.#stored[index] as number
  }

  isChunk(index: number): boolean {
    return this.#isChunk[index] === 1
  }

  #numberOf(pack: ObjectId): number {
    let number = this.#numbers.get(pack)
    if (number === undefined) {
      number = this.packs.push(pack) - 1
      this.#numbers.set(pack, number)
    }
    return number
  }

  #grow(): void {
    const length = this.#pack.length * 2
    const { pack, stored, isChunk } = {
      pack: new Uint32Array(length),
      stored: new Uint32Array(length),
      isChunk: new Uint8Array(length),
    }
    pack.set(this.#pack)
    stored.set(this.#stored)
    isChunk.set(this.#isChunk)
    this.#pack = pack
    this.#stored = stored
    this.#isChunk = isChunk
  }
}
