/**
 * Folds old operations: what a durable segment holds needs no file of its own any more. Its name stays, as one of many
 * hard links of an empty file, for a name that were absent again could be taken by a writer that slept meanwhile
 * (docs/format.md section 6).
 *
 * In this order: `log/` is synced, so that no segment holds what could still be lost; segments that are missing are
 * written; those that are needed are compared with what the index was folded from, and synced; `log/` is synced again;
 * only then does anything go.
 */
import { lstatSync } from 'node:fs'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { Head } from '../index/refresh.ts'
import type { Io } from '../io/io.ts'
import { type Layout, type OperationRange, operationPath, temporaryName } from '../layout.ts'
import { listLog } from './listing.ts'
import { checkSegment, type Segment } from './segment.ts'
import { type FoldedLog, SEGMENT_SIZES, segmentsEndingWith, writeSegment } from './write-segment.ts'

export interface FoldContext extends FoldedLog {
  readonly index: FoldedLog['index'] & { refresh(): Head }
}

export interface FoldOptions {
  /** How old an operation must be, by its `at`. Milliseconds. */
  readonly grace: number
  /** Milliseconds since 1970. */
  readonly now: number
  /** How many of the newest operations keep their files. */
  readonly keep?: number
}

export interface FoldReport {
  /** Segments that were missing. */
  readonly written: number
  /** Operations that are now only in a segment. */
  readonly folded: number
  /** Small segments that gave way to a large one. */
  readonly removed: number
  /** Segments, or operations of missing ones, that are damaged (ERR_DAMAGED): nothing was folded into those. */
  readonly problems: readonly ArtifactsError[]
}

export const KEEP_OPERATIONS = 1000

/**
 * Writes the segments that are missing, and folds operations into those that are durable. Throws what keeps files from
 * being written or synced; everything is readable wherever it ends.
 */
export function foldOperations(log: FoldContext, options: FoldOptions): FoldReport {
  const { io, layout } = log
  const { applied } = log.index.refresh()
  const problems: ArtifactsError[] = []
  io.fsyncDirectory(layout.log)
  const written = writeMissing(log, applied, problems)
  const steps = planSteps(log, applied, options).filter(({ segment }) =>
    isTrusted(log, segment, problems),
  )
  if (steps.length > 0) io.fsyncDirectory(layout.log)
  let folded = 0
  let removed = 0
  for (const step of steps) {
    folded += empty(io, layout, step)
    removed += step.covered.filter(({ path }) => remove(io, path)).length
  }
  return { written, folded, removed, problems }
}

function writeMissing(log: FoldContext, newest: number, problems: ArtifactsError[]): number {
  const { segments } = listLog(log.layout)
  const { segmentSizes = SEGMENT_SIZES } = log
  let written = 0
  for (let n = segmentSizes.small; n <= newest; n += segmentSizes.small) {
    for (const range of segmentsEndingWith(n, segmentSizes)) {
      if (segments.some((segment) => contains(segment, range))) continue
      try {
        if (writeSegment(log, range)) written++
      } catch (error) {
        if (!isDamage(error)) throw error
        problems.push(error)
      }
    }
  }
  return written
}

/** What there is to do for one segment, once it is known to be right and durable. */
interface Step {
  readonly segment: Segment
  /** The operations to be folded into it. */
  readonly numbers: readonly number[]
  /** Those whose files were lost: their names must not be taken again. */
  readonly nameless: readonly number[]
  /** The segments inside it. */
  readonly covered: readonly Segment[]
}

function planSteps(log: FoldContext, newest: number, options: FoldOptions): Step[] {
  const { grace, now, keep = KEEP_OPERATIONS } = options
  const { segments } = listLog(log.layout)
  const isOld = (n: number): boolean =>
    n <= newest - keep && now - Date.parse(log.index.state.operation(n)?.at ?? '') >= grace
  return segments.flatMap((segment, i) => {
    const isInside = segments.slice(0, i).some((wider) => contains(wider, segment))
    if (isInside || segment.last > newest) return []
    const covered = segments.slice(i + 1).filter((other) => contains(segment, other))
    const numbers: number[] = []
    const nameless: number[] = []
    for (let n = segment.first; n <= segment.last; n++) {
      const size = sizeOf(log.layout, n)
      if (size === undefined) nameless.push(n)
      else if (size > 0 && isOld(n)) numbers.push(n)
    }
    const isIdle = numbers.length + nameless.length + covered.length === 0
    return isIdle ? [] : [{ segment, numbers, nameless, covered }]
  })
}

/** Compares a segment with what the state was folded from, and makes it durable, but for its name. */
function isTrusted(log: FoldContext, segment: Segment, problems: ArtifactsError[]): boolean {
  try {
    checkSegment(segment, (n) => log.index.state.operation(n)?.hash)
    syncFile(log.io, segment.path)
    return true
  } catch (error) {
    if (isDamage(error)) problems.push(error)
    // Another process found that a large one holds all of it.
    else if (!isSystemError(error, 'ENOENT')) throw error
    return false
  }
}

function syncFile(io: Io, path: string): void {
  // What another user wrote can be synced without the right to change it, except on Windows.
  const fd = io.open(path, process.platform === 'win32' ? 'r+' : 'r')
  try {
    io.fsync(fd)
  } finally {
    io.close(fd)
  }
}

/** Gives operations a name of one empty file in the place of what they are; returns how many were replaced. */
function empty(io: Io, layout: Layout, { numbers, nameless }: Step): number {
  if (numbers.length + nameless.length === 0) return 0
  const source = `${layout.log}/.${temporaryName()}`
  io.createFile(source, NOTHING, { durable: false })
  try {
    for (const n of numbers) {
      const temporary = `${layout.log}/.${temporaryName()}`
      if (!linked(io, source, temporary)) io.createFile(temporary, NOTHING, { durable: false })
      io.rename(temporary, operationPath(layout, n))
    }
    for (const n of nameless) linked(io, source, operationPath(layout, n))
  } finally {
    remove(io, source)
  }
  return numbers.length
}

const NOTHING = Buffer.alloc(0)

/** False where the file system has no hard links, or allows no more of them, or the name is taken. */
function linked(io: Io, source: string, path: string): boolean {
  try {
    return io.linkExclusive(source, path)
  } catch (error) {
    if (isSystemError(error, 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return false
    throw error
  }
}

/** False when somebody else removed it. */
function remove(io: Io, path: string): boolean {
  try {
    io.unlink(path)
    return true
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false
    throw error
  }
}

function isDamage(error: unknown): error is ArtifactsError {
  return error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
}

/** The size of an operation's own file; undefined where there is none. */
function sizeOf(layout: Layout, n: number): number | undefined {
  return lstatSync(operationPath(layout, n), { throwIfNoEntry: false })?.size
}

function contains(outer: OperationRange, inner: OperationRange): boolean {
  return outer.first <= inner.first && inner.last <= outer.last
}
