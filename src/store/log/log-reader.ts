/**
 * Reads operations one after another, wherever they stand: in files of their own, or in segments (docs/format.md section
 * 6). A file that is empty is read in a segment; so is one that is damaged, if it can be.
 *
 * Names can be seen late, and segments come and go while the log is read: a small one gives way to a large one that holds
 * the same. So before an operation is called damaged, the directory is listed again for a while.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { ArtifactsError, damaged, isSystemError } from '../../errors.ts'
import { isShared } from '../io/file-system.ts'
import { type Layout, operationPath } from '../layout.ts'
import { holds, type Listing, listLog } from './listing.ts'
import { decodeOperation, type LogEntry, MAX_LINE, TAIL } from './operation.ts'
import { hashOfRecord, isSound, type Segment, SegmentCursor } from './segment.ts'

export interface LogReaderOptions {
  /** Reads segments rather than single files wherever it can: for whoever reads the whole log. */
  readonly wholeLog: boolean
}

/** How long names may take to be seen. Milliseconds. */
const PATIENCE = { local: 500, shared: 60_000 }
const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 1_000

/** Makes of an operation's bytes what is asked for, or throws ERR_DAMAGED. The bytes are soon overwritten. */
type Decode<T> = (bytes: Buffer, path: string) => T

/** What was found of an operation in segments, or what is wrong with the first that should hold it. */
interface InSegments<T> {
  readonly value?: T
  readonly problem?: unknown
}

export class LogReader implements Disposable {
  readonly #layout: Layout
  readonly #wholeLog: boolean
  /** Undefined as long as no segment was needed. */
  #listing: Listing | undefined
  #cursor: SegmentCursor | undefined
  /** What is wrong with segments, by path: those are not looked at again. */
  readonly #damage = new Map<string, unknown>()

  constructor(layout: Layout, options: LogReaderOptions = { wholeLog: false }) {
    this.#layout = layout
    this.#wholeLog = options.wholeLog
  }

  /** Whether number `n` is taken. */
  has(n: number): boolean {
    return existsSync(operationPath(this.#layout, n)) || (this.#wholeLog && this.#isInSegment(n))
  }

  /**
   * Reads operation `n`, which follows the hash `prev` (undefined: any); undefined when its number is free. Fastest
   * in ascending order. Throws ERR_DAMAGED.
   */
  read(n: number, prev: string | undefined): LogEntry | undefined {
    const entry = this.#find(n, (bytes, path) => decodeOperation(bytes, { n, prev, path }))
    if (entry !== undefined && this.#wholeLog) this.#compareSegments(n, entry.hash)
    return entry
  }

  /** Returns the bytes of operation `n`, which bears this hash; the next call overwrites them. Throws ERR_DAMAGED. */
  bytes(n: number, hash: string): Buffer | undefined {
    return this.#find(n, (bytes, path) => {
      if (hashOfRecord(bytes) === hash) return bytes
      throw damaged(`Operation ${n} in "${path}" is not the one that the index knows.`)
    })
  }

  /** Whether operation `n` bears this hash. Its own file suffices, if it says so. */
  bears(n: number, hash: string): boolean {
    const line = `\n${hash}\n`
    if (readTail(operationPath(this.#layout, n), TAIL)?.equals(Buffer.from(line)) === true)
      return true
    if (!this.#isInSegment(n)) return false
    const found = this.#inSegments(n, (bytes) => bytes.toString('latin1', bytes.length - TAIL))
    return found.value === line
  }

  close(): void {
    this.#cursor?.close()
    this.#cursor = undefined
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #find<T>(n: number, decode: Decode<T>): T | undefined {
    if (this.#wholeLog) this.#listing ??= listLog(this.#layout)
    const known = this.#inSegments(n, decode)
    if (known.value !== undefined) return known.value

    let { problem } = known
    const path = operationPath(this.#layout, n)
    const bytes = readTail(path, MAX_LINE + TAIL + 1)
    if (bytes === undefined && problem === undefined) return undefined
    if (bytes !== undefined && bytes.length > 0) {
      try {
        return decode(bytes, path)
      } catch (error) {
        if (!isDamage(error)) throw error
        problem ??= error
      }
    }
    const isEmpty = bytes?.length === 0
    for (const pause of isEmpty ? pauses(this.#layout) : [0]) {
      sleep(pause)
      this.#listing = listLog(this.#layout)
      const found = this.#inSegments(n, decode)
      if (found.value !== undefined) return found.value
      // Once a segment that should hold it is there, nothing is late.
      problem ??= found.problem
      if (problem !== undefined) throw problem
    }
    throw problem ?? damaged(`Operation "${path}" is empty, and no segment holds it.`)
  }

  /** Looks into the segments that are known. */
  #inSegments<T>(n: number, decode: Decode<T>): InSegments<T> {
    let problem: unknown
    for (;;) {
      const segment =
        this.#current(n) ?? this.#segmentsWith(n).find(({ path }) => !this.#damage.has(path))
      if (segment === undefined) break
      try {
        return { value: decodeIn(segment, n, this.#cursorAt(segment, n).read(n), decode) }
      } catch (error) {
        this.close()
        if (isSystemError(error, 'ENOENT')) this.#forget(segment)
        else if (isDamage(error)) this.#damage.set(segment.path, error)
        else throw error
      }
    }
    for (const { path } of this.#segmentsWith(n)) problem ??= this.#damage.get(path)
    return problem === undefined ? {} : { problem }
  }

  /** The segment that is being read, if `n` is next in it. */
  #current(n: number): Segment | undefined {
    const cursor = this.#cursor
    return cursor?.next === n && holds(cursor.segment, n) ? cursor.segment : undefined
  }

  #segmentsWith(n: number): readonly Segment[] {
    return this.#listing?.segments.filter((segment) => holds(segment, n)) ?? []
  }

  #cursorAt(segment: Segment, n: number): SegmentCursor {
    const cursor = this.#cursor
    if (cursor?.segment.path === segment.path && cursor.next <= n) return cursor
    this.close()
    this.#cursor = new SegmentCursor(segment)
    return this.#cursor
  }

  /** A segment is gone since it was listed; what holds its operations now is found by listing again, if need be. */
  #forget({ path }: Segment): void {
    const { highest, segments } = this.#listing as Listing
    this.#listing = { highest, segments: segments.filter((segment) => segment.path !== path) }
  }

  #isInSegment(n: number): boolean {
    this.#listing ??= listLog(this.#layout)
    return this.#segmentsWith(n).length > 0
  }

  /** Throws where another sound segment ends with another operation `n` than the one that is read: the chain says the rest. */
  #compareSegments(n: number, hash: string): void {
    const read = this.#cursor?.segment.path
    for (const segment of this.#listing?.segments ?? []) {
      if (segment.last !== n || segment.path === read || this.#damage.has(segment.path)) continue
      const tail = readTail(segment.path, TAIL)
      if (tail === undefined || tail.equals(Buffer.from(`\n${hash}\n`)) || !isSound(segment))
        continue
      throw damaged(`Segments "${read}" and "${segment.path}" hold different operations.`)
    }
  }
}

function decodeIn<T>({ path }: Segment, n: number, bytes: Buffer, decode: Decode<T>): T {
  try {
    return decode(bytes, path)
  } catch (error) {
    if (!isDamage(error)) throw error
    throw damaged(`Segment "${path}" is damaged at operation ${n}.`, { cause: error })
  }
}

/** Pauses before each look, the first of them 0. */
function* pauses(layout: Layout): Generator<number> {
  yield 0
  const patience = isShared(layout.log) ? PATIENCE.shared : PATIENCE.local
  for (let waited = 0, pause = FIRST_PAUSE_MS; waited < patience; waited += pause) {
    yield pause
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
  }
}

function sleep(milliseconds: number): void {
  if (milliseconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

function isDamage(error: unknown): boolean {
  return error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
}

/** Reads the last `most` bytes of a file; undefined when it does not exist. */
function readTail(path: string, most: number): Buffer | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    const { size } = fstatSync(fd)
    const bytes = Buffer.allocUnsafe(Math.min(size, most))
    let done = 0
    while (done < bytes.length) {
      const read = readSync(fd, bytes, done, bytes.length - done, size - bytes.length + done)
      if (read === 0) break
      done += read
    }
    return bytes.subarray(0, done)
  } finally {
    closeSync(fd)
  }
}
