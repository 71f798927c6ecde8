/** Bundles that are whole to the last byte, and tell what is not so. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store, verifyBundle } from '../../../src/index.ts'
import { PACK_MAGIC } from '../../../src/store/object/pack.ts'
import { type BundleParts, writeBundle } from '../../../src/sync/bundle/write-bundle.ts'
import type { ObjectId } from '../../../src/types.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { IO, madeParts } from './made.ts'

const test = suite('bundles that lie')

test('objects that are said to be in it and are not: refused, with the store as it was', async () => {
  await using dir = await temporaryDirectory()
  await refused(dir.path, await madeParts(dir.path, { packs: [[3_000], [500]] }), 'ERR_DAMAGED')
})

test('prerequisites that nobody has are named, and nothing is written', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: [[3_000]] })
  const prerequisites = ['ab'.repeat(32) as ObjectId]
  const error = await refused(dir.path, { ...parts, prerequisites }, 'ERR_NOT_FOUND')
  assert.match(error.message, '"@abababababab"')
})

test('a log that lies about packs, closures, numbers and names is refused before anything is taken', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: [[3_000], [500]] })
  const [create, one, two] = parts.changes
  const [pack, other] = parts.packs
  if (create === undefined || one?.kind !== 'version.add' || two?.kind !== 'version.add') {
    throw new Error('made differently')
  }
  if (pack === undefined || other === undefined) throw new Error('made differently')
  const lies: Record<string, BundleParts> = {
    'a number twice': { ...parts, changes: [create, one, { ...two, number: one.number }] },
    'no artifact': { ...parts, changes: [one, two] },
    'a version less': { ...parts, changes: [create, one] },
    'a version that is not told': { ...parts, versions: [one.version] },
    'an unknown pack': {
      ...parts,
      changes: [create, one, { ...two, closure: { packs: ['0'.repeat(64) as ObjectId] } }],
    },
    'another length': {
      ...parts,
      packs: [
        pack,
        { ...other, bytes: other.bytes + 512, toc: [other.toc[0] + 512, other.toc[1]] },
      ],
    },
    'another table': {
      ...parts,
      packs: [pack, { ...other, toc: [other.toc[0] - 8, other.toc[1] + 8] }],
    },
  }
  for (const [what, lie] of Object.entries(lies)) {
    await refused(dir.path, lie, 'ERR_DAMAGED', what)
  }
})

test('a pack that is no pack, or another one, is refused by verify', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: [[3_000]] })
  const [pack] = parts.packs
  if (pack === undefined) throw new Error('made differently')
  const bytes = Buffer.alloc(pack.bytes)
  PACK_MAGIC.copy(bytes)
  writeFileSync(join(dir.path, 'no-pack'), bytes)
  const { fileSource } = await import('../../../src/sync/source.ts')
  const source = fileSource(join(dir.path, 'no-pack'))
  const forged = { ...parts, packs: [{ ...pack, source, sha256: source.sha256 }] }
  await writeBundle(IO, join(dir.path, 'lie.tar'), forged)
  assert.not((await verifyBundle(join(dir.path, 'lie.tar'))).ok)
  await refused(dir.path, forged, 'ERR_DAMAGED')
})

test.run()

/** Applies a lie to an empty store, which is empty after that; returns the error. */
async function refused(
  directory: string,
  parts: BundleParts,
  code: string,
  what = '',
): Promise<Error> {
  const path = join(directory, 'lie.tar')
  await writeBundle(IO, path, parts)
  const { store } = await Store.init(join(directory, 'victim'))
  try {
    const report = store.applyBundle(path)
    const error = await report.then(
      () => undefined,
      (thrown: Error & { readonly code?: string }) => thrown,
    )
    assert.is(error?.code, code, `${what}: ${error?.stack}`)
    assert.equal(store.artifacts(), [], what)
    assert.ok((await Store.fsck({ store: store.root })).ok, what)
    return error as Error
  } finally {
    store.close()
  }
}
