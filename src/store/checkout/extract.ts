/**
 * Writes entries of a version as files: looks up where their bytes are, and hands groups of them to the pool. A record
 * that turns out to be damaged is looked for in the other packs that hold it.
 */
import { constants } from 'node:fs'
import { damaged, isLoss } from '../../errors.ts'
import type { FileEntry, ObjectId } from '../../types.ts'
import type { Location } from '../index/objects.ts'
import type { LazyPool } from '../ingest/lazy-pool.ts'
import type { Records } from '../ingest/protocol.ts'
import { packPath } from '../layout.ts'
import type { ChunkedFile } from '../object/recipe.ts'
import type { OpenedStore } from '../opened.ts'
import { readRecipe } from '../recipes.ts'

/** A file to be written. */
export interface Target {
  readonly entry: FileEntry
  /** Absolute. Its directory exists. */
  readonly file: string
}

export interface ExtractOptions {
  readonly pool: LazyPool
  /** Names for files that are renamed over existing ones when they are whole; undefined: written in place, new. */
  readonly staging: (() => string) | undefined
  readonly onBytes: (files: number, bytes: number) => void
  readonly signal: AbortSignal | undefined
}

/** What could not be read back, by path. */
export type Damage = Map<string, string>

const GROUP_FILES = 256
const GROUP_BYTES = 4 << 20
/** Jobs under way: enough for four threads. */
const JOBS = 12
const { O_CREAT, O_EXCL, O_WRONLY } = constants

/** Writes all targets; returns those whose stored bytes are damaged or missing, which are not written. */
export async function extractFiles(
  store: OpenedStore,
  targets: Iterable<Target>,
  options: ExtractOptions,
): Promise<Damage> {
  const damage: Damage = new Map()
  const running = new Set<Promise<void>>()
  let failure: { readonly reason: unknown } | undefined
  const start = async (work: Promise<void>): Promise<void> => {
    const run = work
      .catch((reason: unknown) => {
        failure ??= { reason }
      })
      .finally(() => running.delete(run))
    running.add(run)
    if (running.size >= JOBS) await oneOf(running, options.pool)
    if (failure !== undefined) throw failure.reason
  }
  let group: Target[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    const full = group
    group = []
    bytes = 0
    if (full.length > 0) await start(extractGroup(store, full, 0, options, damage))
  }
  try {
    for (const target of targets) {
      options.signal?.throwIfAborted()
      if (target.entry.content.kind === 'recipe') {
        await start(extractLarge(store, target, options, damage))
        continue
      }
      group.push(target)
      bytes += target.entry.size
      if (group.length >= GROUP_FILES || bytes >= GROUP_BYTES) await flush()
    }
    await flush()
  } finally {
    while (running.size > 0) await oneOf(running, options.pool)
  }
  if (failure !== undefined) throw failure.reason
  options.signal?.throwIfAborted()
  return damage
}

/** Waits for one of the jobs; the pool may have waited for more work so far. */
async function oneOf(running: ReadonlySet<Promise<unknown>>, pool: LazyPool): Promise<void> {
  await pool.wait(Promise.race(running))
}

/** Throws ERR_DAMAGED that names up to ten paths; nothing when there is no damage. */
export function refuseDamage(ref: string, damage: Damage): void {
  if (damage.size === 0) return
  const list = Array.from(damage, ([path, reason]) => `  "${path}": ${reason}`)
  const named = list.slice(0, 10)
  if (list.length > named.length) named.push(`  and ${list.length - named.length} more`)
  throw damaged(
    `${damage.size} of the files of "${ref}" can't be read back; the others were written:\n${named.join('\n')}`,
    { data: { paths: Array.from(damage.keys()) } },
  )
}

/** Collects records as columns. */
export class RecordList {
  readonly #store: OpenedStore
  readonly #packs = new Map<ObjectId, number>()
  readonly #pack: number[] = []
  readonly #offset: number[] = []
  readonly #stored: number[] = []
  readonly #raw: number[] = []
  readonly #type: number[] = []
  readonly #ids: Buffer[] = []
  readonly #lengths: number[] = []

  constructor(store: OpenedStore) {
    this.#store = store
  }

  get length(): number {
    return this.#pack.length
  }

  /** Adds the chunk of `length` bytes at its location number `which`; false when there are not so many. */
  add(id: Buffer, length: number, which: number): boolean {
    const { objects } = this.#store.index
    const place = which === 0 ? locateAnew(this.#store, id) : objects.locations(id)[which]
    if (place === undefined) return false
    this.push(id, length, place)
    return true
  }

  /** Adds the chunk at a place that is known. */
  push(id: Buffer, length: number, place: Location): void {
    let pack = this.#packs.get(place.pack)
    if (pack === undefined) {
      pack = this.#packs.size
      this.#packs.set(place.pack, pack)
    }
    this.#pack.push(pack)
    this.#offset.push(place.offset)
    this.#stored.push(place.stored)
    this.#raw.push(place.raw)
    this.#type.push(place.type)
    this.#ids.push(id)
    this.#lengths.push(length)
  }

  take(): Records {
    return {
      packs: Array.from(this.#packs.keys(), (id) => packPath(this.#store.layout, id)),
      pack: Uint32Array.from(this.#pack),
      offset: Uint32Array.from(this.#offset),
      stored: Uint32Array.from(this.#stored),
      raw: Uint32Array.from(this.#raw),
      type: Uint8Array.from(this.#type),
      ids: Buffer.concat(this.#ids),
      lengths: Float64Array.from(this.#lengths),
    }
  }
}

/** The first place of an object; where it is found nowhere and the log has gone on, it may be somewhere new. */
export function locateAnew({ index }: OpenedStore, id: Buffer): Location | undefined {
  for (;;) {
    const { seen } = index
    const place = index.objects.locate(id)
    if (place !== undefined || !index.hasMovedOn(seen)) return place
  }
}

/**
 * Writes small files. Those whose record is damaged are tried again with the next place that has it; where the log went
 * on meanwhile, with all places anew, for gc may have moved it.
 */
async function extractGroup(
  store: OpenedStore,
  targets: readonly Target[],
  which: number,
  options: ExtractOptions,
  damage: Damage,
): Promise<void> {
  const { seen } = store.index
  const records = new RecordList(store)
  const file: number[] = []
  const inline = new Map<number, Uint8Array>()
  for (const [index, { entry }] of targets.entries()) {
    const { content, size } = entry
    if (content.kind === 'inline') {
      inline.set(index, content.bytes)
    } else if (records.add(Buffer.from(content.id, 'hex'), size, which)) {
      file.push(index)
    } else if (!damage.has(entry.path)) {
      damage.set(entry.path, store.index.objects.missing(content.id).message)
    }
  }
  const result = await options.pool.run({
    kind: 'extract',
    records: records.take(),
    file: Uint32Array.from(file),
    paths: targets.map((target) => target.file),
    executable: Uint8Array.from(targets, ({ entry }) => (entry.executable ? 1 : 0)),
    inline,
    staging: options.staging?.(),
  })
  const again: Target[] = []
  let written = 0
  let bytes = 0
  const tried = new Set([...inline.keys(), ...file])
  for (const [index, target] of targets.entries()) {
    const reason = result.damage.get(index)
    if (reason !== undefined) {
      damage.set(target.entry.path, reason)
      again.push(target)
    } else if (tried.has(index)) {
      damage.delete(target.entry.path)
      written++
      bytes += target.entry.size
    }
  }
  options.onBytes(written, bytes)
  if (again.length === 0) return
  const next = store.index.hasMovedOn(seen) ? 0 : which + 1
  await extractGroup(store, again, next, options, damage)
}

async function extractLarge(
  store: OpenedStore,
  target: Target,
  options: ExtractOptions,
  damage: Damage,
): Promise<void> {
  const { entry, file } = target
  const { io } = store
  if (entry.content.kind !== 'recipe') throw new Error('Only a recipe is written in parts.')
  const recipe = recipeOrProblem(store, entry.content.id, entry.size)
  if (typeof recipe === 'string') {
    damage.set(entry.path, recipe)
    return
  }
  const name = options.staging?.() ?? file
  const fd = io.open(name, O_WRONLY | O_CREAT | O_EXCL, entry.executable ? 0o777 : 0o666)
  try {
    io.ftruncate(fd, entry.size)
  } finally {
    io.close(fd)
  }
  const reason = await fill(store, name, recipe, options)
  if (reason !== undefined) {
    io.unlink(name)
    damage.set(entry.path, reason)
    return
  }
  if (name !== file) io.rename(name, file)
  options.onBytes(1, 0)
}

function recipeOrProblem(store: OpenedStore, id: ObjectId, size: number): ChunkedFile | string {
  try {
    return readRecipe(store, id, size)
  } catch (error) {
    if (isLoss(error)) return error.message
    throw error
  }
}

interface Part {
  readonly id: Buffer
  readonly at: number
  readonly length: number
}

async function fill(
  store: OpenedStore,
  path: string,
  recipe: ChunkedFile,
  options: ExtractOptions,
): Promise<string | undefined> {
  const running = new Set<Promise<string | undefined>>()
  let problem: string | undefined
  const start = async (parts: readonly Part[], bytes: number): Promise<void> => {
    const run: Promise<string | undefined> = fillParts(store, path, parts, 0, options).then(
      (reason) => {
        running.delete(run)
        problem ??= reason
        options.onBytes(0, bytes)
        return reason
      },
    )
    running.add(run)
    if (running.size >= JOBS) await oneOf(running, options.pool)
  }
  let parts: Part[] = []
  let bytes = 0
  let at = 0
  try {
    for (const [index, length] of recipe.lengths.entries()) {
      options.signal?.throwIfAborted()
      if (problem !== undefined) break
      parts.push({ id: recipe.ids.subarray(index * 32, index * 32 + 32), at, length })
      at += length
      bytes += length
      if (bytes < GROUP_BYTES) continue
      await start(parts, bytes)
      parts = []
      bytes = 0
    }
    if (parts.length > 0) await start(parts, bytes)
  } finally {
    while (running.size > 0) await oneOf(running, options.pool)
  }
  return problem
}

async function fillParts(
  store: OpenedStore,
  path: string,
  parts: readonly Part[],
  which: number,
  options: ExtractOptions,
): Promise<string | undefined> {
  const { seen } = store.index
  const records = new RecordList(store)
  for (const { id, length } of parts) {
    if (!records.add(id, length, which)) {
      return store.index.objects.missing(id.toString('hex') as ObjectId).message
    }
  }
  const result = await options.pool.run({
    kind: 'fill',
    records: records.take(),
    path,
    at: Float64Array.from(parts, ({ at }) => at),
  })
  if (result.damage.size === 0) return undefined
  const again = Array.from(result.damage.keys(), (index) => parts[index] as Part)
  const next = store.index.hasMovedOn(seen) ? 0 : which + 1
  const elsewhere = await fillParts(store, path, again, next, options)
  return elsewhere === undefined ? undefined : result.damage.values().next().value
}
