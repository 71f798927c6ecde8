/**
 * The crash matrix: runs an operation once for every mutating call it makes and every way in which that call can go
 * wrong, each time on a fresh copy, and lets a check look at what is left.
 */
import fs from 'node:fs'
import { join } from 'node:path'
import { type ErrorName, type Fault, installFaults, watchCalls } from '../../src/store/io/faults.ts'
import type { CallKind, IoCall } from '../../src/store/io/intercept.ts'
import { type Choices, type Recording, recordUnsynced } from '../../src/store/io/power.ts'
import { seededRandom } from './random.ts'
import { temporaryDirectory } from './temp.ts'

/** The mutating calls that `run` makes, in order. */
export async function countCalls(run: () => unknown): Promise<readonly IoCall[]> {
  const watch = watchCalls()
  try {
    await run()
  } finally {
    watch.stop()
  }
  return watch.calls
}

/** One run of the matrix. */
export interface CrashPoint {
  /** The call that goes wrong, from 1, as it was when nothing did. */
  readonly at: number
  readonly call: IoCall
  readonly fault: Fault
  /** The loss of power that followed; absent if it stayed. */
  readonly power?: string
}

export interface Matrix {
  /** Makes the folder that every run starts with. */
  prepare(directory: string): unknown
  /** Puts a copy of it right before each run: for what a copy does not carry over, such as inode numbers. */
  arrange?(directory: string): unknown
  /** The operation under test. It closes what it opened also when it fails. */
  run(directory: string): unknown
  /**
   * Looks at what a run left; `error` is what it threw, if it did. The recording, there if `losses` are, goes on: what
   * the check does to the folder can be lost as well.
   */
  check(
    directory: string,
    point: CrashPoint,
    error: unknown,
    recording: Recording | undefined,
  ): unknown
  readonly faults: readonly Fault[]
  /** Also plays each fault together with each of these losses of power, by name, after the run has ended. */
  readonly losses?: Readonly<Record<string, Loss>>
  /** Files that others write, relative to the folder: databases. */
  readonly untracked?: (path: string) => boolean
  /** Only so many points, drawn by this seed; default all. */
  readonly sample?: { readonly points: number; readonly seed: number }
}

/** What survives a loss of power; a function, so that chance can begin anew at each point. */
export type Loss = Choices | ((point: CrashPoint) => Choices)

/** Runs the matrix; returns how many calls the operation makes and how many points were run. */
export async function forEachCall(matrix: Matrix): Promise<{ calls: number; points: number }> {
  await using temporary = await temporaryDirectory()
  const template = join(temporary.path, 'template')
  fs.mkdirSync(template)
  await matrix.prepare(template)

  const copy = join(temporary.path, 'copy')
  copyTree(template, copy)
  await matrix.arrange?.(copy)
  const calls = await countCalls(() => matrix.run(copy))
  const points = chosen(pointsOf(calls, matrix), matrix.sample)
  for (const point of points) {
    copyTree(template, copy)
    try {
      await matrix.arrange?.(copy)
      await runPoint(matrix, copy, point)
    } catch (error) {
      throw new Error(`after ${describe(point)}: ${String(error)}`, { cause: error })
    }
  }
  return { calls: calls.length, points: points.length }
}

function pointsOf(calls: readonly IoCall[], matrix: Matrix): CrashPoint[] {
  const losses = Object.keys(matrix.losses ?? {})
  return calls.flatMap((call, index) =>
    matrix.faults
      .filter((fault) => canHappen(fault, call.kind))
      .flatMap((fault): CrashPoint[] => {
        const point = { at: index + 1, call, fault }
        return [point, ...losses.map((power) => ({ ...point, power }))]
      }),
  )
}

function chosen(points: readonly CrashPoint[], sample: Matrix['sample']): readonly CrashPoint[] {
  if (sample === undefined) return points
  return seededRandom(sample.seed).shuffle(points).slice(0, sample.points)
}

async function runPoint(matrix: Matrix, directory: string, point: CrashPoint): Promise<void> {
  using recording = matrix.losses && recordUnsynced(directory, matrix.untracked)
  const faults = installFaults({ at: point.at, fault: point.fault })
  let error: unknown
  try {
    await matrix.run(directory)
  } catch (thrown) {
    error = thrown
  } finally {
    faults.reset()
  }
  if (!faults.fired)
    throw new Error('the call was never made: the operation is not the same each time')
  const loss = point.power === undefined ? undefined : matrix.losses?.[point.power]
  if (loss !== undefined) recording?.losePower(typeof loss === 'function' ? loss(point) : loss)
  await matrix.check(directory, point, error, recording)
}

/** Whether a call of this kind can go wrong like this. */
export function canHappen(fault: Fault, kind: CallKind): boolean {
  if (fault.do === 'short') return kind === 'write'
  return fault.do !== 'fail' || REPORTED_BY[fault.code](kind)
}

const REPORTED_BY: Readonly<Record<ErrorName, (kind: CallKind) => boolean>> = {
  EIO: () => true,
  ENOSPC: (kind) => !['close', 'unlink', 'rmdir', 'chmod', 'fchmod', 'utimes'].includes(kind),
  EMFILE: (kind) => kind === 'open' || kind === 'fsyncDirectory',
  EROFS: (kind) => !['close', 'write', 'fsync', 'fdatasync', 'fsyncDirectory'].includes(kind),
  EACCES: (kind) => !['close', 'write', 'fsync', 'fdatasync', 'ftruncate'].includes(kind),
}

function describe({ at, call, fault, power }: CrashPoint): string {
  const loss = power === undefined ? '' : `, power lost: ${power}`
  return `${JSON.stringify(fault)} at call ${at} (${call.kind} ${call.to ?? call.path})${loss}`
}

function copyTree(from: string, to: string): void {
  fs.rmSync(to, { recursive: true, force: true })
  fs.cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
}
