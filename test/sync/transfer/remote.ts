/** A remote without a log: packs in memory, and their tables, as one that reads a remote's log knows them. */
import type { Location } from '../../../src/store/index/objects.ts'
import type { StateView } from '../../../src/store/index/state.ts'
import type { JoiningPack } from '../../../src/store/log/operation.ts'
import { decodeTable, type PackTable, tableEntries } from '../../../src/store/object/pack.ts'
import type { OpenedStore } from '../../../src/store/opened.ts'
import type { Backend } from '../../../src/sync/backend.ts'
import { MemoryBackend } from '../../../src/sync/backends/memory.ts'
import { packName, putPack } from '../../../src/sync/put-pack.ts'
import type { WantedVersion } from '../../../src/sync/transfer/missing-there.ts'
import {
  closures,
  leaves,
  type OutgoingPack,
  outgoingPacks,
} from '../../../src/sync/transfer/outgoing.ts'
import { planSend, type SendOptions, type SendPlan } from '../../../src/sync/transfer/plan-send.ts'
import type { ObjectId } from '../../../src/types.ts'

export interface SentPack extends JoiningPack {
  readonly table: PackTable
}

export class TestRemote {
  readonly backend: Backend = new MemoryBackend()
  readonly packs: Map<ObjectId, SentPack> = new Map()
  readonly dropped: Set<ObjectId> = new Set()
  /** What its log says of versions. */
  state?: StateView
  /** How often news were asked for. */
  asked = 0
  /** Run when news are asked for. */
  news: () => void | Promise<void> = () => {}
  /** How often it was asked where an object or a leaf is. */
  lookups = 0
  readonly #leaves = new Map<string, readonly ObjectId[]>()
  readonly #places = new Map<string, Location[]>()

  packOf(id: Uint8Array): ObjectId | undefined {
    this.lookups++
    return this.locations(id)[0]?.pack
  }

  leaf(id: Uint8Array): readonly ObjectId[] | undefined {
    this.lookups++
    const packs = this.#leaves.get(Buffer.from(id).toString('hex'))
    return packs?.some((pack) => this.dropped.has(pack)) ? undefined : packs
  }

  locations(id: Uint8Array): Location[] {
    const all = this.#places.get(Buffer.from(id).toString('hex')) ?? []
    return all.filter(({ pack }) => !this.dropped.has(pack))
  }

  isDropped(pack: ObjectId): boolean {
    return this.dropped.has(pack)
  }

  pack(id: ObjectId): JoiningPack | undefined {
    return this.dropped.has(id) ? undefined : this.packs.get(id)
  }

  async readNews(): Promise<number> {
    this.asked++
    await this.news()
    return 0
  }

  async loadTables(): Promise<void> {}

  /** Takes a pack as a push puts it. */
  async take({ id, bytes, kind, toc, sha256, source, table }: OutgoingPack): Promise<void> {
    await putPack(this.backend, id, source)
    this.join({ id, bytes, kind, toc, sha256 }, table)
  }

  /** Makes a pack known whose file is there. */
  join(pack: JoiningPack, bytes: Buffer): void {
    const table = decodeTable(Buffer.from(bytes), pack.toc[0], pack.id)
    this.packs.set(pack.id, { ...pack, table })
    if (pack.kind === 'index') return
    for (const { id, offset, stored, raw, type } of tableEntries(table)) {
      const hex = id.toString('hex')
      const place = { pack: pack.id, id: hex as ObjectId, offset, stored, raw, type }
      const places = this.#places.get(hex)
      if (places === undefined) this.#places.set(hex, [place])
      else places.push(place)
    }
  }

  /** Takes all that a store sends for these versions. */
  async push(
    store: OpenedStore,
    versions: readonly WantedVersion[],
    options: SendOptions = {},
  ): Promise<Pushed> {
    const plan = await planSend(store, this, versions, options)
    const packs: OutgoingPack[] = []
    for await (const pack of outgoingPacks(store, plan, { jobs: 0 })) {
      await this.take(pack)
      pack.release()
      packs.push(pack)
    }
    for (const [id, lies] of leaves(plan)) this.#leaves.set(id, [...lies])
    return { plan, packs, closures: closures(plan) }
  }

  async remove(pack: ObjectId): Promise<void> {
    await this.backend.delete(packName(pack))
  }
}

export interface Pushed {
  readonly plan: SendPlan
  readonly packs: readonly OutgoingPack[]
  readonly closures: ReturnType<typeof closures>
}
