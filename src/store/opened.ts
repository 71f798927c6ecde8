/** What the operations of an open store share: where things are, the index, and reading single objects. */
import { closeSync, openSync } from 'node:fs'
import { ArtifactsError, isSystemError } from '../errors.ts'
import type { ObjectId } from '../types.ts'
import type { Location } from './index/objects.ts'
import type { StoreIndex } from './index/store-index.ts'
import type { Io } from './io/io.ts'
import { type Layout, packPath } from './layout.ts'
import type { Operation } from './log/operation.ts'
import { NODE, type ObjectKind } from './object/id.ts'
import { readObject as readRecord } from './object/pack-reader.ts'
import type { ReadNode } from './tree/cursor.ts'
import type { StatCache } from './workspace/stat-cache.ts'

export interface OpenedStore {
  readonly layout: Layout
  /** The folder that `.artifacts` lies in. */
  readonly workspace: string
  readonly io: Io
  readonly index: StoreIndex
  readonly by: Operation['by']
  /** This program, such as `artifacts/0.1.0`. */
  readonly tool: string
  /** Opened when first asked for. */
  readonly statCache: () => StatCache
}

/**
 * Returns an object's bytes, verified by its id, from whichever pack has it undamaged.
 * @throws ArtifactsError ERR_DAMAGED when none has, ERR_NOT_FETCHED where that is no damage.
 */
export function readObject(store: OpenedStore, kind: ObjectKind, id: ObjectId): Uint8Array {
  const { index } = store
  for (;;) {
    const { seen } = index
    const bytes = readAnywhere(store, kind, id)
    if (bytes instanceof Uint8Array) return bytes
    // gc drops packs while others read: what they held is in another pack by then.
    if (index.hasMovedOn(seen)) continue
    throw bytes ?? lost(store, id)
  }
}

/** Where every pack can be read, what a partial version lacks is all that can be missing. */
function lost({ index }: OpenedStore, id: ObjectId): ArtifactsError {
  const missing = index.objects.missing(id)
  const { packs } = missing.data as { readonly packs: readonly string[] }
  if (packs.length > 0 || index.state.partialVersions().length === 0) return missing
  return new ArtifactsError(
    'ERR_NOT_FETCHED',
    `Object "${id}" was not fetched: the version that it belongs to came without it.`,
    { hint: 'Fetch that version: `artifacts fetch REF`.', data: { object: id } },
  )
}

/** The object's bytes; else what is wrong with the first place that should have them, if that is damaged. */
function readAnywhere(
  { index, layout }: OpenedStore,
  kind: ObjectKind,
  id: ObjectId,
): Uint8Array | ArtifactsError | undefined {
  let problem: ArtifactsError | undefined
  for (const place of index.objects.locations(Buffer.from(id, 'hex'))) {
    try {
      return readAt(layout, place, kind)
    } catch (error) {
      const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
      if (!isDamage && !isSystemError(error, 'ENOENT', 'EIO')) throw error
      if (isDamage) problem ??= error
    }
  }
  return problem
}

/** Reads the nodes of trees, remembering the last few hundred. */
export function nodeReader(store: OpenedStore): ReadNode {
  const recent = new Map<ObjectId, Uint8Array>()
  return (id) => {
    const known = recent.get(id)
    if (known !== undefined) return known
    const bytes = readObject(store, NODE, id)
    if (recent.size === RECENT_NODES) recent.delete(recent.keys().next().value as ObjectId)
    recent.set(id, bytes)
    return bytes
  }
}

const RECENT_NODES = 64

function readAt(layout: Layout, place: Location, kind: ObjectKind): Uint8Array {
  const fd = openSync(packPath(layout, place.pack), 'r')
  try {
    return readRecord(fd, kind, place)
  } finally {
    closeSync(fd)
  }
}
