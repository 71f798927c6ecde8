/**
 * Creating an operation, or another file that is written once, where there are no hard links (FAT, some network shares):
 * a lock file says who may create it, and the finished file is renamed into place under it.
 *
 * A lock that a dead process left is never removed while the name is free, since two that find it at once could remove each
 * other's new one; whoever finds it goes on to the next generation of the same lock. Creating the lock file, which
 * fails where it exists, is what decides. A process of another host counts as running until a person removes its lock.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { isSystemError } from '../../errors.ts'
import type { Io } from '../io/io.ts'
import { isAbandoned, type Layout, operationPath, temporaryName } from '../layout.ts'
import type { Appended } from './append.ts'

export interface LockedAppend {
  readonly io: Io
  readonly layout: Layout
  readonly n: number
  /** The finished file. */
  readonly temporary: string
  readonly hash: string
}

export function appendLocked({ io, layout, n, temporary, hash }: LockedAppend): Appended {
  const lock = `${layout.log}/.lock-${String(n).padStart(12, '0')}`
  const created = createLocked({ io, path: operationPath(layout, n), temporary, lock })
  return created.kind === 'created' ? { kind: 'created', hash } : created
}

export interface LockedCreation {
  readonly io: Io
  /** The name that the file gets. */
  readonly path: string
  /** The finished file. */
  readonly temporary: string
  /** The lock's path, without its generation. */
  readonly lock: string
}

export type LockedResult =
  | { readonly kind: 'created' }
  /** The name is taken. */
  | { readonly kind: 'taken' }
  /** A running process is about to create the file. */
  | { readonly kind: 'busy'; readonly lock: string; readonly holder: string }

/** Gives a finished file its name, if that is free. */
export function createLocked({ io, path, temporary, lock }: LockedCreation): LockedResult {
  const lockPath = (generation: number): string => `${lock}.${generation}`
  let generation = 0
  while (!take(io, lockPath(generation))) {
    const holder = holderOf(lockPath(generation))
    if (holder === undefined) continue
    if (!holder.abandoned) return { kind: 'busy', lock: lockPath(generation), holder: holder.name }
    generation++
  }
  try {
    if (existsSync(path)) return { kind: 'taken' }
    io.rename(temporary, path)
    return { kind: 'created' }
  } finally {
    // The own one first: once the name is taken, who takes a lower generation finds that out.
    const last = existsSync(path) ? 0 : generation
    for (let i = generation; i >= last; i--) release(io, lockPath(i))
  }
}

function take(io: Io, lock: string): boolean {
  try {
    io.createFile(lock, Buffer.from(temporaryName()), { durable: false })
    return true
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false
    throw error
  }
}

function release(io: Io, lock: string): void {
  try {
    io.unlink(lock)
  } catch (error) {
    // Others may clear away the same dead locks.
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}

/** Who holds a lock; undefined when it is gone. */
function holderOf(lock: string): { name: string; abandoned: boolean } | undefined {
  try {
    const name = readFileSync(lock, 'latin1')
    const now = Date.now()
    // Age counts only where no name tells: a crash between creating the file and writing into it.
    const since = name === '' ? statSync(lock).mtimeMs : now
    return { name, abandoned: isAbandoned(name, now, since) }
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}
