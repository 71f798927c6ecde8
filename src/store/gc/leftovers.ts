/**
 * What lies about: packs that no operation names, packs that are dropped and still there, and what processes that are
 * gone were writing. Only packs matter to others, so only they leave by the log; the rest nobody reads.
 */
import { lstatSync, readdirSync, readFileSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { removeTree } from '../checkout/staging.ts'
import type { StateView } from '../index/state.ts'
import type { Io } from '../io/io.ts'
import { isAbandoned, type Layout, operationPath, packPath, parseTemporaryName } from '../layout.ts'
import type { OpenedStore } from '../opened.ts'

/** A file under `packs/`. */
export interface PackFile {
  readonly id: ObjectId
  readonly bytes: number
}

export interface PackFiles {
  /** Older than grace, and no operation ever named them. */
  readonly strays: readonly PackFile[]
  /** No operation has named them yet: they may belong to a commit that is under way. */
  readonly young: readonly PackFile[]
  /** Dropped: they may go at any time. */
  readonly dropped: readonly PackFile[]
}

export interface Age {
  /** Milliseconds since 1970. */
  readonly now: number
  /** Milliseconds. */
  readonly grace: number
}

const DAY_MS = 24 * 60 * 60 * 1000
/** How long volumes of a bundle wait for the others of their set. */
const VOLUMES_WAIT_MS = 30 * DAY_MS

/** Looks for files under `packs/` that the log does not hold. What is no pack by its name is left alone. */
export function listPackFiles(layout: Layout, state: StateView, { now, grace }: Age): PackFiles {
  const strays: PackFile[] = []
  const young: PackFile[] = []
  const dropped: PackFile[] = []
  for (const name of readdirSync(layout.packs)) {
    const id = /^([0-9a-f]{64})\.pack$/.exec(name)?.[1] as ObjectId | undefined
    if (id === undefined || state.isNamed(id)) continue
    const stat = lstatSync(packPath(layout, id), { throwIfNoEntry: false })
    if (stat === undefined) continue
    const file = { id, bytes: stat.size }
    if (state.isDropped(id)) dropped.push(file)
    else (ageOf(stat, now) >= grace ? strays : young).push(file)
  }
  return { strays, young, dropped }
}

/**
 * Removes the files of packs that are dropped. The log is synced first, whoever wrote the operation that dropped them:
 * were it lost with the power, the packs would be needed.
 */
export function removePacks({ io, layout }: OpenedStore, packs: readonly PackFile[]): void {
  if (packs.length === 0) return
  io.fsyncDirectory(layout.log)
  for (const { id } of packs) unlinkIfThere(io, packPath(layout, id))
}

export interface RemovedFiles {
  readonly files: number
  readonly bytes: number
}

/**
 * Removes what nobody writes any more in `tmp/` and `log/`, signs of life of runs that have ended, and what is in
 * `quarantine/` for longer than grace.
 */
export function removeLeftovers({ io, layout, index }: OpenedStore, age: Age): RemovedFiles {
  const removed = { files: 0, bytes: 0 }
  const files = [
    ...tmpLeftovers(layout, age),
    ...quarantined(layout, age),
    ...signsOfEnded(layout, index.state, age),
  ]
  for (const { path, stat } of files) {
    count(removed, path, stat)
    removeTree(io, path)
  }
  for (const { path, stat } of logLeftovers(layout, age)) {
    // A hard link to an operation takes nothing.
    if (stat.nlink === 1) count(removed, path, stat)
    unlinkIfThere(io, path)
  }
  return removed
}

interface Leftover {
  readonly path: string
  readonly stat: Stats
}

function* tmpLeftovers({ tmp }: Layout, { now }: Age): Generator<Leftover> {
  for (const { name, path, stat } of filesIn(tmp)) {
    if (isAbandoned(name, now, stat.mtimeMs)) yield { path, stat }
  }
}

function* quarantined({ quarantine }: Layout, { now, grace }: Age): Generator<Leftover> {
  for (const { name, path, stat } of filesIn(quarantine)) {
    // Packs that a process is receiving just now.
    if (parseTemporaryName(name) !== undefined && !isAbandoned(name, now, stat.mtimeMs)) continue
    // What was moved there keeps the time of its content.
    const moved = now - Math.floor(stat.ctimeMs)
    const kept = name.startsWith('bundle-') ? VOLUMES_WAIT_MS : grace
    if (Math.min(moved, ageOf(stat, now)) >= kept) yield { path, stat }
  }
}

/** The sign of a run that crashed stays: it says so. */
function* signsOfEnded(layout: Layout, state: StateView, { now }: Age): Generator<Leftover> {
  for (const { name, path, stat } of filesIn(layout.live)) {
    const run = state.run(name)
    const isLeft = run === undefined ? ageOf(stat, now) >= DAY_MS : run.state !== 'running'
    if (isLeft) yield { path, stat }
  }
}

/** Temporary files beside the operations: their names begin with a dot. */
function* logLeftovers(layout: Layout, { now, grace }: Age): Generator<Leftover> {
  for (const { name, path, stat } of filesIn(layout.log)) {
    if (!name.startsWith('.') || !stat.isFile()) continue
    const isOld = ageOf(stat, now) >= Math.min(grace, DAY_MS)
    const lock = /^\.lock-(\d{12})\.\d+$/.exec(name)?.[1]
    if (lock !== undefined) {
      if (isDeadLock(layout, path, Number(lock), now)) yield { path, stat }
    } else if (parseTemporaryName(name.slice(1)) !== undefined) {
      if (isAbandoned(name.slice(1), now, stat.mtimeMs)) yield { path, stat }
    } else if (stat.nlink > 1 || isOld) {
      // An operation that has its name, or one whose writer is gone; a writer that is not writes it once more.
      yield { path, stat }
    }
  }
}

/** A lock decides about its number as long as that is free. */
function isDeadLock(layout: Layout, path: string, n: number, now: number): boolean {
  if (lstatSync(operationPath(layout, n), { throwIfNoEntry: false }) === undefined) return false
  try {
    const holder = readFileSync(path, 'latin1')
    return isAbandoned(holder, now, lstatSync(path).mtimeMs)
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false
    throw error
  }
}

/** In whole milliseconds, like `now`: a file's time is finer. */
function ageOf({ mtimeMs }: Stats, now: number): number {
  return now - Math.floor(mtimeMs)
}

function* filesIn(directory: string): Generator<Leftover & { readonly name: string }> {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return
    throw error
  }
  for (const name of names) {
    const path = join(directory, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat !== undefined) yield { name, path, stat }
  }
}

function count(removed: { files: number; bytes: number }, path: string, stat: Stats): void {
  if (stat.isDirectory()) {
    for (const inside of filesIn(path)) count(removed, inside.path, inside.stat)
    return
  }
  removed.files++
  removed.bytes += stat.size
}

function unlinkIfThere(io: Io, path: string): void {
  try {
    io.unlink(path)
  } catch (error) {
    // Others clear away as well; on Windows a file that is being read stays until somebody comes by again.
    if (!isSystemError(error, 'ENOENT', 'EBUSY')) throw error
  }
}
