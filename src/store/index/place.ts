/**
 * Where a store's databases lie: in the store, unless it is on a network file system, where processes of several hosts
 * cannot share a WAL, or cannot be written. Then in the cache folder, one for each store and host; without a cache
 * folder, in memory.
 */
import { accessSync, constants, statfsSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import type { Io } from '../io/io.ts'

/**
 * `f_type` of statfs(2), of file systems that more than one host can have mounted, or that pass memory maps and locks
 * through a program of their own (FUSE).
 */
const SHARED_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0x6969, // nfs
  0x517b, // smb
  0xff534d42, // cifs
  0xfe534d42, // smb2
  0x65735546, // fuse
  0x01021997, // 9p
  0x5346414f, // afs
  0x6b414653, // afs (kernel)
  0x73757245, // coda
  0x00c36400, // ceph
  0x0bd00bd0, // lustre
  0x47504653, // gpfs
  0x7461636f, // ocfs2
  0x01161970, // gfs2
  0x786f4256, // vboxsf
])

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

function isShared(directory: string): boolean {
  return SHARED_FILE_SYSTEMS.has(fileSystemType(directory))
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

/** `f_type` of statfs(2); 0 elsewhere: other systems use the same numbers for other file systems. */
function fileSystemType(directory: string): number {
  return process.platform === 'linux' ? statfsSync(directory).type >>> 0 : 0
}
