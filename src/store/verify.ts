/** Reads everything a version consists of and checks it by its ids; writes nothing. */

import { ArtifactsError, isLoss } from '../errors.ts'
import type { Entry, FileEntry, ObjectId, OperationOptions } from '../types.ts'
import { type Damage, locateAnew, RecordList } from './checkout/extract.ts'
import { IdSet } from './ingest/id-set.ts'
import { type LazyPool, lazyPool } from './ingest/lazy-pool.ts'
import { workerCount } from './ingest/pool.ts'
import { loadHashes } from './object/checksum.ts'
import { lengthAsChunk } from './object/id.ts'
import { kindOf } from './object/pack.ts'
import { nodeReader, type OpenedStore } from './opened.ts'
import { readRecipe } from './recipes.ts'
import { entries } from './tree/cursor.ts'
import { entrySize } from './tree/entry.ts'

export interface StoredReport {
  readonly files: number
  readonly bytes: number
  /** Entries whose bytes stay elsewhere: counted, not checked. */
  readonly references: number
  /** Files of a partial version of which not all bytes are here. */
  readonly notFetched: number
  readonly damage: Damage
}

export interface VerifyOptions extends OperationOptions {
  readonly jobs?: number | undefined
  /** What is nowhere was not fetched. */
  readonly isPartial?: boolean
}

/**
 * Reads every object of the version whose tree has this root. A chunk that several files share is read once, and where
 * it is damaged all of them are named.
 * @throws ArtifactsError ERR_DAMAGED when a node of the tree can't be read: then what is below it is not known.
 */
export async function verifyStored(
  store: OpenedStore,
  root: ObjectId,
  options: VerifyOptions = {},
): Promise<StoredReport> {
  await loadHashes()
  const { layout, io } = store
  const decide = (): never => {
    throw new Error('Nothing is stored by a verification.')
  }
  const engine = { root: layout.root, durability: io.durability, decide }
  const pool = lazyPool(engine, workerCount(options.jobs))
  try {
    return await new Verification(store, pool, options).run(root)
  } finally {
    await pool.close()
  }
}

const GROUP_RECORDS = 512
const GROUP_BYTES = 4 << 20
const JOBS = 12

/** A chunk, and the first file that it was met in. */
interface Wanted {
  readonly id: Buffer
  readonly length: number
  readonly path: string
}

/** Where records were looked up: in which of the places that have each, and what the index had seen by then. */
interface Lookup {
  readonly which: number
  readonly moment: number
}

class Verification {
  readonly #store: OpenedStore
  readonly #pool: LazyPool
  readonly #options: VerifyOptions
  readonly #seen = new IdSet()
  readonly #damage: Damage = new Map()
  /** Chunks known to be damaged, and why. */
  readonly #bad = new Map<string, string>()
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly reason: unknown } | undefined
  /** The records of a group, and what the index had seen when the first of them was looked up. */
  #records: RecordList
  #moment: number
  #wanted: Wanted[] = []
  #groupBytes = 0
  #files = 0
  #bytes = 0
  #references = 0
  readonly #notFetched = new Set<string>()

  constructor(store: OpenedStore, pool: LazyPool, options: VerifyOptions) {
    this.#store = store
    this.#pool = pool
    this.#options = options
    this.#records = new RecordList(store)
    this.#moment = store.index.seen
  }

  async run(root: ObjectId): Promise<StoredReport> {
    for (const entry of entries(nodeReader(this.#store), root)) {
      this.#options.signal?.throwIfAborted()
      this.#count(entry)
      if (entry.kind === 'file') await this.#addFile(entry)
    }
    await this.#flush()
    while (this.#running.size > 0) {
      await this.#pool.wait(Promise.race(this.#running))
      this.#options.signal?.throwIfAborted()
    }
    if (this.#failure !== undefined) throw this.#failure.reason
    if (this.#bad.size > 0) this.#nameOthers(root)
    return {
      files: this.#files,
      bytes: this.#bytes,
      references: this.#references,
      notFetched: this.#notFetched.size,
      damage: this.#damage,
    }
  }

  #count(entry: Entry): void {
    if (entry.kind === 'reference') this.#references++
    if (entry.kind !== 'directory') this.#files++
    this.#bytes += entrySize(entry)
  }

  async #addFile({ path, content, size }: FileEntry): Promise<void> {
    if (content.kind === 'inline') return
    if (content.kind === 'chunk') {
      await this.#addChunk(Buffer.from(content.id, 'hex'), size, path)
      return
    }
    if (this.#lacks(content.id)) {
      this.#notFetched.add(path)
      return
    }
    const recipe = this.#recipe(content.id, size)
    if (typeof recipe === 'string') {
      this.#damage.set(path, recipe)
      return
    }
    for (const [index, length] of recipe.lengths.entries()) {
      await this.#addChunk(recipe.ids.subarray(index * 32, index * 32 + 32), length, path)
    }
  }

  /** Whether a recipe of a partial version, or a part of it, is not here. */
  #lacks(id: ObjectId): boolean {
    if (this.#options.isPartial !== true) return false
    try {
      readRecipe(this.#store, id)
      return false
    } catch (error) {
      if (error instanceof ArtifactsError && error.code === 'ERR_NOT_FETCHED') return true
      if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return false
      throw error
    }
  }

  async #addChunk(id: Buffer, length: number, path: string): Promise<void> {
    const place = locateAnew(this.#store, id)
    if (place === undefined && this.#options.isPartial === true) {
      this.#notFetched.add(path)
      return
    }
    if (place === undefined) {
      const { objects } = this.#store.index
      this.#fail(id, path, objects.missing(id.toString('hex') as ObjectId).message)
      return
    }
    const actual = lengthAsChunk(kindOf(place.type), place.raw)
    if (actual !== length) {
      // What names the chunk is wrong, not the chunk.
      this.#damage.set(path, `object ${place.id} has ${actual} bytes where ${length} are expected`)
      return
    }
    if (!this.#seen.add(id, 0)) return
    this.#records.push(id, length, place)
    this.#wanted.push({ id, length, path })
    this.#groupBytes += length
    if (this.#wanted.length >= GROUP_RECORDS || this.#groupBytes >= GROUP_BYTES) await this.#flush()
  }

  async #flush(): Promise<void> {
    if (this.#wanted.length === 0) return
    const records = this.#records
    const wanted = this.#wanted
    const moment = this.#moment
    const bytes = this.#groupBytes
    this.#records = new RecordList(this.#store)
    this.#moment = this.#store.index.seen
    this.#wanted = []
    this.#groupBytes = 0
    const run = this.#check(wanted, records, { which: 0, moment })
      .then(() => this.#report(bytes))
      .catch((reason: unknown) => {
        this.#failure ??= { reason }
      })
      .finally(() => this.#running.delete(run))
    this.#running.add(run)
    if (this.#running.size >= JOBS) {
      await this.#pool.wait(Promise.race(this.#running))
    }
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  /**
   * Reads chunks where `records` says; those that are damaged there, in the next pack that has them, or where the log
   * went on meanwhile, in all anew, for gc may have moved them.
   */
  async #check(wanted: readonly Wanted[], records: RecordList, lookup: Lookup): Promise<void> {
    const { damage } = await this.#pool.run({ kind: 'check', records: records.take() })
    if (damage.size === 0) return
    const { index } = this.#store
    const which = index.hasMovedOn(lookup.moment) ? 0 : lookup.which + 1
    const moment = index.seen
    const elsewhere = new RecordList(this.#store)
    const again: Wanted[] = []
    for (const [at, reason] of damage) {
      const chunk = wanted[at] as Wanted
      if (elsewhere.add(chunk.id, chunk.length, which)) again.push(chunk)
      else this.#fail(chunk.id, chunk.path, reason)
    }
    if (again.length > 0) await this.#check(again, elsewhere, { which, moment })
  }

  #fail(id: Buffer, path: string, reason: string): void {
    this.#bad.set(id.toString('hex'), reason)
    this.#damage.set(path, reason)
  }

  /** Names all files that have a damaged chunk, not only the first. */
  #nameOthers(root: ObjectId): void {
    for (const entry of entries(nodeReader(this.#store), root)) {
      if (entry.kind !== 'file' || entry.content.kind === 'inline') continue
      const reason = this.#badChunk(entry)
      if (reason !== undefined) this.#damage.set(entry.path, reason)
    }
  }

  #badChunk({ content, size }: FileEntry): string | undefined {
    if (content.kind === 'inline') return undefined
    if (content.kind === 'chunk') return this.#bad.get(content.id)
    if (this.#lacks(content.id)) return undefined
    const recipe = this.#recipe(content.id, size)
    if (typeof recipe === 'string') return recipe
    for (let at = 0; at < recipe.ids.length; at += 32) {
      const reason = this.#bad.get(recipe.ids.toString('hex', at, at + 32))
      if (reason !== undefined) return reason
    }
    return undefined
  }

  #recipe(id: ObjectId, size: number): ReturnType<typeof readRecipe> | string {
    try {
      return readRecipe(this.#store, id, size)
    } catch (error) {
      if (isLoss(error)) return error.message
      throw error
    }
  }

  #checked = 0
  #report(bytes: number): void {
    this.#checked += bytes
    this.#options.onProgress?.({ phase: 'verify', files: 0, bytes: this.#checked })
  }
}
