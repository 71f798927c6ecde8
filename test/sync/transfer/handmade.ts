/** A remote whose packs are put together record by record, by somebody who may lie. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryName } from '../../../src/store/layout.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import { Codec } from '../../../src/store/object/compression.ts'
import { CHUNK, NODE, type ObjectKind, objectHash, objectId } from '../../../src/store/object/id.ts'
import { type NewRecord, PackWriter } from '../../../src/store/object/pack-writer.ts'
import type { OpenedStore } from '../../../src/store/opened.ts'
import { TreeBuilder } from '../../../src/store/tree/builder.ts'
import { packName } from '../../../src/sync/put-pack.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import type { WantedVersion } from '../../../src/sync/transfer/missing-there.ts'
import type { Entry, EntryPath, FileEntry, ObjectId } from '../../../src/types.ts'
import { TestRemote } from './remote.ts'

export class HandmadeRemote extends TestRemote {
  readonly #store: OpenedStore
  #records: NewRecord[] = []

  /** @param store somebody's: packs are written in its `tmp/`. */
  constructor(store: OpenedStore) {
    super()
    this.#store = store
  }

  /** An object as it should be. */
  add(kind: ObjectKind, bytes: Uint8Array): ObjectId {
    this.addRecord({
      kind,
      id: objectHash(kind, bytes),
      codec: Codec.none,
      stored: bytes,
      rawLength: bytes.length,
    })
    return objectId(kind, bytes)
  }

  addRecord(record: NewRecord): void {
    this.#records.push(record)
  }

  chunk(bytes: Uint8Array): ObjectId {
    return this.add(CHUNK, bytes)
  }

  /** A tree of these entries, sorted by path, with all of its nodes. */
  tree(entries: readonly Entry[]): ObjectId {
    const builder = new TreeBuilder((_, bytes) => void this.add(NODE, bytes))
    for (const entry of entries) builder.add(entry)
    return builder.finish().root
  }

  /** Writes what was added into a pack, and makes it known. */
  async seal(): Promise<ObjectId> {
    const path = join(this.#store.layout.tmp, temporaryName())
    const writer = new PackWriter(this.#store.io, path)
    for (const record of this.#records.splice(0)) writer.append(record)
    const { id, bytes, kind, toc, table } = await writer.finish()
    const source = bytesSource(readFileSync(path))
    rmSync(path)
    await this.backend.put(packName(id as ObjectId), source)
    this.join({ id: id as ObjectId, bytes, kind, toc, sha256: source.sha256 }, table)
    return id as ObjectId
  }
}

export function versionWith(root: ObjectId, parents: readonly ObjectId[] = []): WantedVersion {
  const createdAt = '2026-01-01T00:00:00.000Z'
  const object = { bytes: 0, createdAt, files: 0, parents, root }
  return { id: versionId(object), object }
}

export function file(path: string, size: number, content: FileEntry['content']): FileEntry {
  return { kind: 'file', path: path as EntryPath, executable: false, size, content }
}
