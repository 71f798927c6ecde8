/** The cache of local copies: where it is, what it holds, and making room in it. */
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ArtifactsError, isSystemError } from './errors.ts'
import { parseSize } from './names.ts'
import type { Session } from './session.ts'
import { type CacheOptions, cleanCache, KEEP_MS, listCache } from './store/cache/local-copy.ts'
import { isShared } from './store/io/file-system.ts'

export interface CachedCopy {
  /** What it was last handed out for; empty where that is not known any more. */
  readonly ref: string
  /** The folder, absolute. */
  readonly path: string
  readonly files: number
  readonly bytes: number
  /** ISO 8601, UTC. */
  readonly createdAt: string
  readonly usedAt: string
  /** Somebody changed it: it is not handed out any more. */
  readonly altered: boolean
}

export interface CacheContents {
  /** Absolute. */
  readonly directory: string
  /** Bytes on disk: files that copies share count once. */
  readonly bytes: number
  readonly maxBytes: number
  /** The one used last comes first. */
  readonly copies: readonly CachedCopy[]
}

export interface CacheCleaning {
  readonly removed: number
  readonly freedBytes: number
  readonly bytes: number
  /** Copies that stay. */
  readonly kept: number
}

export function listedCache(session: Session): CacheContents {
  const { directory, maxBytes } = cacheOf(session)
  if (!existsSync(directory)) return { directory, bytes: 0, maxBytes, copies: [] }
  const { bytes, copies } = listCache(session.opened, { directory })
  return {
    directory,
    bytes,
    maxBytes,
    copies: copies.map(({ label, path, files, bytes: size, madeAt, usedAt, altered }) => ({
      ref: label,
      path,
      files,
      bytes: size,
      createdAt: new Date(madeAt).toISOString(),
      usedAt: new Date(usedAt).toISOString(),
      altered: altered === 1,
    })),
  }
}

/** @throws ArtifactsError ERR_USAGE for a size that is none. */
export function cleanedCache(session: Session, size = '0'): CacheCleaning {
  const cache = { ...cacheOf(session), maxBytes: parseSize(size) }
  if (!existsSync(cache.directory)) return { removed: 0, freedBytes: 0, bytes: 0, kept: 0 }
  const { copies, freedBytes, bytes, kept } = cleanCache(session.opened, cache)
  return { removed: copies, freedBytes, bytes, kept: kept.length }
}

/** Where the cache is: where the settings say, in the store, or where a store that can't be written has its databases. */
export function cacheOf({ opened }: Session): CacheOptions {
  const { settings, layout, cacheDir } = opened
  const maxBytes = parseSize(settings.get('cache.maxBytes'))
  const set = settings.get('cache.dir')
  if (set !== '') {
    refuseShared(set)
    return { directory: set, maxBytes, keep: KEEP_MS }
  }
  if (canWrite(layout.root) && !isShared(layout.root)) {
    return { directory: layout.cache, maxBytes, keep: KEEP_MS }
  }
  if (cacheDir !== undefined)
    return { directory: join(cacheDir, 'copies'), maxBytes, keep: KEEP_MS }
  throw new ArtifactsError('ERR_READ_ONLY', `The store "${layout.root}" has no place for copies.`, {
    hint: 'Name a folder on this machine: `ARTIFACTS_CACHE=/tmp/artifacts artifacts path REF`',
  })
}

/** The ledger of a cache is SQLite in WAL mode, which processes of several hosts can't share. */
function refuseShared(directory: string): void {
  let existing = directory
  while (!existsSync(existing)) existing = dirname(existing)
  if (!isShared(existing)) return
  throw new ArtifactsError(
    'ERR_CONFIG',
    `The setting "cache.dir" names "${directory}", which is on a file system that other hosts share.`,
    { hint: 'Name a folder on this machine: `artifacts config set cache.dir /var/tmp/artifacts`' },
  )
}

function canWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EROFS', 'EPERM')) return false
    throw error
  }
}
