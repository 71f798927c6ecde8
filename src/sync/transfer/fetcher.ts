/**
 * Gets objects from where a remote's tables say they are: whole packs where most of one is wanted, else ranges, several
 * requests at once. Nothing is believed: a record counts when its bytes hash to its id.
 */
import { ArtifactsError } from '../../errors.ts'
import type { Location } from '../../store/index/objects.ts'
import type { StateView } from '../../store/index/state.ts'
import type { Io } from '../../store/io/io.ts'
import type { JoiningPack } from '../../store/log/operation.ts'
import { decompress } from '../../store/object/compression.ts'
import { lengthAsChunk, objectId, readId } from '../../store/object/id.ts'
import { codecOf, kindOf, RECORD_HEADER_BYTES } from '../../store/object/pack.ts'
import type { StoredObject } from '../../store/object/pack-reader.ts'
import type { ObjectId, OperationOptions } from '../../types.ts'
import { type Backend, type Range, readAll } from '../backend.ts'
import { packName } from '../put-pack.ts'
import { remoteDamaged } from './errors.ts'
import { type Inbox, payloadOf, payloads } from './inbox.ts'
import type { WantedVersion } from './missing-there.ts'
import { UNKNOWN, type Wanted } from './wanted.ts'

/** What is known of the place that objects come from: a remote's mirror, or a bundle. */
export interface Sender {
  /** Its state, where it has one: the versions before those that come are likely to be here. */
  readonly state?: Pick<StateView, 'versionById' | 'versionBefore'>
  /** All places there that have an object (32 bytes). */
  locations(id: Uint8Array): Location[]
  /** What its log says of a pack that it has named and not dropped. */
  pack(id: ObjectId): JoiningPack | undefined
  /** Looks for operations that came since. */
  readNews(backend: Backend, options?: OperationOptions): Promise<unknown>
  /** Makes the places of objects known that came with them. */
  loadTables(backend: Backend, options?: OperationOptions): Promise<void>
}

export interface FetchOptions extends OperationOptions {
  /** Whether all bytes of files are wanted: then what metadata lies beside in one pack is as well. */
  readonly content: boolean
}

/** A pack, and what is wanted of it: where that lies in it is looked up when it is needed, there may be very much of it. */
interface Task {
  readonly pack: JoiningPack
  readonly wanted: Wanted
  /** In `wanted`. */
  readonly indexes: number[]
  /** Of their records, with headers. */
  bytes: number
}

/** Objects whose places are looked up before the first of them is fetched. */
const PLANNED_AT_ONCE = 1 << 20
/** Requests at once. */
const DOWNLOADS = 8
/** A pack of which so much is wanted comes whole. */
const WHOLE_SHARE = 0.6
/** A smaller one comes by the range from the first to the last record that is wanted. */
const WHOLE_BYTES = 1 << 20
/** A pack of metadata up to this size comes whole: what is wanted of it next is not known yet. */
const WHOLE_META_BYTES = 8 << 20
/** Ranges with less than this between them come as one. */
const GAP_BYTES = 256 << 10
/** The longest range, in bytes: it is held in memory. */
const RANGE_BYTES = 8 << 20

export class Fetcher {
  /** Payloads, or whole packs, that came. */
  bytes = 0
  /** What is known to come, with what came. */
  #total = 0
  readonly #backend: Backend
  readonly #sender: Sender
  readonly #inbox: Inbox
  readonly #io: Io
  readonly #options: FetchOptions
  /** Packs that are named and not there. */
  readonly #lost = new Set<ObjectId>()

  constructor(
    from: { readonly backend: Backend; readonly sender: Sender },
    inbox: Inbox,
    io: Io,
    options: FetchOptions,
  ) {
    this.#backend = from.backend
    this.#sender = from.sender
    this.#inbox = inbox
    this.#io = io
    this.#options = options
  }

  /** Versions there that may share much with this one: its parents, and the last ones before it. */
  neighbours({ id, object }: WantedVersion): ObjectId[] {
    const { state } = this.#sender
    const row = state?.versionById(id)
    const before = [1, 2, 3].flatMap((back) => {
      const other = row && state?.versionBefore(row.artifact, row.number, back)
      return other === undefined ? [] : [other.id]
    })
    return [...object.parents, ...before]
  }

  /** Where an object lies there. */
  locations(id: Uint8Array): Location[] {
    return this.#sender.locations(id)
  }

  /**
   * Gets all of the wanted objects from number `from` on that are not in the inbox.
   * @throws ArtifactsError ERR_DAMAGED when one can't be had, or is not what it should be
   */
  async fetch(wanted: Wanted, from = 0): Promise<void> {
    for (let at = from; at < wanted.size; at += PLANNED_AT_ONCE) {
      const count = Math.min(PLANNED_AT_ONCE, wanted.size - at)
      await this.#fetchSome(
        wanted,
        Array.from({ length: count }, (_, index) => at + index),
      )
    }
  }

  async #fetchSome(wanted: Wanted, indexes: number[]): Promise<void> {
    let left = indexes
    let isNews = false
    while (left.length > 0) {
      const { tasks, absent } = await this.#plan(wanted, left)
      if (absent.length > 0 && isNews) throw this.#lacks(wanted, absent)
      const gone = await this.#run(tasks)
      for (const { pack } of gone) this.#lost.add(pack.id)
      left = [...absent, ...gone.flatMap(({ indexes }) => indexes)]
      isNews = left.length > 0
      if (isNews) await this.#readNews()
    }
  }

  async #plan(
    wanted: Wanted,
    indexes: readonly number[],
  ): Promise<{ tasks: Task[]; absent: number[] }> {
    const tasks = new Map<ObjectId, Task>()
    const absent: number[] = []
    for (const [n, index] of indexes.entries()) {
      if (n % 4096 === 4095) await breathe(this.#options)
      const bytes = wanted.ids.at(index)
      const places = this.#sender.locations(bytes)
      for (const place of places) checkLength(place, wanted.length(index))
      if (this.#inbox.has(readId(bytes), places)) continue
      const usable = places.filter(({ pack }) => !this.#lost.has(pack))
      const place = usable.find(({ pack }) => tasks.has(pack)) ?? usable[0]
      const pack = place && this.#sender.pack(place.pack)
      if (place === undefined || pack === undefined) {
        absent.push(index)
        continue
      }
      let task = tasks.get(pack.id)
      if (task === undefined) {
        task = { pack, wanted, indexes: [], bytes: 0 }
        tasks.set(pack.id, task)
      }
      task.indexes.push(index)
      task.bytes += RECORD_HEADER_BYTES + place.stored
    }
    return { tasks: [...tasks.values()], absent }
  }

  /** Returns the tasks whose packs are gone. */
  async #run(tasks: readonly Task[]): Promise<Task[]> {
    for (const task of tasks) this.#total += this.#isWhole(task) ? task.pack.bytes : task.bytes
    const gone: Task[] = []
    const failures: unknown[] = []
    const controller = new AbortController()
    const { signal } = this.#options
    const stop = (): void => controller.abort(signal?.reason)
    signal?.addEventListener('abort', stop, { once: true })
    let next = 0
    const work = async (): Promise<void> => {
      while (next < tasks.length && failures.length === 0) {
        const task = tasks[next++] as Task
        try {
          controller.signal.throwIfAborted()
          await this.#get(task, controller.signal)
        } catch (error) {
          if (isAbsent(error)) gone.push(task)
          else {
            failures.push(error)
            controller.abort(error)
          }
        }
      }
    }
    try {
      signal?.throwIfAborted()
      await Promise.all(Array.from({ length: DOWNLOADS }, work))
    } finally {
      signal?.removeEventListener('abort', stop)
    }
    if (failures.length > 0) throw failures[0]
    return gone
  }

  async #get(task: Task, signal: AbortSignal): Promise<void> {
    if (this.#isWhole(task)) await this.#getPack(task, signal)
    else {
      const ranges = rangesOf(this.#placesOf(task))
      for (const range of ranges) await this.#getRange(task.pack.id, range, signal)
    }
  }

  #isWhole({ pack, bytes }: Task): boolean {
    const holdsMeta = pack.kind === 'meta' || (pack.kind === 'mixed' && this.#options.content)
    if (holdsMeta && pack.bytes <= WHOLE_META_BYTES) return true
    return pack.bytes >= WHOLE_BYTES && bytes >= pack.toc[0] * WHOLE_SHARE
  }

  #placesOf({ pack, wanted, indexes }: Task): Location[] {
    return indexes.flatMap(
      (index) =>
        this.#sender.locations(wanted.ids.at(index)).find((place) => place.pack === pack.id) ?? [],
    )
  }

  async #getPack(task: Task, signal: AbortSignal): Promise<void> {
    const { pack } = task
    const wasLeft = this.#inbox.findLeft(pack.id)
    if (!wasLeft) await this.#download(pack, signal)
    if (await this.#inbox.take(pack, wasLeft)) return
    for (const [place, payload] of payloads(this.#inbox.pathOf(pack.id), this.#placesOf(task))) {
      this.#inbox.append(place, verified(payload, place))
    }
  }

  async #download(pack: JoiningPack, signal: AbortSignal): Promise<void> {
    const { size, bytes } = await this.#backend.get(packName(pack.id), { signal })
    if (size !== pack.bytes) {
      // Closes what is open.
      for await (const _ of bytes) break
      throw remoteDamaged(`Pack "${pack.id}" has ${size} bytes, where the log says ${pack.bytes}.`)
    }
    const fd = this.#io.open(this.#inbox.pathOf(pack.id), 'w')
    try {
      let left = size
      for await (const piece of bytes) {
        left -= piece.length
        if (left < 0) throw remoteDamaged(`Pack "${pack.id}" does not end where it should.`)
        this.#io.writeAll(fd, piece)
        this.#count(piece.length)
      }
      if (left > 0) throw remoteDamaged(`Pack "${pack.id}" ends ${left} bytes early.`)
      await this.#io.fdatasyncAsync(fd)
    } finally {
      this.#io.close(fd)
    }
  }

  async #getRange(pack: ObjectId, places: readonly Location[], signal: AbortSignal): Promise<void> {
    const start = (places[0] as Location).offset
    const end = endOf(places.at(-1) as Location)
    const bytes = await this.#read(pack, { start, end }, signal)
    for (const place of places) {
      const payload = payloadOf(bytes.subarray(place.offset - start), place)
      this.#inbox.append(place, verified(payload, place))
      this.#count(RECORD_HEADER_BYTES + payload.length)
    }
  }

  async #read(pack: ObjectId, range: Range, signal: AbortSignal): Promise<Buffer> {
    const most = range.end - range.start
    try {
      const bytes = await readAll(this.#backend, packName(pack), { range, signal, most })
      if (bytes.length === most) return bytes
    } catch (error) {
      if (!(error instanceof ArtifactsError) || error.code !== 'ERR_INVALID_VALUE') throw error
    }
    throw remoteDamaged(`Pack "${pack}" is shorter than the log says.`)
  }

  async #readNews(): Promise<void> {
    await this.#sender.readNews(this.#backend, this.#options)
    await this.#sender.loadTables(this.#backend, this.#options)
  }

  #count(bytes: number): void {
    this.bytes += bytes
    const total = { files: 0, bytes: Math.max(this.#total, this.bytes) }
    this.#options.onProgress?.({ phase: 'receive', files: 0, bytes: this.bytes, total })
  }

  #lacks(wanted: Wanted, absent: readonly number[]): ArtifactsError {
    const id = readId(wanted.ids.at(absent[0] as number))
    const more = absent.length > 1 ? ` and ${absent.length - 1} more` : ''
    return remoteDamaged(`"${this.#backend.address}" does not have the object "${id}"${more}.`)
  }
}

/** Lets Ctrl-C in. */
export async function breathe({ signal }: OperationOptions): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  signal?.throwIfAborted()
}

/** The payload, if it stands for the object that it should be. */
function verified(payload: Buffer, { id, type, raw }: Location): Buffer {
  const bytes = decompress(codecOf(type), payload, raw)
  if (objectId(kindOf(type), bytes) !== id) {
    throw remoteDamaged(`Object "${id}" has other bytes than its name says.`)
  }
  return payload
}

/** @throws ArtifactsError ERR_DAMAGED for an object that has another length, as a chunk, than what names it says */
export function checkLength({ id, type, raw }: StoredObject, expected: number): void {
  const length = lengthAsChunk(kindOf(type), raw)
  if (expected !== UNKNOWN && length !== expected) {
    throw remoteDamaged(`Chunk "${id}" has ${length} bytes, where ${expected} are expected.`)
  }
}

/** Groups records that are near to each other, by where they begin. */
function* rangesOf(places: readonly Location[]): Generator<Location[]> {
  let range: Location[] = []
  for (const place of places.toSorted((a, b) => a.offset - b.offset)) {
    const last = range.at(-1)
    const isNear =
      last !== undefined &&
      place.offset - endOf(last) < GAP_BYTES &&
      endOf(place) - (range[0] as Location).offset <= RANGE_BYTES
    if (!isNear && range.length > 0) {
      yield range
      range = []
    }
    range.push(place)
  }
  if (range.length > 0) yield range
}

function endOf({ offset, stored }: Location): number {
  return offset + RECORD_HEADER_BYTES + stored
}

function isAbsent(error: unknown): boolean {
  return error instanceof ArtifactsError && error.code === 'ERR_NOT_FOUND'
}
