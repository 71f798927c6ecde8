/**
 * Remembers what the files of directories held when they were last read, so that a commit, a comparison or a checkout
 * reads only what may have changed. A merge of two sorted sequences: the batches of a walk, and the segments of the cache.
 *
 * ```
 * const scan = cache.scan('data', clock)
 * for (const batch of walk(root)) {
 *   const matched = scan.match(batch)        // clean rows are done; read the others, then confirm() or set() them
 *   scan.record(matched)                     // in the order of match(); batches may be matched ahead
 * }
 * scan.finish()
 * ```
 *
 * What a scan does not record is forgotten, and rows left unknown or unsure are. Trouble with the database ends the
 * caching, not the scan. Segments in which nothing is new are not written.
 */
import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Io } from '../io/io.ts'
import type { WalkBatch } from './batch.ts'
import type { FileClock } from './clock.ts'
import { systemCode } from './findings.ts'
import { MatchedBatch } from './matched-batch.ts'
import { type SegmentChange, StatDatabase } from './stat-database.ts'
import { StatReader, type WindowPart } from './stat-reader.ts'
import type { StatWindow } from './stat-window.ts'

export interface StatCacheOptions {
  readonly io: Io
  /** The database file, in a directory that exists. */
  readonly path: string
  /** The store's id. */
  readonly store: string
  /** The folder that directories are relative to. */
  readonly workspace: string
}

export interface ScanCacheOptions {
  /** The walk leaves out files by `include` or `exclude`, or is about one file: what it does not come by is kept. */
  readonly partial?: boolean
}

/** Blocks of segments wait in memory up to this many bytes. */
const PENDING_BYTES = 8 << 20
const PRUNE_MS = 7 * 24 * 3600 * 1000

export class StatCache {
  readonly #database: StatDatabase
  readonly #workspace: string

  /** Hashes must be loaded (checksum.ts). */
  constructor({ io, path, store, workspace }: StatCacheOptions) {
    this.#database = new StatDatabase(io, path, store)
    this.#workspace = workspace
  }

  /**
   * Begins a scan of `directory`: relative to the workspace with `/` and empty for itself, or absolute. The clock was
   * read before the walk began.
   */
  scan(directory: string, clock: FileClock, options: ScanCacheOptions = {}): StatScan {
    return new StatScan(this.#database, directory, clock, this.#workspace, options.partial ?? false)
  }

  /** Forgets a directory and what is below it. */
  invalidate(directory: string): void {
    this.#database.forget(directory)
  }

  close(): void {
    this.#database.close()
  }
}

/** What `record` needs to know about a batch that was matched. */
interface Matching {
  readonly matched: MatchedBatch
  readonly parts: readonly WindowPart[]
  /** Windows that ended before this batch. */
  readonly closed: readonly StatWindow[]
}

export class StatScan {
  readonly #database: StatDatabase
  readonly #base: string
  readonly #clock: FileClock
  readonly #workspace: string
  readonly #isPartial: boolean
  /** Of the directory that the walk is in and those above it. */
  readonly #readers: StatReader[] = []
  readonly #matchings: Matching[] = []
  #closed: StatWindow[] = []
  #pending: SegmentChange[] = []
  #pendingBytes = 0

  constructor(
    database: StatDatabase,
    base: string,
    clock: FileClock,
    workspace: string,
    isPartial: boolean,
  ) {
    this.#database = database
    this.#base = base
    this.#clock = clock
    this.#workspace = workspace
    this.#isPartial = isPartial
  }

  /** Takes the batches of a walk in order. */
  match(batch: WalkBatch): MatchedBatch {
    const matched = new MatchedBatch(batch)
    const reader = this.#enter(batch.directory)
    const closed = this.#closed
    const inside: StatWindow[] = []
    const parts = reader.match(matched, this.#clock, inside)
    this.#closed = inside
    this.#matchings.push({ matched, parts, closed })
    return matched
  }

  /** Takes what `match` returned, completed by the caller, in the same order. */
  record(matched: MatchedBatch): void {
    const matching = this.#matchings.shift()
    if (matching?.matched !== matched)
      throw new Error('Batches are recorded in the order of matching.')
    this.#write(matching.closed)
    for (const { window, from, to } of matching.parts) {
      window.add(matched, from, to)
      this.#writeOne(window, false)
    }
  }

  /** Writes what has changed. Without it, what was recorded may be remembered or not. */
  finish(): void {
    if (this.#matchings.length > 0) throw new Error('A batch was matched but not recorded.')
    for (const reader of this.#readers.splice(0).reverse()) reader.close(this.#closed)
    this.#write(this.#closed.splice(0))
    this.#flush()
    const { now } = this.#clock
    this.#database.prune(now - PRUNE_MS, now, (directory) => this.#isThere(directory))
  }

  /** The walk is depth first: directories that are not above this one are done. */
  #enter(directory: string): StatReader {
    for (;;) {
      const top = this.#readers.at(-1)
      if (top?.directory === directory) return top
      if (top === undefined || top.directory === '' || directory.startsWith(`${top.directory}/`)) {
        const key = [this.#base, directory].filter((part) => part !== '').join('/')
        const isThere = (name: string): boolean =>
          this.#isThere(key === '' ? name : `${key}/${name}`)
        const reader = new StatReader(
          this.#database,
          directory,
          key,
          this.#isPartial ? isThere : undefined,
        )
        this.#readers.push(reader)
        return reader
      }
      this.#readers.pop()
      top.close(this.#closed)
    }
  }

  #isThere(key: string): boolean {
    try {
      return lstatSync(resolve(this.#workspace, key), { throwIfNoEntry: false }) !== undefined
    } catch (error) {
      systemCode(error)
      return false
    }
  }

  #write(windows: readonly StatWindow[]): void {
    for (const window of windows) this.#writeOne(window, true)
  }

  #writeOne(window: StatWindow, isOver: boolean): void {
    const change = window.take(isOver, this.#clock)
    if (change === undefined) return
    this.#pending.push(change)
    for (const { block } of change.added) this.#pendingBytes += block.length
    if (this.#pendingBytes > PENDING_BYTES) this.#flush()
  }

  #flush(): void {
    if (this.#pending.length > 0) this.#database.write(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
  }
}
