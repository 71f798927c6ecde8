/**
 * Every mutating file call of the store: packs, log, bindings, config, and checkout into users' folders. One place, so
 * that tests can make any of them fail, kill the process at it, or forget what was not synced (faults.ts, power.ts).
 *
 * The calls are synchronous: 3 to 9 times faster than promises, and they run in worker threads where that matters.
 * Without a test listening, a call costs one comparison more than the same call of `node:fs`.
 *
 * Errors are the system's own (`ENOSPC`, `EIO`, …); whoever knows what was being done says so to the user.
 */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import * as calls from './calls.ts'

/**
 * What committed data survives: `power`, the loss of power; `process`, the end of the process only (every sync is
 * skipped: scratch stores).
 */
export type Durability = 'power' | 'process'

export interface CreateOptions {
  /** Whether the bytes must survive a power loss before the name says they are there. */
  readonly durable: boolean
  /** Permission bits; default `0o666` less the umask. */
  readonly mode?: number
}

export interface Io {
  readonly durability: Durability
  /** Opens a file to change it, `flags` as in `fs.openSync`; to be closed by `close` and no other. */
  open(path: string, flags: string | number, mode?: number): number
  close(fd: number): void
  /** Writes once, like write(2): returns the bytes written, which can be fewer than asked for. */
  write(
    fd: number,
    bytes: Uint8Array,
    offset?: number,
    length?: number,
    position?: number | null,
  ): number
  /** Writes all of `bytes` at `position`, or where the file stands. */
  writeAll(fd: number, bytes: Uint8Array, position?: number | null): void
  ftruncate(fd: number, length: number): void
  fsync(fd: number): void
  /** `fdatasync` in the thread pool, so that the next pack can be filled meanwhile. */
  fdatasyncAsync(fd: number): Promise<void>
  /** Makes the names in a directory durable, where the platform can. */
  fsyncDirectory(path: string): void
  rename(from: string, to: string): void
  link(existing: string, path: string): void
  /** `link`, with a taken name as an answer: true if `path` is now that file, false if it existed. */
  linkExclusive(existing: string, path: string): boolean
  symlink(target: string, path: string): void
  unlink(path: string): void
  /** With `recursive`, makes what is missing above too and accepts a directory that exists. */
  mkdir(path: string, options?: { readonly recursive?: boolean; readonly mode?: number }): void
  rmdir(path: string): void
  chmod(path: string, mode: number): void
  fchmod(fd: number, mode: number): void
  /** Times in seconds since 1970, or dates. */
  utimes(path: string, accessed: number | Date, modified: number | Date): void
  /** Makes a new file with these bytes, or none: what is half written is removed. `EEXIST` if it exists. */
  createFile(path: string, bytes: Uint8Array, options: CreateOptions): void
  /**
   * Replaces the file at `path` by one with these bytes, at once: written as `tmp` (same file system, new name), renamed
   * over. When it throws, either nothing happened or only the directory's sync failed.
   */
  writeFileAtomic(
    path: string,
    bytes: Uint8Array,
    options: CreateOptions & { readonly tmp: string },
  ): void
}

/** The calls, with syncs that are made or skipped. Two stores of one process may differ in that. */
export function createIo(options: { readonly durability: Durability }): Io {
  const synced = options.durability === 'power'
  return {
    ...calls,
    ...(synced ? {} : { fsync: skip, fdatasyncAsync: skipAsync, fsyncDirectory: skip }),
    durability: options.durability,
    writeAll,
    linkExclusive,
    mkdir,
    createFile(path, bytes, { durable, mode }) {
      createFile(path, bytes, durable && synced, mode)
    },
    writeFileAtomic(path, bytes, { durable, mode, tmp }) {
      createFile(tmp, bytes, durable && synced, mode)
      try {
        calls.rename(tmp, path)
      } catch (error) {
        discard(tmp)
        throw error
      }
      if (durable && synced) calls.fsyncDirectory(dirname(path))
    },
  }
}

function createFile(path: string, bytes: Uint8Array, sync: boolean, mode?: number): void {
  const fd = calls.open(path, 'wx', mode)
  try {
    try {
      writeAll(fd, bytes)
      if (sync) calls.fsync(fd)
    } finally {
      calls.close(fd)
    }
  } catch (error) {
    discard(path)
    throw error
  }
}

/** Removes a temporary file after a failure, which is what the caller must hear of; gc removes what stays behind. */
function discard(path: string): void {
  try {
    calls.unlink(path)
  } catch {}
}

function linkExclusive(existing: string, path: string): boolean {
  try {
    calls.link(existing, path)
    return true
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false
    throw error
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number | null = null): void {
  let done = 0
  while (done < bytes.byteLength) {
    const at = position === null ? null : position + done
    const written = calls.write(fd, bytes, done, bytes.byteLength - done, at)
    if (written === 0) {
      throw new ArtifactsError(
        'ERR_IO',
        `a file takes no byte more after ${done} of ${bytes.byteLength}`,
      )
    }
    done += written
  }
}

function mkdir(path: string, options: { recursive?: boolean; mode?: number } = {}): void {
  if (options.recursive === true) {
    // Level by level rather than by the system's own recursion: each one is a call that can be the last.
    if (isDirectory(path)) return
    if (!fs.existsSync(dirname(path))) mkdir(dirname(path), options)
  }
  try {
    calls.mkdir(path, options.mode)
  } catch (error) {
    const madeByAnother =
      options.recursive === true && isSystemError(error, 'EEXIST') && isDirectory(path)
    if (!madeByAnother) throw error
  }
}

function isDirectory(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function skip(): void {}

async function skipAsync(): Promise<void> {}
