/** Local copies from the cache: ClearML's `get_local_copy`, by content instead of by URL. */
import { basename, join } from 'node:path'
import { cacheOf } from './cache.ts'
import { ArtifactsError } from './errors.ts'
import { fetchReferences } from './fetched-references.ts'
import { fetchAbsent } from './not-fetched.ts'
import { contentOf, refOf, type Session } from './session.ts'
import { copyKey, type Wanted } from './store/cache/copy.ts'
import { localCopy } from './store/cache/local-copy.ts'
import { type HeldReferences, holdReferences } from './store/cache/references.ts'
import { pathFilter } from './store/compare.ts'
import { nodeReader } from './store/opened.ts'
import { entries, lookup } from './store/tree/cursor.ts'
import type {
  Entry,
  EntryPath,
  FileEntry,
  ObjectId,
  OperationOptions,
  ReferenceEntry,
} from './types.ts'

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

/**
 * References are fetched, and must be what was recorded; what was fetched once is not asked for again.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_DAMAGED for stored bytes that can't be read back, ERR_UNSUPPORTED for what is
 * no file or folder, ERR_READ_ONLY where there is no place for a cache, and as `download` for references.
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
  const wantedPath = path.replace(/\/+$/, '')
  const ask = {
    prefix: wantedPath,
    isWanted: pathFilter([wantedPath]),
    ...(wantedPath !== '' && { paths: [wantedPath] }),
  }
  await fetchAbsent(session, resolved, ask, { signal, onProgress })
  const chosen = choose(session, { root, files, name, path: wantedPath })
  const cache = cacheOf(session)
  using held = await hold(session, chosen, { signal, onProgress })
  const wanted = wantedOf(chosen, held)
  const copy = await localCopy(session.opened, cache, wanted, { signal, onProgress })
  return {
    ...copy,
    ref: name,
    path: chosen.file === undefined ? copy.path : join(copy.path, chosen.file),
    maxBytes: cache.maxBytes,
  }
}

interface Place {
  readonly root: ObjectId
  readonly files: number
  readonly name: string
  readonly path: string
}

/** What was asked for. */
interface Chosen {
  readonly label: string
  readonly digest: ObjectId
  /** Of a version or folder; undefined for a file, whose copy is the same whatever version it is in. */
  readonly key: readonly string[] | undefined
  readonly entries: () => Iterable<Entry>
  /** Where in the copy the file is, where it is one file. */
  readonly file: string | undefined
}

function choose(session: Session, { root, files, name, path }: Place): Chosen {
  const read = nodeReader(session.opened)
  if (path === '') {
    const all = (): Iterable<Entry> => entries(read, root)
    const only = files === 1 ? firstFile(all()) : undefined
    const file = only?.kind === 'symlink' ? undefined : only?.path
    return { label: name, digest: root, key: ['version', root], entries: all, file }
  }
  const label = `${name} ${path}`
  const entry = lookup(read, root, path)
  if (entry?.kind === 'file' || entry?.kind === 'reference') {
    const file = basename(path)
    const one = [{ ...entry, path: file as EntryPath }]
    return { label, digest: root, key: undefined, entries: () => one, file }
  }
  if (entry?.kind === 'symlink') {
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `"${path}" of "${name}" is a symlink, not a file or folder.`,
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
  return { label, digest: root, key: ['folder', root, path], entries: within, file: undefined }
}

async function hold(
  session: Session,
  { label, entries: all }: Chosen,
  options: OperationOptions,
): Promise<HeldReferences> {
  const references: ReferenceEntry[] = []
  for (const entry of all()) if (entry.kind === 'reference') references.push(entry)
  if (references.length === 0) {
    return { asFile: (entry) => entry, key: [], [Symbol.dispose]: () => {} }
  }
  return holdReferences(session.opened, cacheOf(session), references, async (wanted, staging) => {
    // Nothing is at that place.
    const dir = join(staging.path, 'none')
    const request = { ref: label, dir, entries: wanted, staging, allowMissing: false, ...options }
    return (await fetchReferences(session, request)).atHand
  })
}

function wantedOf({ key, label, digest, entries: all }: Chosen, held: HeldReferences): Wanted {
  const files = function* (): Generator<Entry> {
    for (const entry of all()) yield held.asFile(entry)
  }
  return { key: copyKey(...(key ?? fileKey(files())), ...held.key), label, digest, entries: files }
}

function fileKey([entry]: Iterable<Entry>): readonly string[] {
  if (entry?.kind !== 'file') throw new Error('A file is one file.')
  const { content, executable, path }: FileEntry = entry
  const bytes = content.kind === 'inline' ? Buffer.from(content.bytes).toString('hex') : content.id
  return ['file', content.kind, bytes, executable ? 'x' : '', path]
}

function firstFile(all: Iterable<Entry>): Entry | undefined {
  for (const entry of all) if (entry.kind !== 'directory') return entry
  return undefined
}
