/**
 * A place for files that are not whole yet, on the file system where they will be: in the store's `tmp/` if that is the
 * one, else beside the directory, else in it. What a killed process left behind is removed by the next that comes by.
 */
import { lstatSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isFailedCall, isSystemError } from '../../errors.ts'
import type { Io } from '../io/io.ts'
import { isAbandoned, STAGING_PREFIX, temporaryName } from '../layout.ts'
import type { OpenedStore } from '../opened.ts'

export interface Staging extends Disposable {
  /** An absolute path: a directory. */
  readonly path: string
  /** A name in it that nothing has. */
  readonly nextName: () => string
}

/** @param dir the absolute path of a directory, which may not exist yet. */
export function openStaging({ io, layout }: OpenedStore, dir: string): Staging {
  const existing = nearestDirectory(dir)
  const device = statSync(existing).dev
  const around = existing === dir ? [dirname(dir), dir] : [existing]
  const places = [
    { parent: layout.tmp, prefix: '' },
    ...around.map((parent) => ({ parent, prefix: STAGING_PREFIX })),
  ]
  let refusal: unknown
  for (const { parent, prefix } of places) {
    if (statSync(parent, { throwIfNoEntry: false })?.dev !== device) continue
    try {
      removeAbandoned(io, parent, prefix)
      const path = join(parent, `${prefix}${temporaryName()}`)
      io.mkdir(path)
      let names = 0
      return {
        path,
        nextName: () => join(path, String(names++)),
        [Symbol.dispose]: () => removeIfPossible(io, path),
      }
    } catch (error) {
      if (!isSystemError(error, 'EACCES', 'EROFS', 'EPERM')) throw error
      refusal = error
    }
  }
  throw refusal
}

/** What stays is removed by a later checkout; the error that led here, if any, is the one to be told. */
function removeIfPossible(io: Io, path: string): void {
  try {
    removeTree(io, path)
  } catch (error) {
    if (!isFailedCall(error)) throw error
  }
}

/** Removes a directory with all that is in it; nothing is followed. */
export function removeTree(io: Io, path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isDirectory()) {
    io.unlink(path)
    return
  }
  for (const name of readdirSync(path)) removeTree(io, join(path, name))
  io.rmdir(path)
}

function nearestDirectory(dir: string): string {
  for (let path = dir; ; path = dirname(path)) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path
  }
}

function removeAbandoned(io: Io, parent: string, prefix: string): void {
  const now = Date.now()
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue
    const path = join(parent, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined || !stat.isDirectory()) continue
    if (isAbandoned(name.slice(prefix.length), now, stat.mtimeMs)) removeTree(io, path)
  }
}
