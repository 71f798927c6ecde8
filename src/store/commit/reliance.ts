/**
 * What a commit relies on: packs in which it found objects, and live versions whose subtrees it skipped. Nothing keeps
 * these from being dropped or deleted while the commit runs; so they are remembered, and looked at again on the state on
 * which the operation is created (docs/format.md section 6, "How bytes leave").
 */
import type { ObjectId } from '../../types.ts'
import type { Objects } from '../index/objects.ts'
import type { StateView } from '../index/state.ts'

export class Reliance {
  readonly #objects: Objects
  readonly #since: number
  /** A first commit need not look for anything. */
  readonly #isEmpty: boolean
  readonly #packs = new Set<ObjectId>()
  readonly #unnamed = new Set<ObjectId>()
  readonly #versions = new Set<ObjectId>()

  /** @param since the newest operation known when the first lookup is made. */
  constructor(objects: Objects, since: number) {
    this.#objects = objects
    this.#since = since
    this.#isEmpty = objects.isEmpty()
  }

  /** Whether the store has the object with this id (32 bytes); if so, its pack is relied on. */
  has(id: Uint8Array): boolean {
    if (this.#isEmpty) return false
    const holder = this.#objects.holder(id)
    if (holder === undefined) return false
    ;(holder.named ? this.#packs : this.#unnamed).add(holder.pack)
    return true
  }

  /** Notes that what this version consists of is taken for present. */
  onVersion(id: ObjectId): void {
    this.#versions.add(id)
  }

  /** Whether objects were found in this pack, which had no name then. */
  includes(pack: ObjectId): boolean {
    return this.#unnamed.has(pack)
  }

  /**
   * Whether all of it is there in this state.
   * @param own packs that the commit wrote, and will name.
   */
  holds(state: StateView, own: readonly ObjectId[]): boolean {
    const dropped = state.droppedSince(this.#since)
    const isGone = (pack: ObjectId): boolean =>
      this.#packs.has(pack) || this.#unnamed.has(pack) || own.includes(pack)
    if (dropped.some(isGone)) return false
    for (const pack of this.#unnamed) {
      if (!own.includes(pack) && !state.hasPack(pack)) return false
    }
    for (const id of this.#versions) {
      const version = state.versionById(id)
      if (version === undefined || version.deleted !== undefined) return false
    }
    return true
  }
}
