/**
 * Which files of a directory stand still. A file does if its ctime, which every change of content, mode or name sets and
 * nobody can choose, is as old as is asked; where clocks differ, if it was seen to be the same for as long.
 *
 * All that stands still at the moment of the look was at that moment as it is read after it, provided that its times are
 * still the same then: so a version of these files is a picture of one moment.
 */
import { lstatSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isSystemError } from '../../errors.ts'
import type { FileStat } from '../ingest/protocol.ts'
import type { WatchedFiles } from '../ingest/scan.ts'

/** The commit is given up: files are changing, and it was not to go without them. */
export class StillChanging extends Error {}

interface Sighting {
  readonly stat: FileStat
  /** Milliseconds, monotonic. */
  readonly since: number
}

export class Settling {
  readonly #root: string
  readonly #settle: number
  #seen = new Map<string, Sighting>()
  #isWaiting = false

  /** @param settle milliseconds for which a file must have stood still */
  constructor(root: string, settle: number) {
    this.#root = root
    this.#settle = settle
  }

  /** Whether the last look left something for a later one. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /**
   * Looks at the directory now.
   * @param isPartial whether a version may go without the files that are changing
   */
  look({ isPartial }: { readonly isPartial: boolean }): WatchedFiles {
    const root = this.#root
    const identity = identityOf(root)
    const moment = Date.now() - this.#settle
    const now = performance.now()
    const before = this.#seen
    const seen = new Map<string, Sighting>()
    const moved = new Map<string, boolean>()
    this.#seen = seen

    this.#isWaiting = false
    const isOld = (key: string, time: number, stat: FileStat): boolean => {
      if (time <= moment) return true
      const last = before.get(key)
      const since = last !== undefined && isSame(last.stat, stat) ? last.since : now
      seen.set(key, { stat, since })
      return now - since >= this.#settle
    }
    const wait = (): void => {
      if (!isPartial) throw new StillChanging()
      this.#isWaiting = true
    }
    /** Whether the directory, or one around it, got its place or mode since: what is in it is not newer for that. */
    const hasMoved = (directory: string): boolean => {
      if (directory === '.') return false
      const known = moved.get(directory)
      if (known !== undefined) return known
      const stat = statOf(`${root}/${directory}`)
      const isMoved =
        (stat !== undefined && stat.ctimeMs > moment && stat.mtimeMs <= moment) ||
        hasMoved(dirname(directory))
      moved.set(directory, isMoved)
      return isMoved
    }
    return {
      // Some file systems keep no ctime; there the mtime has to do.
      isSettled: (path, stat) =>
        isOld(path, Math.max(stat.ctimeMs, stat.mtimeMs), stat) && !hasMoved(dirname(path)),
      isGoing: (path) => {
        const parent = parentOfMissing(root, path)
        if (parent === undefined) return false
        if (isOld(`${parent.directory}/`, parent.stat.mtimeMs, parent.stat)) return false
        wait()
        return true
      },
      check: (unsettled) => {
        if (identityOf(root) !== identity || identity === undefined) throw new StillChanging()
        if (unsettled.size > 0) wait()
      },
    }
  }
}

/** The directory in which something is missing on the way to the path; undefined where nothing is, or it leads elsewhere. */
function parentOfMissing(
  root: string,
  path: string,
): { readonly directory: string; readonly stat: Stats } | undefined {
  let directory = '.'
  let stat = statOf(`${root}/.`)
  for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
    if (stat?.isDirectory() !== true) return undefined
    const next = end < 0 ? path : path.slice(0, end)
    const found = statOf(`${root}/${next}`)
    if (found === undefined) return { directory, stat }
    if (end < 0) return undefined
    directory = next
    stat = found
  }
}

/** Tells one directory from another that has its name; undefined where there is none. */
export function identityOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat?.isDirectory() === true ? `${stat.dev}:${stat.ino}` : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined
    throw error
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR', 'EACCES', 'ELOOP')) return undefined
    throw error
  }
}

function isSame(a: FileStat, b: FileStat): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs
}
