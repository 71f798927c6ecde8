import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { intercept } from '../../../src/store/io/intercept.ts'
import { packPath } from '../../../src/store/layout.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import { type Tree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { rejects } from '../../support/rejects.ts'
import { act } from './actor.ts'
import { COMMIT_POINT, commitWhile, gc, matches, once, PACK_GOES } from './racing.ts'
import {
  ageOthers,
  assertClean,
  assertVersions,
  commitTree,
  manyFiles,
  openIn,
  operations,
  packFiles,
  workspace,
} from './workspace.ts'

const test = suite('races')

/** Over 1 MiB, so that chunks are in a pack of their own, which is the same whenever they are stored. */
const LARGE: Tree = { 'large.bin': seededRandom(9).bytes(1_500_000), 'small.txt': 'x'.repeat(200) }

test('a commit stores anew what it found in a pack that is dropped meanwhile', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'old', LARGE)
  const before = packFiles(layout)
  const report = await commitWhile(path, 'new', LARGE, COMMIT_POINT, () => {
    ageOthers(layout, before, 'young')
    act(path, { do: 'remove', ref: 'old:v0' }, { do: 'gc' })
    assert.ok(!before.some((id) => existsSync(packPath(layout, id))))
  })
  assert.ok(report.storedBytes > 1_500_000)
  await assertVersions(path, { 'new:v0': LARGE })
  ageOthers(layout, [], 'old')
  await gc(path)
  await assertClean(layout)
})

test('a commit stores anew what a version had whose leaves it skipped', async () => {
  await using space = await workspace()
  const { path, layout } = space
  // Several leaves and no chunks: what is skipped is all that the new version shares with the old.
  const tree = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`f${i}`, `inline ${i}`]))
  await commitTree(path, 'bike', tree)
  await commitTree(path, 'bike', { ...tree, f0: 'changed' })
  const changed = { ...tree, f0: 'changed again' }
  const before = packFiles(layout)
  const report = await commitWhile(path, 'bike', changed, COMMIT_POINT, () => {
    ageOthers(layout, before, 'young')
    act(path, { do: 'remove', ref: 'bike:v1' }, { do: 'remove', ref: 'bike:v0' }, { do: 'gc' })
  })
  assert.is(report.version, 'v2')
  await assertVersions(path, { 'bike:v2': changed })
  ageOthers(layout, [], 'old')
  await gc(path)
  await assertClean(layout)
})

test('a commit does not build on a version that is deleted meanwhile, though its bytes are there', async () => {
  await using space = await workspace()
  const { path } = space
  const tree = manyFiles(50, 1)
  await commitTree(path, 'bike', tree)
  let links = 0
  await commitWhile(path, 'bike', { ...tree, more: 'm'.repeat(100) }, COMMIT_POINT, () => {
    act(path, { do: 'remove', ref: 'bike:v0' })
    links++
  })
  assert.is(links, 1)
  await assertVersions(path, { 'bike:v1': { ...tree, more: 'm'.repeat(100) } })
})

test('a commit whose base is deleted meanwhile is refused', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'bike', manyFiles(5, 1))
  writeTree(join(path, 'more'), { 'more.txt': 'm'.repeat(100) })
  using store = await openIn(path)
  const stop = once(COMMIT_POINT, () => act(path, { do: 'remove', ref: 'bike:v0' }))
  const error = await rejects(
    store.commit([join(path, 'more')], { name: 'bike', base: 'bike:v0', jobs: 0 }),
    'ERR_NOT_FOUND',
  )
  stop()
  assert.match(error.message, 'is deleted')
  assert.is(operations(layout).length, 2)
})

test('a commit whose own packs are taken for leftovers stores them anew, under another id', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'other', manyFiles(3, 5))
  let own: string[] = []
  await commitWhile(path, 'new', LARGE, COMMIT_POINT, () => {
    own = packFiles(layout)
    act(path, { do: 'gc' })
    own = own.filter((id) => !existsSync(packPath(layout, id)))
    assert.is(own.length, 2)
  })
  assert.not.ok(packFiles(layout).some((id) => own.includes(id)))
  await assertVersions(path, { 'new:v0': LARGE })
  await gc(path)
  await assertClean(layout)
})

test('a retry that writes a pack which another process is about to remove as left over writes another one', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'other', manyFiles(3, 5))
  // A commit dies before its operation.
  writeTree(join(path, 'of-new'), LARGE)
  using store = await openIn(path)
  const stop = intercept({
    before(call) {
      if (matches(call, COMMIT_POINT)) throw new Error('dead')
    },
  })
  await store.commit([join(path, 'of-new')], { name: 'new', jobs: 0 }).catch(() => {})
  stop()
  const left = packFiles(layout)
  assert.is(left.length, 3)
  // gc has dropped what it left; before the first file goes, the retry has written the data pack again.
  let retried = false
  const remove = once(PACK_GOES, () => {
    act(path, { do: 'commit', name: 'new' })
    retried = true
  })
  await store.gc({ grace: '0' })
  remove()
  assert.ok(retried)
  await assertVersions(path, { 'new:v0': LARGE })
  await gc(path)
  await assertClean(layout)
})

for (const jobs of [0, 2]) {
  test(`what is stored again gets another pack than the one that was dropped (${jobs} threads)`, async () => {
    await using space = await workspace()
    const { path, layout } = space
    // More than 16 MiB, so that threads are worth their start.
    writeTree(join(path, 'data'), { 'large.bin': seededRandom(9).bytes(17 << 20) })
    using store = await openIn(path)
    const commit = () => store.commit([join(path, 'data')], { name: 'bike', jobs })
    await commit()
    const saltsNow = (): number[] =>
      packFiles(layout).map((id) => readTable(packPath(layout, id)).salt)
    assert.ok(saltsNow().every((salt) => salt === 0))
    const before = packFiles(layout)
    await store.remove(['bike:v0'])
    await store.gc({ grace: '0' })
    assert.equal(packFiles(layout), [])
    await commit()
    assert.not.ok(packFiles(layout).some((id) => before.includes(id)))
    assert.ok(jobs > 0 || saltsNow().includes(1), `${saltsNow()}`)
    assert.ok((await store.verify('bike:v1')).ok)
  })
}

test('gc counts anew what a commit has taken up that was faster', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'old', LARGE)
  await commitTree(path, 'bike', manyFiles(5, 1))
  writeTree(join(path, 'of-new'), LARGE)
  using store = await openIn(path)
  await store.remove(['old:v0'])
  const stop = once(COMMIT_POINT, () => act(path, { do: 'commit', name: 'new' }))
  const report = await store.gc({ grace: '0' })
  stop()
  assert.equal(report.purged, ['old:v0'])
  assert.is(report.packs.dropped, 0, 'the data is needed again')
  await assertVersions(path, { 'new:v0': LARGE })
  await gc(path)
  await assertClean(layout)
})

test('gc gives up the copy of a pack when a commit has taken up more of it', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const all = manyFiles(100, 1)
  const part = (from: number, to: number): Tree =>
    Object.fromEntries(Object.entries(all).slice(from, to))
  await commitTree(path, 'all', all)
  await commitTree(path, 'some', part(0, 30))
  writeTree(join(path, 'of-new'), part(20, 60))
  using store = await openIn(path)
  await store.remove(['all:v0'])
  const stop = once(COMMIT_POINT, () => act(path, { do: 'commit', name: 'new' }))
  const report = await store.gc({ grace: '0' })
  stop()
  assert.is(report.packs.rewritten, 0)
  await assertVersions(path, { 'new:v0': part(20, 60), 'some:v0': part(0, 30) })
  const again = await gc(path)
  assert.is(again.packs.rewritten, 1)
  await assertVersions(path, { 'new:v0': part(20, 60), 'some:v0': part(0, 30) })
  await assertClean(layout)
})

test('gc keeps the copy of a pack when the commit that was faster needs no more of it', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const all = manyFiles(100, 1)
  const some = Object.fromEntries(Object.entries(all).slice(0, 30))
  await commitTree(path, 'all', all)
  await commitTree(path, 'some', some)
  writeTree(join(path, 'of-new'), { ...some, more: 'm'.repeat(100) })
  using store = await openIn(path)
  await store.remove(['all:v0'])
  const before = packFiles(layout)
  const stop = once(COMMIT_POINT, () => {
    // As on a disk whose clock is behind: now it looks like something left over.
    ageOthers(layout, before, 'old')
    act(path, { do: 'commit', name: 'new' })
  })
  const report = await store.gc({ grace: '0' })
  stop()
  assert.is(report.packs.rewritten, 1)
  assert.is(report.packs.leftover, 0)
  await assertVersions(path, { 'new:v0': { ...some, more: 'm'.repeat(100) }, 'some:v0': some })
  await gc(path)
  await assertClean(layout)
})

test('a version that is restored first is kept by gc', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const tree = manyFiles(20, 1)
  await commitTree(path, 'bike', tree)
  await commitTree(path, 'car', manyFiles(20, 2))
  using store = await openIn(path)
  await store.remove(['bike:v0', 'car:v0'])
  const stop = once(COMMIT_POINT, () => act(path, { do: 'restore', ref: 'bike:v0' }))
  const report = await store.gc({ grace: '0' })
  stop()
  assert.equal(report.purged, ['car:v0'])
  await assertVersions(path, { 'bike:v0': tree })
  await assertClean(layout)
})

test('a version that gc purges first can not be restored', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'bike', manyFiles(20, 1))
  using store = await openIn(path)
  await store.remove(['bike:v0'])
  const stop = once(COMMIT_POINT, () => act(path, { do: 'gc' }))
  const error = await rejects(store.restore(['bike:v0']), 'ERR_NOT_FOUND')
  stop()
  assert.match(error.message, 'removed by gc')
  await assertClean(layout)
})

test('a checkout follows what gc moves while it runs', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const all = manyFiles(800, 1)
  const part = Object.fromEntries(Object.entries(all).slice(0, 500))
  await commitTree(path, 'all', all)
  await commitTree(path, 'part', { ...part, 'large.bin': LARGE['large.bin'] as Buffer })
  using store = await openIn(path)
  await store.remove(['all:v0'])
  const before = packFiles(layout)
  let moved = 0
  const dir = join(path, 'out')
  const stop = intercept({
    before(call) {
      // The plan is made, and some files are written.
      if (call.kind !== 'open' || !call.path.includes('/tmp/') || ++moved !== 100) return
      act(path, { do: 'gc' })
      assert.ok(before.some((id) => !existsSync(packPath(layout, id))))
    },
  })
  await store.checkout('part:v0', dir, { jobs: 0 })
  stop()
  assert.ok(moved > 100)
  assert.is(readdirSync(dir).length, 501)
  assert.is(statSync(join(dir, 'large.bin')).size, 1_500_000)
  rmSync(dir, { recursive: true })
  await assertVersions(path, {
    'part:v0': { ...part, 'large.bin': LARGE['large.bin'] as Buffer },
  })
})

test('cat, ls and verify follow what gc has moved since they looked', async () => {
  await using space = await workspace()
  const { path } = space
  const all = manyFiles(1500, 1)
  const part = Object.fromEntries(Object.entries(all).slice(0, 700))
  await commitTree(path, 'all', all)
  await commitTree(path, 'part', part)
  using store = await openIn(path)
  await store.remove(['all:v0'])
  const entries = store.entries('part:v0')[Symbol.iterator]()
  entries.next()
  const bytes = store.read('part:v0', 'f3')[Symbol.iterator]()
  act(path, { do: 'gc' })
  assert.equal(Buffer.from(bytes.next().value as Uint8Array), part['f3'])
  let count = 1
  while (entries.next().done !== true) count++
  assert.is(count, 700)
  assert.ok((await store.verify('part:v0')).ok)
})

test.run()
