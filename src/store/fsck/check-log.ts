/**
 * Checks every operation: its checksum, its place in the chain, its changes, and the fold of all of them, which becomes
 * the fresh index; then every file that holds one, for an operation that can be read in a segment may be damaged in its
 * own. Behind an operation that is lost the others are still read, and what they say is used as far as it fits: it
 * decides which versions and packs are examined.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { fold, foldWhatFits } from '../index/fold.ts'
import { forgetDropped, joinPacks } from '../index/packs.ts'
import { RuleError } from '../index/rules.ts'
import { operationPath } from '../layout.ts'
import { holds, type Listing, listLog } from '../log/listing.ts'
import { LogReader } from '../log/log-reader.ts'
import type { LogEntry, Operation } from '../log/operation.ts'
import { checkSegment, hashOfRecord } from '../log/segment.ts'
import type { Counts, Examination } from './examination.ts'
import { FreshIndex } from './fresh-index.ts'

/** Bounds a transaction. */
const OPERATIONS_AT_ONCE = 256
const PACK = /^([0-9a-f]{64})\.pack$/

export function checkLog(examination: Examination): Counts {
  const { io, layout, identity, cacheDir, problems } = examination
  examination.fresh = FreshIndex.create(io, layout, identity, cacheDir)
  let listing: Listing
  try {
    listing = listLog(layout)
  } catch (error) {
    if (!isDamage(error)) throw error
    problems.add('log', layout.log, 'is missing')
    listing = { highest: 0, segments: [] }
    examination.gap = 1
  }
  using walk = new LogWalk(examination, listing)
  walk.readAll()
  if (examination.gap !== undefined) adoptPacks(examination, examination.gap)
  checkFiles(examination, listing, walk.tip)
  const { blocked } = examination
  return {
    operations: walk.operations,
    segments: listing.segments.length,
    ...(blocked === undefined ? {} : { unknownFrom: blocked }),
  }
}

class LogWalk implements Disposable {
  operations = 0
  /** The newest operation there is, as far as is known. */
  tip = 0
  readonly #examination: Examination
  readonly #listing: Listing
  readonly #reader: LogReader
  #prev: string | undefined
  #hasWaited = false

  constructor(examination: Examination, listing: Listing) {
    this.#examination = examination
    this.#listing = listing
    this.#reader = new LogReader(examination.layout, { wholeLog: true })
    this.#prev = examination.isIdentityKnown ? examination.identity.hash : undefined
  }

  readAll(): void {
    const { signal, fresh } = this.#examination
    while (fresh.connection.write(() => this.#readSome())) signal?.throwIfAborted()
  }

  [Symbol.dispose](): void {
    this.#reader.close()
  }

  /** False at the end of the log. */
  #readSome(): boolean {
    for (let read = 0; read < OPERATIONS_AT_ONCE; read++) {
      const n = this.tip + 1
      const entry = this.#read(n)
      if (entry === 'end') return false
      this.tip = n
      if (entry === 'damaged') {
        this.#examination.gap ??= n
        this.#prev = undefined
        continue
      }
      if (entry.kind === 'unknown') {
        this.#examination.blocked = entry.n
        return false
      }
      this.#apply(entry.operation, entry.hash)
      this.operations++
      this.#prev = entry.hash
    }
    return true
  }

  #read(n: number): LogEntry | 'end' | 'damaged' {
    const { layout, problems } = this.#examination
    const path = operationPath(layout, n)
    try {
      if (this.#hasWaited && this.#isHopeless(n)) {
        problems.add('log', path, 'is empty, and no segment holds it')
        return 'damaged'
      }
      const entry = this.#reader.read(n, this.#prev)
      if (entry !== undefined) return entry
      const { highest, segments } = this.#listing
      if (n > highest && !segments.some((segment) => segment.last >= n)) return 'end'
      problems.add('log', path, 'is missing, although later operations exist')
    } catch (error) {
      if (!isDamage(error) && !isSystemError(error, 'EIO', 'EISDIR')) throw error
      problems.add('log', path, reasonOf(error, path))
      this.#hasWaited = true
    }
    return 'damaged'
  }

  /** Empty and in no segment: the reader would wait for one to be seen, each time anew. */
  #isHopeless(n: number): boolean {
    return (
      contentOf(operationPath(this.#examination.layout, n))?.length === 0 &&
      !this.#listing.segments.some((segment) => holds(segment, n))
    )
  }

  #apply(operation: Operation, hash: string): void {
    const { fresh, layout, problems } = this.#examination
    const { connection } = fresh
    const isWhole = this.#examination.gap === undefined
    try {
      connection.write(() => {
        // The check of packs says what is wrong with them.
        joinPacks(connection, { layout, onPackProblem: () => {} }, operation.packs, operation.n)
        forgetDropped(connection, layout, operation.changes)
        if (isWhole) fold(connection, operation, hash)
        else foldWhatFits(connection, operation, hash)
      })
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      if (isWhole) {
        const path = operationPath(layout, operation.n)
        problems.add('log', path, `contradicts the operations before it: ${error.message}`)
        this.#examination.gap = operation.n
      }
      connection.write(() => foldWhatFits(connection, operation, hash))
    }
  }
}

/** What a lost operation named cannot be known: packs that no other one names are taken to be its own. */
function adoptPacks({ fresh, layout }: Examination, gap: number): void {
  for (const name of namesIn(layout.packs)) {
    const id = PACK.exec(name)?.[1]
    if (id !== undefined) fresh.adopt(id as ObjectId, gap)
  }
}

/** Compares what every file of the log holds with the operations as they were read. */
function checkFiles(examination: Examination, { segments }: Listing, tip: number): void {
  const { fresh, layout, problems, blocked } = examination
  const hashOf = (n: number): string | undefined =>
    fresh.connection.value('SELECT hash FROM operation WHERE n = ?', n)
  for (let n = 1; n < (blocked ?? tip + 1); n++) {
    const hash = hashOf(n)
    const path = operationPath(layout, n)
    // What could be read nowhere is named already.
    if (hash === undefined || problems.has(path)) continue
    const content = contentOf(path)
    if (content === undefined) problems.add('log', path, 'is missing; a segment has what it held')
    else if (content.length > 0 && hashOfRecord(content) !== hash) {
      problems.add('log', path, 'is not as it was written; a segment has what it held')
    }
  }
  for (const segment of segments) {
    if (blocked !== undefined && segment.last >= blocked) continue
    try {
      checkSegment(segment, hashOf)
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) continue
      if (!isDamage(error)) throw error
      problems.add('log', segment.path, reasonOf(error, segment.path))
    }
  }
}

/** Undefined where there is no such file, or none that can be read. */
function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EISDIR', 'EIO')) return undefined
    throw error
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function isDamage(error: unknown): error is ArtifactsError {
  return error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
}

/** `Operation "…/log/000000000003.json" does not match its checksum.`, without the name that stands beside it. */
function reasonOf(error: Error, path: string): string {
  return error.message
    .replace(/\.$/, '')
    .replace(/^\w+ "([^"]+)" /, (all, name) => (name === path ? '' : all))
}
