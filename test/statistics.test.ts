import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { bikes } from './stores.ts'
import { seededRandom } from './support/random.ts'
import { temporaryDirectory } from './support/temp.ts'

const test = suite('statistics')

test('a new store holds nothing', async () => {
  await using dir = await temporaryDirectory()
  const { store } = await Store.init(dir.path)
  const { objects, disk, ...counts } = await store.statistics()
  assert.equal(counts, {
    operations: 0,
    artifacts: 0,
    versions: { live: 0, deleted: 0, purged: 0 },
    files: 0,
    logicalBytes: 0,
    uniqueBytes: 0,
    storedBytes: 0,
    packs: { packs: 0, bytes: 0, unreadable: 0 },
    largest: [],
    gc: { bytes: 0, bytesWithoutGrace: 0 },
  })
  assert.ok(objects.every((each) => each.objects === 0 && each.bytes === 0))
  assert.ok(disk.inodes >= 7)
  store.close()
})

test('counts content as often as it stands in versions, and different bytes once', async () => {
  await using dir = await temporaryDirectory()
  const { path } = dir
  const { store } = await Store.init(path)
  store.settings.set('durability', 'process')
  const random = seededRandom(1)
  const data = join(path, 'data')
  mkdirSync(data)
  writeFileSync(join(data, 'noise'), random.bytes(2_000_000))
  writeFileSync(join(data, 'text'), random.text(100_000))
  await store.commit([data], { name: 'one', jobs: 0 })
  await store.commit([data], { name: 'two', jobs: 0 })
  writeFileSync(join(data, 'more'), random.bytes(1000))
  await store.commit([data], { name: 'two', jobs: 0 })
  const all = await store.statistics()
  assert.equal(all.versions, { live: 3, deleted: 0, purged: 0 })
  assert.is(all.artifacts, 2)
  assert.is(all.files, 2 + 2 + 3)
  assert.is(all.logicalBytes, 3 * 2_100_000 + 1000)
  assert.is(all.uniqueBytes, 2_101_000)
  assert.is(all.dedupRatio, 3)
  const packs = readdirSync(join(store.root, 'packs'))
  const stored = packs.reduce(
    (sum, name) => sum + statSync(join(store.root, 'packs', name)).size,
    0,
  )
  assert.is(all.storedBytes, stored)
  assert.equal(all.packs, { packs: packs.length, bytes: stored, unreadable: 0 })
  assert.ok((all.compressionRatio ?? 0) > 1 && (all.ratio ?? 0) > 2.9)
  const [chunks, recipes, nodes, versions] = all.objects
  assert.ok((chunks?.objects ?? 0) > 10 && (chunks?.storedBytes ?? 0) < 2_101_000)
  assert.is(recipes?.objects, 1)
  assert.is(nodes?.objects, 2)
  assert.is(versions?.objects, 3)
  assert.equal(all.largest, [
    { artifact: 'two', versions: 2, bytes: 4_201_000 },
    { artifact: 'one', versions: 1, bytes: 2_100_000 },
  ])
  assert.is(all.disk.inodes, inodesBelow(store.root))
  assert.ok(all.disk.bytes > stored)
  store.close()
})

test('says what gc would free, now and without grace', async () => {
  await using bike = await bikes()
  const { store, path } = bike
  mkdirSync(join(path, 'gone'))
  writeFileSync(join(path, 'gone/noise'), seededRandom(2).bytes(50_000))
  await store.commit([join(path, 'gone')], { name: 'gone', jobs: 0 })
  await store.remove(['gone'], { allVersions: true })
  const { versions, gc, largest, artifacts } = await store.statistics()
  assert.equal(versions, { live: 3, deleted: 1, purged: 0 })
  assert.is(artifacts, 1)
  assert.equal(
    largest.map(({ artifact }) => artifact),
    ['bike'],
  )
  if ('refused' in gc) return assert.unreachable(gc.refused)
  assert.is(gc.bytes, 0)
  assert.ok(gc.bytesWithoutGrace > 50_000)
  const { freedBytes } = await store.gc({ grace: '0' })
  assert.is(freedBytes, gc.bytesWithoutGrace)
  assert.equal((await store.statistics()).versions, { live: 3, deleted: 0, purged: 1 })
})

test('says why gc would not run', async () => {
  await using bike = await bikes()
  const { store } = bike
  const [pack = ''] = readdirSync(join(store.root, 'packs'))
  rmSync(join(store.root, 'packs', pack))
  const { gc } = await store.statistics()
  assert.ok('refused' in gc)
})

function inodesBelow(directory: string): number {
  let count = 1
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    count += entry.isDirectory() ? inodesBelow(join(directory, entry.name)) : 1
  }
  return count
}

test.run()
