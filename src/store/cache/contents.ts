/**
 * Files of a cache by content: `contents/<first two digits>/<key>`, read-only. Copies consist of hard links to them, so
 * that versions which share files share their bytes. Whether a file is still what it was is told by inode, size and both
 * times, as they were when its bytes were known to be right; where they differ, the bytes are read. Linking changes one
 * of these times, which is why they are noted once for all links of a file.
 */
import { createHash } from 'node:crypto'
import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import type { Entry, FileEntry } from '../../types.ts'
import { temporaryName } from '../layout.ts'
import type { OpenedStore } from '../opened.ts'
import { readRecipe } from '../recipes.ts'
import type { ContentRow, Ledger } from './ledger.ts'

const BLOCK = 1 << 20
/** Two changes in less than this may leave the same time behind. */
export const TICK_MS = 60
const COARSE_TICK_MS = 2500

/** What a file is called under `contents/`; undefined for one so small that it is written each time. */
export function contentKey({ content, executable }: FileEntry): string | undefined {
  return content.kind === 'inline' ? undefined : `${content.id}${executable ? 'x' : ''}`
}

export function contentPath({ layout }: Ledger, key: string): string {
  return join(layout.contents, key.slice(0, 2), key)
}

/** Inode, size and times of a regular file; undefined where there is none. */
export function statFile(path: string): BigIntStats | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stat?.isFile() === true ? stat : undefined
}

export function rowOf(key: string, stat: BigIntStats): ContentRow {
  return { key, bytes: Number(stat.size), inode: String(stat.ino), stamp: stampOf(stat) }
}

/** Makes `path` a link to the content, if that is there and right. */
export function linkContent(
  store: OpenedStore,
  ledger: Ledger,
  entry: FileEntry,
  path: string,
): boolean {
  const key = contentKey(entry)
  if (key === undefined) return false
  const from = contentPath(ledger, key)
  return isContent(store, ledger, entry, from) && linked(store, from, path)
}

/** Whether an entry of a copy is at this path as it should be. */
export function isIntact(store: OpenedStore, ledger: Ledger, entry: Entry, path: string): boolean {
  if (entry.kind === 'file') return isContent(store, ledger, entry, path)
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (entry.kind === 'directory') return stat?.isDirectory() === true
  if (entry.kind === 'symlink') {
    return stat?.isSymbolicLink() === true && readlinkSync(path) === entry.target
  }
  return false
}

/** Whether the file at this path has the entry's bytes: by its note, else by reading it. */
function isContent(store: OpenedStore, ledger: Ledger, entry: FileEntry, path: string): boolean {
  const stat = statFile(path)
  if (stat === undefined || stat.size !== BigInt(entry.size)) return false
  if (((stat.mode & 0o100n) !== 0n) !== entry.executable) return false
  const key = contentKey(entry)
  const row = key === undefined ? undefined : ledger.content(key)
  const isNoted = row?.inode === String(stat.ino)
  if (isNoted && row.stamp === stampOf(stat)) return true
  if (!hasBytes(store, entry, path)) return false
  if (key !== undefined && isNoted && isSettled(stat)) {
    // Unless it was changed while it was read.
    const after = statFile(path)
    if (after !== undefined && stampOf(after) === stampOf(stat)) ledger.setContent(rowOf(key, stat))
  }
  return true
}

/**
 * Makes a file of a copy, whose bytes are right, the content that others link to; where another has become that
 * meanwhile, the copy links to it. Returns false where they can't be shared. The cache is locked.
 */
function shareContent(store: OpenedStore, ledger: Ledger, entry: FileEntry, path: string): boolean {
  const key = contentKey(entry)
  if (key === undefined) return false
  const shared = contentPath(ledger, key)
  const stat = statFile(path)
  const there = statFile(shared)
  if (stat === undefined) return false
  if (there?.ino === stat.ino) return true
  store.io.mkdir(dirname(shared), { recursive: true })
  if (there !== undefined && isContent(store, ledger, entry, shared)) {
    return linkedOver(store, ledger, shared, path)
  }
  return linkedOver(store, ledger, path, shared)
}

/** Shares a file of a copy and notes what it is; false where it can't be shared. The cache is locked. */
export function noteContent(
  store: OpenedStore,
  ledger: Ledger,
  entry: FileEntry,
  path: string,
): boolean {
  const key = contentKey(entry)
  if (key === undefined || !shareContent(store, ledger, entry, path)) return false
  const stat = statFile(path)
  if (stat === undefined) return false
  ledger.setContent(rowOf(key, stat))
  return true
}

/** Replaces `path`, or makes it, at once. */
function linkedOver(store: OpenedStore, { layout }: Ledger, from: string, path: string): boolean {
  const name = join(layout.tmp, temporaryName())
  if (!linked(store, from, name)) return false
  store.io.rename(name, path)
  return true
}

/** False where the file is gone by now, has as many links as it can have, or the file system knows no links. */
function linked({ io }: OpenedStore, from: string, path: string): boolean {
  try {
    io.link(from, path)
    return true
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) {
      return false
    }
    throw error
  }
}

function hasBytes(store: OpenedStore, { content, size }: FileEntry, path: string): boolean {
  switch (content.kind) {
    case 'inline':
      return readFileSync(path).equals(content.bytes)
    case 'chunk':
      return hashOf(path) === content.id
    case 'recipe':
      return (
        hashOf(path) === Buffer.from(readRecipe(store, content.id, size).sha256).toString('hex')
      )
  }
}

function hashOf(path: string): string {
  const hash = createHash('sha256')
  const block = Buffer.allocUnsafe(BLOCK)
  const fd = openSync(path, 'r')
  try {
    for (;;) {
      const length = readSync(fd, block)
      if (length === 0) return hash.digest('hex')
      hash.update(block.subarray(0, length))
    }
  } finally {
    closeSync(fd)
  }
}

function stampOf({ size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${size} ${mtimeNs} ${ctimeNs}`
}

/** Whether a later change is sure to leave another time behind. */
function isSettled({ mtimeNs, ctimeNs }: BigIntStats): boolean {
  const isCoarse = ctimeNs % 1_000_000_000n === 0n
  const newest = Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n)
  return Date.now() - newest > (isCoarse ? COARSE_TICK_MS : TICK_MS)
}
