/** Local copies from the cache: ClearML's `get_local_copy`, by content instead of by URL, and bounded in bytes. */
import { accessSync, constants, existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ArtifactsError, isSystemError } from './errors.ts'
import { parseSize } from './names.ts'
import { contentOf, refOf, type Session } from './session.ts'
import { copyKey, type Wanted } from './store/cache/copy.ts'
import {
  type CacheOptions,
  cleanCache,
  KEEP_MS,
  listCache,
  localCopy,
} from './store/cache/local-copy.ts'
import { isShared } from './store/io/file-system.ts'
import { nodeReader } from './store/opened.ts'
import { entries, lookup } from './store/tree/cursor.ts'
import type { Entry, EntryPath, FileEntry, ObjectId, OperationOptions } from './types.ts'

export interface LocalPathOptions extends OperationOptions {
  /** A file or folder in the version; default: all of it. */
  readonly path?: string
}

export interface LocalPath {
  readonly ref: string
  /** Absolute: a folder, or the file where the version is one file or a file was asked for. */
  readonly path: string
  readonly files: number
  readonly bytes: number
  /** It was there already, and is what it should be. */
  readonly cached: boolean
  /** What the cache holds, and should hold at most. */
  readonly cacheBytes: number
  readonly maxBytes: number
}

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

/**
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_DAMAGED for stored bytes that can't be read back, ERR_UNSUPPORTED for what
 * has no bytes here, ERR_READ_ONLY where there is no place for a cache.
 */
export async function localPath(
  session: Session,
  ref: string,
  options: LocalPathOptions = {},
): Promise<LocalPath> {
  const resolved = contentOf(session, ref)
  const { path = '', signal, onProgress } = options
  const name = refOf(session, resolved)
  const { root, files } = resolved.version.object
  const found = wantedOf(session, { root, files, name, path: path.replace(/\/+$/, '') })
  refuseReferences(found.wanted)
  const cache = cacheOf(session)
  const copy = await localCopy(session.opened, cache, found.wanted, { signal, onProgress })
  return {
    ...copy,
    ref: name,
    path: found.inner === undefined ? copy.path : join(copy.path, found.inner),
    maxBytes: cache.maxBytes,
  }
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

interface Place {
  readonly root: ObjectId
  readonly files: number
  readonly name: string
  readonly path: string
}

/** What to copy, and where in the copy the file is that was asked for. */
function wantedOf(session: Session, { root, files, name, path }: Place): Found {
  const read = nodeReader(session.opened)
  if (path === '') {
    const wanted = {
      key: copyKey('version', root),
      label: name,
      digest: root,
      entries: () => entries(read, root),
    }
    const only = files === 1 ? firstFile(wanted.entries()) : undefined
    return { wanted, inner: only?.kind === 'file' ? only.path : undefined }
  }
  const label = `${name} ${path}`
  const entry = lookup(read, root, path)
  if (entry?.kind === 'file') return { wanted: oneFile(entry, label, root), inner: basename(path) }
  if (entry !== undefined && entry.kind !== 'directory') {
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `"${path}" of "${name}" is a ${entry.kind}, not a file or folder.`,
      { hint: `Copy all of it: \`artifacts path ${name}\`` },
    )
  }
  const within = function* (): Generator<Entry> {
    for (const each of entries(read, root, { prefix: `${path}/` })) {
      yield { ...each, path: each.path.slice(path.length + 1) as EntryPath }
    }
  }
  if (entry === undefined && within().next().done === true) {
    throw new ArtifactsError('ERR_NOT_FOUND', `"${name}" has no entry "${path}".`, {
      hint: `Run \`artifacts ls ${name}\` to see its entries.`,
    })
  }
  return {
    wanted: { key: copyKey('folder', root, path), label, digest: root, entries: within },
    inner: undefined,
  }
}

interface Found {
  readonly wanted: Wanted
  readonly inner: string | undefined
}

/** Its copy is the same for every version that has the file under this name. */
function oneFile(entry: FileEntry, label: string, digest: ObjectId): Wanted {
  const path = basename(entry.path) as EntryPath
  const { content, executable } = entry
  const bytes = content.kind === 'inline' ? Buffer.from(content.bytes).toString('hex') : content.id
  return {
    key: copyKey('file', content.kind, bytes, executable ? 'x' : '', path),
    label,
    digest,
    entries: () => [{ ...entry, path }],
  }
}

function firstFile(all: Iterable<Entry>): Entry | undefined {
  for (const entry of all) if (entry.kind !== 'directory') return entry
  return undefined
}

function refuseReferences({ label, entries: all }: Wanted): void {
  for (const { kind, path } of all()) {
    if (kind !== 'reference') continue
    throw new ArtifactsError('ERR_UNSUPPORTED', `"${label}" has references, such as "${path}".`, {
      hint: 'Their bytes are elsewhere: `artifacts download --allow-missing-references` takes the rest.',
    })
  }
}

/** Where the cache is: where the settings say, in the store, or where a store that can't be written has its databases. */
function cacheOf({ opened }: Session): CacheOptions {
  const { settings, layout, cacheDir } = opened
  const maxBytes = parseSize(settings.get('cache.maxBytes'))
  const set = settings.get('cache.dir')
  if (set !== '') return { directory: set, maxBytes, keep: KEEP_MS }
  if (canWrite(layout.root) && !isShared(layout.root)) {
    return { directory: layout.cache, maxBytes, keep: KEEP_MS }
  }
  if (cacheDir !== undefined)
    return { directory: join(cacheDir, 'copies'), maxBytes, keep: KEEP_MS }
  throw new ArtifactsError('ERR_READ_ONLY', `The store "${layout.root}" has no place for copies.`, {
    hint: 'Name a folder on this machine: `ARTIFACTS_CACHE=/tmp/artifacts artifacts path REF`',
  })
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
