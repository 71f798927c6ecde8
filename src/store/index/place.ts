/**
 * Where a store's databases lie: in the store, unless it is on a network file system, where processes of several hosts
 * cannot share a WAL, or cannot be written. Then in the cache folder, one for each store and host; without a cache
 * folder, in memory.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { fileSystemType, isShared } from '../io/file-system.ts'
import type { Io } from '../io/io.ts'

/** Of file systems that number their files anew whenever they are mounted. */
const NUMBERED_ANEW: ReadonlySet<number> = new Set([
  0x4d44, // vfat
  0x2011bab0, // exfat
  0x65735546, // fuse
])

/** The directory for a store's databases, which exists; undefined: they are kept in memory. */
export function databaseDirectory(
  io: Io,
  root: string,
  storeId: string,
  cacheDir: string | undefined,
): string | undefined {
  if (isWritable(root) && !isShared(root)) return root
  if (cacheDir === undefined) return undefined
  const host = hostname().replace(/[^A-Za-z0-9._-]/g, '-')
  const directory = join(cacheDir, 'stores', `${storeId}-${host}`)
  try {
    io.mkdir(directory, { recursive: true })
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EROFS', 'EPERM', 'ENOTDIR')) return undefined
    throw error
  }
  return isWritable(directory) ? directory : undefined
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EROFS', 'EPERM')) return false
    throw error
  }
}

/**
 * What tells a file from its copies: its inode number and, where the system keeps it, the time of its birth; empty where
 * neither means anything. A database that was copied while somebody wrote to it can be a mixture of old and new pages,
 * each of them sound, which no check of SQLite notices.
 */
export function fileMark(directory: string, path: string): string {
  if (NUMBERED_ANEW.has(fileSystemType(directory))) return ''
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return ''
  const { ino, birthtimeMs, ctimeMs } = stat
  // In the place of a time that is not kept, some systems give that of the last change.
  return birthtimeMs > 0 && birthtimeMs < ctimeMs ? `${ino} ${birthtimeMs}` : `${ino}`
}

/** Whether a file is the one that got this mark, as far as can be told. */
export function hasMark(path: string, mark: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return mark === '' || mark === `${stat?.ino}` || mark === `${stat?.ino} ${stat?.birthtimeMs}`
}
