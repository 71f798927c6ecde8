/** Single files of versions, for programs that know HTTP and nothing of stores: `GET /files/<ref>/<path>`. */
import { Readable } from 'node:stream'
import { ArtifactsError } from '../../errors.ts'
import { parseRef, type Ref } from '../../names.ts'
import { type RefDefaults, type Resolved, resolveVersion } from '../../store/index/resolve.ts'
import type { OpenedStore } from '../../store/opened.ts'
import { fileDigest, fileRange } from '../../store/read-file.ts'
import { lookup, type ReadNode } from '../../store/tree/cursor.ts'
import type { FileEntry } from '../../types.ts'
import type { Body } from './answers.ts'
import { Refusal } from './refusal.ts'

export interface Entries {
  readonly store: OpenedStore
  readonly defaults: RefDefaults
  /** Remembers nodes from one request to the next. */
  readonly readNode: ReadNode
}

export interface FoundFile {
  readonly body: Body
  /** SHA-256 of its bytes. */
  readonly sha256: string
  readonly version: string
  /** Whether the ref can never mean anything else. */
  readonly isFixed: boolean
}

/** @throws Refusal 400, 404; ArtifactsError ERR_DAMAGED */
export function findFile(
  { store, defaults, readNode }: Entries,
  ref: string,
  path: string,
): FoundFile {
  store.index.refresh()
  const { parsed, resolved } = resolve(store, defaults, ref)
  const { version } = resolved
  const entry = lookup(readNode, version.object.root, path)
  if (entry === undefined) throw new Refusal(404, 'The version has no such entry.')
  if (entry.kind !== 'file') {
    throw new Refusal(404, `The entry is a ${entry.kind}: its bytes are not here.`)
  }
  const { selector } = parsed
  return {
    body: bodyOf(store, entry),
    sha256: fileDigest(store, entry),
    version: version.id,
    isFixed: selector?.kind === 'id' && selector.prefix.length === 64 && parsed.back === 0,
  }
}

function resolve(
  { index }: OpenedStore,
  defaults: RefDefaults,
  ref: string,
): { readonly parsed: Ref; readonly resolved: Resolved } {
  try {
    const parsed = parseRef(ref)
    return { parsed, resolved: resolveVersion(index.state, parsed, defaults) }
  } catch (error) {
    if (!(error instanceof ArtifactsError)) throw error
    if (error.code === 'ERR_NOT_FOUND') throw new Refusal(404, error.message)
    if (error.code === 'ERR_INVALID_NAME') throw new Refusal(400, error.message)
    if (error.code === 'ERR_AMBIGUOUS') throw new Refusal(400, error.message)
    throw error
  }
}

function bodyOf(store: OpenedStore, entry: FileEntry): Body {
  return {
    size: entry.size,
    from: (start, end) => Readable.from(fileRange(store, entry, start, end)),
  }
}
