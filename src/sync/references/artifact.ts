/**
 * `artifacts://`: an entry of another version, whose bytes that version keeps. It may be written with a ref,
 * `artifacts://bike:v3/images/a.png`, and is recorded with the version's id, `artifacts://<64 hex digits>/images/a.png`,
 * parts percent-encoded. What refers on is followed to its end when it is recorded. Deleting the other version leaves
 * the reference without bytes, as with any other source.
 */
import { Readable } from 'node:stream'
import { ArtifactsError } from '../../errors.ts'
import { parseRef } from '../../names.ts'
import { type Resolved, resolveVersion } from '../../store/index/resolve.ts'
import { nodeReader, type OpenedStore } from '../../store/opened.ts'
import { fileBytes, fileDigest } from '../../store/read-file.ts'
import { entries, lookup } from '../../store/tree/cursor.ts'
import type { Entry, FileEntry, ObjectId, Reference } from '../../types.ts'
import { changed } from './digests.ts'
import type { FoundItem, ReferenceContext, ReferenceHome, ReferenceKind } from './kind.ts'
import { tooMany } from './limits.ts'
import { decoded, lastPart } from './uri.ts'

export const artifact: ReferenceKind = {
  isRemote: false,
  nameOf: (uri) => lastPart(split(uri).path, false),
  async resolve(uri, options) {
    const { maxObjects = Number.POSITIVE_INFINITY } = options
    const home = homeOf(uri, options)
    const { store } = home
    const { version } = find(uri, home)
    const path = split(uri).path.replace(/\/+$/, '')
    const read = nodeReader(store)
    const name = lastPart(path, false)
    const entry = path === '' ? undefined : lookup(read, version.object.root, path)
    if (entry !== undefined) {
      const reference = referenceTo(store, version.id, entry)
      if (reference !== undefined) return { kind: 'one', name, reference }
      throw new ArtifactsError(
        'ERR_UNSUPPORTED',
        `"${uri}" is a ${entry.kind}, which has no bytes.`,
      )
    }
    const prefix = path === '' ? '' : `${path}/`
    const items: FoundItem[] = []
    for (const each of entries(read, version.object.root, { prefix })) {
      const key = each.path.slice(prefix.length)
      const reference = referenceTo(store, version.id, each)
      if (reference !== undefined) items.push({ key, kind: 'reference', reference })
      else if (each.kind === 'symlink') items.push({ key, kind: 'symlink', target: each.target })
      else items.push({ key, kind: 'directory' })
      if (items.length > maxObjects) throw tooMany(uri, maxObjects)
    }
    if (items.length > 0) return { kind: 'many', name, items }
    throw missing(uri)
  },
  async open(reference, context) {
    const { signal } = context
    const home = homeOf(reference.uri, context)
    const { store } = home
    const entry = fileAt(reference.uri, home)
    if (fileDigest(store, entry) !== reference.digest.value) throw changed(reference, 'other bytes')
    return { body: Readable.from(fileBytes(store, entry, signal)), proven: true }
  },
}

/** The URI of an entry. */
export function entryUri(version: ObjectId, path: string): string {
  return `artifacts://${version}/${path.split('/').map(encodeURIComponent).join('/')}`
}

function referenceTo(store: OpenedStore, version: ObjectId, entry: Entry): Reference | undefined {
  if (entry.kind === 'reference') return entry.reference
  if (entry.kind !== 'file') return undefined
  const digest = { algo: 'sha256', value: fileDigest(store, entry) }
  return { uri: entryUri(version, entry.path), digest, size: entry.size, resolved: true }
}

function fileAt(uri: string, home: ReferenceHome): FileEntry {
  const { version } = find(uri, home)
  const entry = lookup(nodeReader(home.store), version.object.root, split(uri).path)
  if (entry?.kind === 'file') return entry
  throw missing(uri)
}

function homeOf(uri: string, { home }: ReferenceContext): ReferenceHome {
  if (home !== undefined) return home
  throw new ArtifactsError('ERR_USAGE', `"${uri}" is in a store, and the draft knows none yet.`, {
    hint: 'Begin the draft in its store, `store.draft(name, { type })`, or give the entry itself.',
  })
}

function find(uri: string, { state, defaults }: ReferenceHome): Resolved {
  const { ref } = split(uri)
  try {
    return resolveVersion(state, parseRef(ref), defaults)
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_NOT_FOUND') throw error
    const { code, message, hint, data } = error
    throw new ArtifactsError(code, `"${uri}" leads nowhere: ${message}`, {
      hint,
      data,
      cause: error,
    })
  }
}

/** A ref, which may hold slashes up to its colon or at sign, and a path. */
function split(uri: string): { readonly ref: string; readonly path: string } {
  const rest = uri.replace(/^artifacts:\/*/i, '')
  const mark = rest.search(/[:@]/)
  const first = rest.indexOf('/')
  const isMarked = mark >= 0 && (first < 0 || /^[^/]*(\/[^/]*){0,2}[:@]/.test(rest))
  const end = rest.indexOf('/', isMarked ? mark : 0)
  const ref = end < 0 ? rest : rest.slice(0, end)
  const path = end < 0 ? '' : decoded(rest.slice(end + 1))
  return { ref: /^[0-9a-f]{64}$/.test(ref) ? `@${ref}` : ref, path }
}

function missing(uri: string): ArtifactsError {
  return new ArtifactsError('ERR_NOT_FOUND', `There is no entry at "${uri}".`, {
    hint: `See what the version has: \`artifacts ls ${split(uri).ref}\`.`,
    data: { uri },
  })
}
