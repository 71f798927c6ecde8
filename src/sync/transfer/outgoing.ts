/**
 * The packs of a plan, one after another, ready to be put: first data, then metadata, then the index packs. A pack of this
 * store is read once before it goes, for its SHA-256 and to see that it is what it was: what is damaged is not spread.
 */
import { join } from 'node:path'
import { damaged, isSystemError } from '../../errors.ts'
import { appendRecords, naming, SourceError } from '../../store/gc/copy.ts'
import { type LazyPool, lazyPool } from '../../store/ingest/lazy-pool.ts'
import { workerCount } from '../../store/ingest/pool.ts'
import { packPath, temporaryName } from '../../store/layout.ts'
import type { JoiningPack } from '../../store/log/operation.ts'
import type { Closure } from '../../store/log/sync-change.ts'
import { Codec } from '../../store/object/compression.ts'
import { VERSION } from '../../store/object/id.ts'
import { tableEntries } from '../../store/object/pack.ts'
import { readTable } from '../../store/object/pack-reader.ts'
import { PackWriter } from '../../store/object/pack-writer.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ObjectId } from '../../types.ts'
import { fileSource, type Source } from '../source.ts'
import { closuresOf, noteLists } from './closures.ts'
import { type IndexPack, IndexPackWriter } from './index-pack.ts'
import { NOWHERE } from './needed.ts'
import type { PlannedPack, SendPlan } from './plan-send.ts'

/** A pack that is ready to be put. */
export interface OutgoingPack extends JoiningPack {
  readonly sha256: string
  /** Can be gone through until `release`. */
  readonly source: Source
  /** As it stands in the pack. */
  readonly table: Buffer
  /** Removes what was written for sending alone. What was not released goes when the packs end. */
  release(): void
}

export interface OutgoingOptions {
  readonly signal?: AbortSignal | undefined
  /** Worker threads; 0: none; default: as many as there are cores. */
  readonly jobs?: number | undefined
  /** Files stay until each is released, when all packs were yielded: for whoever has to know all of them before the first goes. */
  readonly keep?: boolean | undefined
}

/** What was to be sent is not there any more, because gc was faster: another plan is needed. */
export class StalePlanError extends Error {
  static {
    this.prototype.name = 'StalePlanError'
  }
}

/**
 * Yields the packs of a plan. Each may be put while the next one is made, in any order and number; files are removed when
 * all are through, and when the caller breaks off.
 * @throws ArtifactsError ERR_DAMAGED for a pack that is not as it was written; StalePlanError
 */
export async function* outgoingPacks(
  store: OpenedStore,
  plan: SendPlan,
  options: OutgoingOptions = {},
): AsyncGenerator<OutgoingPack, void, undefined> {
  const { packs, receiver } = plan.inner
  const isTaken = (id: string): boolean => receiver.isDropped(id as ObjectId)
  const index = new IndexPackWriter(store, isTaken)
  const outbox = new Outbox(store, plan, options.jobs, isTaken)
  let isKept = false
  try {
    const ids: ObjectId[] = []
    for (const number of packs.keys()) {
      options.signal?.throwIfAborted()
      const pack = await outbox.make(number)
      ids.push(pack.id)
      index.add(pack.table)
      yield pack
    }
    const closures = closuresOf(plan, ids)
    for (const { list } of closures.values()) if (list !== undefined) index.add(list.bytes)
    const indexPacks = await index.finish()
    plan.inner.closures = noteLists(closures, indexPacks)
    yield* indexPacks.map((pack) => outbox.takeIndexPack(pack))
    isKept = options.keep === true
  } finally {
    await index.abort()
    await outbox.close(isKept)
  }
}

/**
 * In which packs of the receiver each version lies; to be asked when all packs were yielded.
 */
export function closures(plan: SendPlan): ReadonlyMap<ObjectId, Closure> {
  const { closures } = plan.inner
  if (closures === undefined)
    throw new Error('Where versions lie is known when all packs are made.')
  return closures
}

/**
 * In which packs of the receiver each leaf lies that was looked through, for `Receiver.leaf`, as soon as those packs are its
 * own; to be asked when all packs were yielded.
 */
export function leaves(plan: SendPlan): ReadonlyMap<ObjectId, ReadonlySet<ObjectId>> {
  return plan.inner.leaves ?? new Map()
}

class Outbox {
  readonly #store: OpenedStore
  readonly #plan: SendPlan
  readonly #isTaken: (id: string) => boolean
  readonly #pool: LazyPool
  readonly #files = new Set<string>()
  /** Checks that were begun before their turn. */
  readonly #checks = new Map<number, Promise<string>>()

  constructor(
    store: OpenedStore,
    plan: SendPlan,
    jobs: number | undefined,
    isTaken: (id: string) => boolean,
  ) {
    this.#store = store
    this.#plan = plan
    this.#isTaken = isTaken
    const { layout, io } = store
    const { root } = layout
    const { durability } = io
    const decide = (): never => {
      throw new Error('Nothing is stored here.')
    }
    this.#pool = lazyPool({ root, durability, decide }, workerCount(jobs))
  }

  async make(number: number): Promise<OutgoingPack> {
    const pack = this.#plan.inner.packs[number] as PlannedPack
    return pack.whole === undefined
      ? this.#copy(pack, number)
      : this.#existing(pack.whole, pack.kind, number)
  }

  takeIndexPack({ path, ...pack }: IndexPack): OutgoingPack {
    return this.#own(path, pack)
  }

  async close(isKept: boolean): Promise<void> {
    for (const path of isKept ? [] : this.#files) this.#remove(path)
    await this.#pool.close()
    await Promise.allSettled(this.#checks.values())
  }

  async #existing(
    { id, bytes }: NonNullable<PlannedPack['whole']>,
    kind: PlannedPack['kind'],
    number: number,
  ): Promise<OutgoingPack> {
    const sha256 = await this.#pool.wait(this.#checked(number))
    // Read while this one is sent.
    const next = this.#plan.inner.packs[number + 1]
    if (next?.whole !== undefined) this.#checked(number + 1).catch(() => {})
    const path = packPath(this.#store.layout, id)
    const table = this.#fresh(id, () => readTable(path))
    const toc = [table.offset, table.bytes.length] as const
    const source = this.#fresh(id, () => fileSource(path, sha256))
    return { id, bytes, kind, toc, sha256, source, table: table.bytes, release: () => {} }
  }

  /** The SHA-256 of a pack of this store, after a look at every record. */
  #checked(number: number): Promise<string> {
    let check = this.#checks.get(number)
    if (check === undefined) {
      check = this.#check(number)
      this.#checks.set(number, check)
    }
    return check
  }

  async #check(number: number): Promise<string> {
    const { id, bytes } = (this.#plan.inner.packs[number] as PlannedPack).whole as {
      id: ObjectId
      bytes: number
    }
    const path = packPath(this.#store.layout, id)
    const job = { kind: 'pack', path, bytes, data: false, checksums: true, sha256: true } as const
    const { findings } = await this.#pool.run(job)
    const { state, problem, bad, blemishes, sha256 } = findings
    if (state === 'missing')
      throw this.#goneOr(new SourceError(id, damaged(`Pack "${path}" is missing.`)))
    const fault = problem ?? bad[0]?.reason ?? blemishes[0]
    if (fault !== undefined || sha256 === undefined) {
      throw damaged(`Pack "${path}" is not as it was written, and is not sent: ${fault}.`)
    }
    return sha256
  }

  /** Writes a pack of records of others. */
  async #copy({ kind, sources }: PlannedPack, number: number): Promise<OutgoingPack> {
    const { io, layout } = this.#store
    const { needed } = this.#plan.inner.found
    const path = join(layout.tmp, temporaryName())
    const writer = new PackWriter(io, path)
    try {
      for (const source of sources) {
        if (source === NOWHERE) {
          this.#appendMade(writer, number)
          continue
        }
        const id = needed.packs[source] as ObjectId
        const from = packPath(layout, id)
        this.#fresh(id, () => {
          const records = tableEntries(readTable(from)).filter((entry) => {
            const index = needed.ids.indexOf(entry.id, 0)
            return index >= 0 && needed.packOf(index) === source && this.#isIn(index, number)
          })
          appendRecords(writer, from, records)
        })
        await new Promise((resolve) => setImmediate(resolve))
      }
      const { id, bytes, toc, table } = await writer.finish(this.#isTaken)
      return this.#own(path, { id: id as ObjectId, bytes, kind, toc, table })
    } catch (error) {
      writer.abort()
      throw error
    }
  }

  #appendMade(writer: PackWriter, number: number): void {
    for (const [index, { id, bytes }] of this.#plan.inner.found.made) {
      if (!this.#isIn(index, number)) continue
      writer.append({
        kind: VERSION,
        id: Buffer.from(id, 'hex'),
        codec: Codec.none,
        stored: bytes,
        rawLength: bytes.length,
      })
    }
  }

  #isIn(index: number, number: number): boolean {
    return this.#plan.inner.assigned[index] === number
  }

  /** A pack that was written for sending. */
  #own(path: string, pack: JoiningPack & { readonly table: Buffer }): OutgoingPack {
    this.#files.add(path)
    const source = fileSource(path)
    const { sha256 } = source
    return { ...pack, sha256, source, release: () => this.#remove(path) }
  }

  #remove(path: string): void {
    if (!this.#files.delete(path)) return
    this.#store.io.unlink(path)
  }

  /** Runs what reads a pack of this store, which gc may have dropped meanwhile. */
  #fresh<T>(id: ObjectId, run: () => T): T {
    try {
      return naming(id, run)
    } catch (error) {
      throw error instanceof SourceError ? this.#goneOr(error) : error
    }
  }

  #goneOr(error: SourceError): unknown {
    const { index, layout } = this.#store
    index.refresh()
    const isGone = index.state.isDropped(error.pack)
    if (isGone) return new StalePlanError(`Pack "${error.pack}" was dropped.`, { cause: error })
    if (!isSystemError(error.cause, 'ENOENT', 'EISDIR')) return error.cause
    return damaged(`Pack "${packPath(layout, error.pack)}" is missing.`, { cause: error.cause })
  }
}
