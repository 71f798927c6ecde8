import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { installFaults } from '../../../src/store/io/faults.ts'
import { packPath } from '../../../src/store/layout.ts'
import { type Tree, writeTree } from '../../support/files.ts'
import { act } from './actor.ts'
import { COMMIT_POINT, commitWhile, gc } from './racing.ts'
import {
  ageOthers,
  assertClean,
  assertVersions,
  commitTree,
  commitTrees,
  manyFiles,
  operations,
  packFiles,
  workspace,
} from './workspace.ts'

const test = suite('merge')

/** So many commits of two files each, which make a small pack each. */
const small = (count: number): Tree[] =>
  Array.from({ length: count }, (_, seed) => manyFiles(2, seed))

const FEW = {
  'bike:v0': manyFiles(2, 0),
  'bike:v31': manyFiles(2, 31),
  'bike:v64': manyFiles(2, 64),
}

test('a commit that sees more than 64 small packs merges them in its own operation', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTrees(path, 'bike', small(65))
  const before = packFiles(layout)
  assert.is(before.length, 65)
  await commitTree(path, 'car', manyFiles(2, 500))
  const newest = operations(layout).at(-1)
  assert.equal(
    newest?.changes.map(({ kind }) => kind),
    ['artifact.create', 'version.add', 'alias.set', 'packs.drop'],
  )
  assert.is(newest?.packs.length, 2)
  assert.equal(packFiles(layout).sort(), newest?.packs.map(({ id }) => id).sort())
  assert.not.ok(before.some((id) => existsSync(packPath(layout, id))))
  await assertVersions(path, { ...FEW, 'car:v0': manyFiles(2, 500) })
  await assertClean(layout)
})

test('what a merge could not remove is removed by gc, and the commit stands', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTrees(path, 'bike', small(65))
  const faults = installFaults({
    at: 1,
    kinds: ['unlink'],
    paths: /\.pack$/,
    fault: { do: 'fail', code: 'EIO', lasting: true },
  })
  await commitTree(path, 'car', manyFiles(2, 500))
  faults.reset()
  assert.ok(faults.fired)
  assert.is(packFiles(layout).length, 67)
  await assertVersions(path, { ...FEW, 'car:v0': manyFiles(2, 500) })
  assert.is((await gc(path)).packs.leftover, 65)
  await assertVersions(path, { ...FEW, 'car:v0': manyFiles(2, 500) })
  await assertClean(layout)
})

test('a merge leaves out packs that are damaged or gone', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTrees(path, 'bike', small(65))
  const [damaged = '', gone = ''] = operations(layout)
    .slice(5, 7)
    .map(({ packs }) => packs[0]?.id)
  const file = packPath(layout, damaged)
  const bytes = readFileSync(file)
  bytes[100] = (bytes[100] as number) ^ 1
  writeFileSync(file, bytes)
  rmSync(packPath(layout, gone))
  await commitTree(path, 'car', manyFiles(2, 500))
  const packs = operations(layout)
    .at(-1)
    ?.packs.map(({ id }) => id)
  assert.equal(packFiles(layout).sort(), [damaged, ...(packs ?? [])].sort())
  await assertVersions(path, { ...FEW, 'car:v0': manyFiles(2, 500) })
})

test('a commit looks up anew what it found in a pack that was merged meanwhile, and stores nothing', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTrees(path, 'bike', small(65))
  const found = { ...manyFiles(2, 3), own: 'o'.repeat(100) }
  const before = packFiles(layout)
  const report = await commitWhile(path, 'new', found, COMMIT_POINT, () => {
    ageOthers(layout, before, 'young')
    act(path, { do: 'gc' })
  })
  // The merged one, what the first attempt wrote, and the version that the second one made.
  assert.is(packFiles(layout).length, 3)
  assert.ok(report.storedBytes < 1000, `${report.storedBytes}`)
  await assertVersions(path, { ...FEW, 'new:v0': found })
  await gc(path)
  await assertClean(layout)
})

test('two that merge the same packs end with one merge', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTrees(path, 'bike', small(65))
  writeTree(join(path, 'of-car'), manyFiles(2, 500))
  const boat = manyFiles(2, 501)
  const report = await commitWhile(path, 'boat', boat, COMMIT_POINT, () =>
    act(path, { do: 'commit', name: 'car' }),
  )
  assert.is(report.version, 'v0')
  const drops = operations(layout).filter(({ changes }) =>
    changes.some(({ kind }) => kind === 'packs.drop'),
  )
  assert.is(drops.length, 1)
  await assertVersions(path, { ...FEW, 'car:v0': manyFiles(2, 500), 'boat:v0': boat })
  await gc(path)
  await assertClean(layout)
})

test.run()
