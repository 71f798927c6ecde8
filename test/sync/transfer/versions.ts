/** What versions consist of, found by reading everything: what transfers are compared with. */

import * as assert from 'uvu/assert'
import type { CommitResult } from '../../../src/store/commit/commit.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import { NODE, RECIPE } from '../../../src/store/object/id.ts'
import { tableEntries } from '../../../src/store/object/pack.ts'
import { decodePart, decodeRecipe } from '../../../src/store/object/recipe.ts'
import { nodeReader, type OpenedStore, readObject } from '../../../src/store/opened.ts'
import { entries, nodeIds } from '../../../src/store/tree/cursor.ts'
import type { WantedVersion } from '../../../src/sync/transfer/missing-there.ts'
import type { OutgoingPack } from '../../../src/sync/transfer/outgoing.ts'
import type { ObjectId } from '../../../src/types.ts'
import type { Tree } from '../../support/files.ts'
import type { Random } from '../../support/random.ts'

export function wanted({ object }: Pick<CommitResult, 'object'>): WantedVersion {
  return { id: versionId(object), object }
}

/** The ids of all objects of a version; throws where one of those that name others is not there. */
export function objectsOf(store: OpenedStore, { id, object }: WantedVersion): Set<ObjectId> {
  const read = nodeReader(store)
  const ids = new Set<ObjectId>([id])
  for (const node of nodeIds(read, object.root)) {
    readObject(store, NODE, node)
    ids.add(node)
  }
  for (const entry of entries(read, object.root)) {
    if (entry.kind !== 'file' || entry.content.kind === 'inline') continue
    ids.add(entry.content.id)
    if (entry.content.kind === 'chunk') continue
    const recipe = decodeRecipe(readObject(store, RECIPE, entry.content.id), 'recipe')
    for (let index = 0; index < recipe.lengths.length; index++) {
      const piece = recipe.ids.toString('hex', index * 32, index * 32 + 32) as ObjectId
      ids.add(piece)
      if (recipe.of !== 'parts') continue
      const part = decodePart(readObject(store, RECIPE, piece), recipe, index, 'part')
      for (let at = 0; at < part.ids.length; at += 32) {
        ids.add(part.ids.toString('hex', at, at + 32) as ObjectId)
      }
    }
  }
  return ids
}

/** Files of 100 bytes and more. */
export function someFiles(random: Random, count: number): Tree {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`f${i}`, random.bytes(100 + i * 20)]),
  )
}

/** Files of 80 bytes, in several leaves. */
export function manyFiles(random: Random, count: number): Tree {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`f${index}`, random.bytes(80)]),
  )
}

/** The ids of what packs hold, without index packs; asserts that nothing is in two. */
export function contentsOf(packs: readonly Pick<OutgoingPack, 'kind' | 'table'>[]): ObjectId[] {
  const ids: ObjectId[] = []
  for (const { kind, table } of packs) {
    if (kind === 'index') continue
    const count = table.readUInt32LE(4)
    const entries = tableEntries({ bytes: table, offset: 0, salt: 0, count })
    ids.push(...entries.map(({ id }) => id.toString('hex') as ObjectId))
  }
  assert.is(new Set(ids).size, ids.length)
  return ids.sort()
}
