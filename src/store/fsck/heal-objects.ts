/**
 * Brings back objects that are lost: version objects from the log, which has them; recipes, nodes and chunks from bound
 * directories. Metadata comes first, for only with it one knows which chunks are needed.
 */
import type { ObjectId, OperationOptions } from '../../types.ts'
import { IdSet } from '../ingest/id-set.ts'
import type { MetaObject, WrittenPack } from '../ingest/protocol.ts'
import { encodeVersionObject } from '../log/version-object.ts'
import { CHUNK, NODE, type ObjectKind, RECIPE, VERSION } from '../object/id.ts'
import { recordType } from '../object/pack.ts'
import type { OpenedStore } from '../opened.ts'
import { BoundFiles, type Search } from './bound-files.ts'
import { type CheckedVersion, walkVersions } from './check-versions.ts'
import type { Examination } from './examination.ts'
import type { Loss, ObjectSource } from './tree-check.ts'

/** All that versions need and that can't be read. */
export interface Losses {
  readonly count: number
  readonly ids: IdSet
  /** Chunks that are files, and recipes that are lost or have lost chunks: as entries name them. */
  readonly contents: ReadonlySet<ObjectId>
  readonly hasMetadata: boolean
  /** Versions that are not whole. */
  readonly versions: ReadonlyMap<ObjectId, CheckedVersion>
}

/** Metadata that was found again, up to so many bytes. */
const MOST_FOUND = 64 << 20

export function findLosses(examination: Examination, found: FoundMetadata | undefined): Losses {
  const { fresh } = examination
  const ids = new IdSet(Number.POSITIVE_INFINITY)
  const contents = new Set<ObjectId>()
  const versions = new Map<ObjectId, CheckedVersion>()
  let count = 0
  let hasMetadata = false
  const source: ObjectSource = {
    read: (kind, id) => found?.take(id) ?? fresh.readObject(kind, id),
    find: (id) => fresh.find(id) ?? found?.find(id),
  }
  walkVersions(examination, source, { catchUp: false }, (loss: Loss, version) => {
    if (ids.add(Buffer.from(loss.id, 'hex'), 0)) count++
    if (loss.kind === CHUNK || loss.kind === RECIPE) contents.add(loss.recipe ?? loss.id)
    if (loss.kind !== CHUNK) hasMetadata = true
    if (loss.kind !== VERSION) versions.set(version.id, version)
  })
  return { count, ids, contents, hasMetadata, versions }
}

/** Finds what it can of the losses and writes it to packs, which no operation names yet. */
export async function healObjects(
  examination: Examination,
  store: OpenedStore,
  losses: Losses,
  options: OperationOptions & { readonly jobs?: number | undefined },
): Promise<readonly WrittenPack[]> {
  const found = new FoundMetadata(examination)
  const files = new BoundFiles(store, options)
  try {
    let left = losses
    if (losses.hasMetadata) {
      found.addVersions(losses)
      await files.search(searchFor(left, found, () => false))
      left = findLosses(examination, found)
    }
    const taken = new IdSet()
    const isLost = (ids: Uint8Array, at: number): boolean =>
      left.ids.has(ids, at) && taken.add(ids, at)
    if (left.contents.size > 0) await files.search(searchFor(left, found, isLost))
    return await files.finish(found.used)
  } finally {
    await files.close()
  }
}

function searchFor(
  { contents }: Losses,
  found: FoundMetadata,
  isLost: (ids: Uint8Array, at: number) => boolean,
): Search {
  return {
    decide: (ids, lengths) =>
      Uint8Array.from(lengths, (_, index) => (isLost(ids, index * 32) ? 1 : 0)),
    isWanted: (content) => contents.has(content),
    onRecipe: (id, bytes) => found.add(RECIPE, id, bytes),
    onNode: (id, bytes) => found.add(NODE, id, bytes),
  }
}

/** Objects other than chunks that the store does not have, as they came up; those that versions ask for are kept. */
class FoundMetadata {
  readonly #examination: Examination
  readonly #objects = new Map<ObjectId, MetaObject>()
  readonly #used = new Map<ObjectId, MetaObject>()
  #bytes = 0

  constructor(examination: Examination) {
    this.#examination = examination
  }

  get used(): readonly MetaObject[] {
    return [...this.#used.values()]
  }

  add(kind: ObjectKind, id: ObjectId, bytes: Uint8Array): void {
    if (this.#objects.has(id) || this.#bytes + bytes.length > MOST_FOUND) return
    if (this.#examination.fresh.find(Buffer.from(id, 'hex')) !== undefined) return
    this.#bytes += bytes.length
    this.#objects.set(id, { kind, id, bytes: Uint8Array.from(bytes) })
  }

  /** Version objects stand in the log, whole. */
  addVersions({ ids }: Losses): void {
    const { state } = this.#examination.fresh
    for (const { id } of state.artifacts()) {
      for (const version of state.everyVersion(id)) {
        if (ids.has(Buffer.from(version.id, 'hex'), 0)) {
          this.add(VERSION, version.id, encodeVersionObject(version.object))
        }
      }
    }
  }

  take(id: ObjectId): Uint8Array | undefined {
    const object = this.#objects.get(id)
    if (object !== undefined) this.#used.set(id, object)
    return object?.bytes
  }

  find(id: Buffer): ReturnType<ObjectSource['find']> {
    const object = this.#objects.get(id.toString('hex') as ObjectId)
    if (object === undefined) return undefined
    this.#used.set(object.id, object)
    return { raw: object.bytes.length, type: recordType(object.kind, 0) }
  }
}
