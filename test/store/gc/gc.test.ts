import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { operationPath, packPath, temporaryName } from '../../../src/store/layout.ts'
import { seededRandom } from '../../support/random.ts'
import { rejects } from '../../support/rejects.ts'
import {
  assertClean,
  assertVersions,
  commitTree,
  indexOf,
  manyFiles,
  openIn,
  operations,
  packFiles,
  sizeOfPacks,
  workspace,
} from './workspace.ts'

const test = suite('gc')

test('keeps what was deleted until its grace is over, then gives up what only it needed', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const first = manyFiles(60, 1)
  const second = { ...manyFiles(60, 1), ...manyFiles(20, 2) }
  await commitTree(path, 'bike', first)
  await commitTree(path, 'bike', second)
  await commitTree(path, 'car', manyFiles(50, 3))
  using store = await openIn(path)
  await store.remove(['bike:v0', 'car:v0'])
  const before = packFiles(layout)
  const early = await store.gc()
  assert.equal(early.purged, [])
  assert.is(early.freedBytes, 0)
  assert.equal(packFiles(layout), before)
  await store.restore(['bike:v0'])
  await store.remove(['bike:v0'])
  const late = await store.gc({ grace: '0' })
  assert.equal([...late.purged].sort(), ['bike:v0', 'car:v0'])
  assert.ok(late.freedBytes > 10_000)
  assert.is(sizeOfPacks(layout), late.bytesAfter)
  await assertVersions(path, { 'bike:v1': second })
  await assertClean(layout)
  assert.match((await rejects(store.restore(['car:v0']), 'ERR_NOT_FOUND')).message, 'removed by gc')
  const again = await store.gc({ grace: '0' })
  assert.equal(again.purged, [])
  assert.equal(again.packs, { dropped: 0, rewritten: 0, merged: 0, written: 0, leftover: 0 })
  assert.is(again.freedBytes, 0)
})

test('drops packs and purges versions by one operation', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'bike', manyFiles(10, 1))
  await commitTree(path, 'car', manyFiles(10, 2))
  using store = await openIn(path)
  await store.remove(['car:v0'])
  await store.gc({ grace: '0' })
  assert.equal(
    operations(layout).map(({ changes }) => changes.map(({ kind }) => kind)),
    [
      ['artifact.create', 'version.add', 'alias.set'],
      ['artifact.create', 'version.add', 'alias.set'],
      ['alias.remove', 'version.delete'],
      ['version.purge', 'packs.drop'],
    ],
  )
})

test('writes a pack anew of which much is needless, and leaves one alone of which little is', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const all = manyFiles(100, 1)
  const keep = (share: number): typeof all =>
    Object.fromEntries(Object.entries(all).slice(0, share))
  await commitTree(path, 'most', all)
  await commitTree(path, 'kept', keep(80))
  using store = await openIn(path)
  await store.remove(['most:v0'])
  const little = await store.gc({ grace: '0' })
  assert.equal(little.packs, { dropped: 0, rewritten: 0, merged: 0, written: 0, leftover: 0 })
  assert.equal(little.purged, ['most:v0'])
  await commitTree(path, 'few', keep(40))
  await store.remove(['kept:v0'])
  const much = await store.gc({ grace: '0' })
  assert.is(much.packs.written, 1)
  assert.ok(much.packs.rewritten >= 1)
  await assertVersions(path, { 'few:v0': keep(40) })
  await assertClean(layout)
  assert.is((await store.gc({ grace: '0' })).freedBytes, 0)
})

test('foresees in a dry run what it then does, and changes nothing', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'bike', manyFiles(60, 1))
  await commitTree(path, 'bike', { ...manyFiles(20, 1), ...manyFiles(20, 2, 'g') })
  await commitTree(path, 'car', manyFiles(50, 3))
  using store = await openIn(path)
  await store.remove(['bike:v0', 'car:v0'])
  writeFileSync(join(layout.packs, `${'a'.repeat(64)}.pack`), 'not named')
  const before = [readdirSync(layout.root), readdirSync(layout.packs), readdirSync(layout.log)]
  const dry = await store.gc({ grace: '0', dryRun: true })
  assert.equal(
    [readdirSync(layout.root), readdirSync(layout.packs), readdirSync(layout.log)],
    before,
  )
  const real = await store.gc({ grace: '0' })
  assert.equal({ ...dry, dryRun: false }, real)
  assert.is(real.bytesAfter, sizeOfPacks(layout))
  assert.is(real.packs.leftover, 1)
})

test('explains each version, and the bytes add up to what is there after', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const shared = manyFiles(30, 1)
  await commitTree(path, 'bike', { ...shared, ...manyFiles(10, 2, 'a') })
  await commitTree(path, 'bike', { ...shared, ...manyFiles(20, 3, 'b') })
  await commitTree(path, 'bike', { ...shared, ...manyFiles(40, 4, 'c') })
  await commitTree(path, 'car', manyFiles(40, 5))
  using store = await openIn(path)
  await store.remove(['bike:v1', 'car:v0'])
  const soon = await store.gc({ dryRun: true, explain: true })
  assert.equal(
    soon.explanation?.versions.map(({ ref, stays, reason }) => [ref, stays, reason]),
    [
      ['bike:v0', true, 'live'],
      ['bike:v1', true, 'grace'],
      ['bike:v2', true, 'live'],
      ['car:v0', true, 'grace'],
    ],
  )
  assert.equal(soon.explanation?.versions[2]?.aliases, ['latest'])
  const until = Date.parse(soon.explanation?.versions[1]?.until ?? '')
  assert.ok(Math.abs(until - Date.now() - 14 * 86_400_000) < 60_000)
  const { explanation } = await store.gc({ grace: '0', explain: true })
  if (explanation === undefined) throw new Error('no explanation')
  const { versions } = explanation
  assert.equal(
    versions.map(({ stays, reason }) => [stays, reason]),
    [
      [true, 'live'],
      [false, 'deleted'],
      [true, 'live'],
      [false, 'deleted'],
    ],
  )
  const alone = versions.map((version) => version.alone)
  for (const [index, files] of [10, 20, 40, 40].entries()) {
    const least = files * 350
    assert.ok((alone[index] ?? 0) > least && (alone[index] ?? 0) < least * 1.5 + 2000, `${alone}`)
  }
  assert.ok(explanation.shared > 30 * 350)
  const staying = (alone[0] ?? 0) + (alone[2] ?? 0)
  assert.is(staying + explanation.shared + explanation.rest, sizeOfPacks(layout))
  assert.ok(explanation.rest >= 0)
})

test('merges many small packs, and the versions in them stay readable', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const trees = Array.from({ length: 40 }, (_, i) => manyFiles(2, i))
  const versions: Record<string, (typeof trees)[number]> = {}
  for (const tree of trees) versions[await commitTree(path, 'bike', tree)] = tree
  for (const [i, tree] of trees.slice(0, 30).entries()) {
    versions[await commitTree(path, `other-${i}`, { ...tree, own: `${i}`.repeat(100) })] = tree
    Object.assign(versions, { [`other-${i}:v0`]: { ...tree, own: `${i}`.repeat(100) } })
  }
  // The last few commits have merged; what is still apart is less than it takes.
  assert.ok(packFiles(layout).length <= 66)
  using store = await openIn(path)
  await store.gc({ grace: '0' })
  await assertVersions(path, versions)
  await assertClean(layout)
})

test('removes packs that no operation names, once they are older than grace', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'bike', manyFiles(3, 1))
  const stray = join(layout.packs, `${'ab'.repeat(32)}.pack`)
  const foreign = join(layout.packs, 'README')
  for (const file of [stray, foreign]) writeFileSync(file, 'whatever')
  using store = await openIn(path)
  await store.gc()
  assert.ok(existsSync(stray))
  const old = Date.now() / 1000 - 15 * 86_400
  for (const file of [stray, foreign]) utimesSync(file, old, old)
  assert.is((await store.gc()).packs.leftover, 1)
  assert.not.ok(existsSync(stray))
  assert.ok(existsSync(foreign))
  assert.equal(operations(layout).at(-1)?.changes, [
    { kind: 'packs.drop', packs: [{ id: 'ab'.repeat(32) }] },
  ])
  writeFileSync(stray, 'it came back with the power')
  assert.is((await store.gc()).packs.leftover, 1)
  assert.not.ok(existsSync(stray))
  assert.is(operations(layout).length, 2, 'it is dropped once')
})

test('removes what processes that are gone were writing, and nothing of those that are not', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'bike', manyFiles(3, 1))
  using store = await openIn(path)
  const dead = temporaryName().replace(/^([^.]+)\.\d+\.\d+/, '$1.999999999.1')
  const running = temporaryName()
  mkdirSync(join(layout.tmp, dead, 'tree'), { recursive: true })
  writeFileSync(join(layout.tmp, dead, 'tree', 'file'), 'half')
  writeFileSync(join(layout.tmp, running), 'half')
  writeFileSync(join(layout.log, `.${dead}`), '')
  writeFileSync(join(layout.log, `.${running}`), '')
  const [waiting, published] = [
    join(layout.log, `.${'a'.repeat(32)}`),
    join(layout.log, `.${'b'.repeat(32)}`),
  ]
  writeFileSync(waiting, 'about to be linked')
  linkSync(operationPath(layout, 1), published)
  const locks = [1, 2].map((n) => join(layout.log, `.lock-${String(n).padStart(12, '0')}.0`))
  for (const lock of locks) writeFileSync(lock, dead)
  mkdirSync(layout.quarantine)
  writeFileSync(join(layout.quarantine, 'evidence'), 'x')
  const report = await store.gc()
  assert.equal(readdirSync(layout.tmp), [running])
  assert.equal(
    readdirSync(layout.log)
      .filter((name) => name.startsWith('.'))
      .sort(),
    // The lock of a number that is free decides about it.
    [`.${'a'.repeat(32)}`, '.lock-000000000002.0', `.${running}`].sort(),
  )
  assert.is(report.leftovers.files, 3)
  assert.equal(readdirSync(layout.quarantine), ['evidence'])
  await store.gc({ grace: '0' })
  assert.not.ok(existsSync(waiting))
  assert.equal(readdirSync(layout.quarantine), [])
})

test('removes databases of indexes that were given up', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'bike', manyFiles(3, 1))
  using store = await openIn(path)
  const [current = ''] = readdirSync(layout.root).filter((name) => /^index-.*\.db$/.test(name))
  const names = ['0', '1'].map((digit) => `index-${digit.repeat(16)}.db`)
  for (const name of names) copyFileSync(join(layout.root, current), join(layout.root, name))
  const hourAgo = Date.now() / 1000 - 3600
  utimesSync(join(layout.root, names[0] as string), hourAgo, hourAgo)
  await store.gc()
  assert.ok(names.every((name) => existsSync(join(layout.root, name))))
  await store.gc({ grace: '30m' })
  assert.equal(
    names.map((name) => existsSync(join(layout.root, name))),
    [false, true],
  )
  assert.ok(existsSync(join(layout.root, current)))
})

test('refuses to drop anything when something that is needed is missing', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'bike', manyFiles(10, 1))
  const [needed = ''] = packFiles(layout)
  await commitTree(path, 'car', manyFiles(10, 2))
  const store = await openIn(path)
  await store.remove(['car:v0'])
  const bytes = readFileSync(packPath(layout, needed))
  rmSync(packPath(layout, needed))
  const before = readdirSync(layout.log)
  for (const dryRun of [true, false]) {
    const error = await rejects(store.gc({ grace: '0', dryRun }), 'ERR_DAMAGED')
    assert.match(error.message, 'Nothing was removed')
    assert.match(error.message, '"bike:v0"')
  }
  assert.equal(readdirSync(layout.log), before)
  assert.is(packFiles(layout).length, 1)
  writeFileSync(packPath(layout, needed), bytes)
  store.close()
  using mended = await openIn(path)
  await mended.gc({ grace: '0' })
  await assertVersions(path, { 'bike:v0': manyFiles(10, 1) })
})

test('names the file of which something is missing', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const before = { 'data/a.txt': 'a'.repeat(100) }
  await commitTree(path, 'bike', before)
  const packs = packFiles(layout)
  // Too much for one pack of data and metadata: what is lost is the data.
  await commitTree(path, 'bike', { ...before, 'data/b.bin': seededRandom(1).bytes(200_000) })
  await commitTree(path, 'bike', { ...before, 'data/c.bin': seededRandom(2).bytes(2_000_000) })
  const size = (id: string): number => statSync(packPath(layout, id)).size
  const added = packFiles(layout).filter((id) => !packs.includes(id))
  const largest = added.sort((a, b) => size(b) - size(a))[0] ?? ''
  unlinkSync(packPath(layout, largest))
  using store = await openIn(path)
  const error = await rejects(store.gc(), 'ERR_DAMAGED')
  assert.match(error.message, '"bike:v2:data/c.bin"')
})

test('drops nothing when its clock is behind the log', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'bike', manyFiles(3, 1))
  const { collectGarbage } = await import('../../../src/store/gc/gc.ts')
  const { openStore } = await import('../../../src/store/open.ts')
  const opened = await openStore({ root: layout.root, tool: 'test/1' })
  const request = { grace: 0, dryRun: false, explain: false, nameOf: () => 'x' }
  try {
    const error = await rejects(
      collectGarbage(opened, { ...request, now: Date.now() - 3_600_000 }),
      'ERR_CLOCK',
    )
    assert.match(error.message, 'nothing was removed')
    await collectGarbage(opened, request)
  } finally {
    opened.close()
  }
})

test('stores anew, after a deletion and gc, a tree that was there before', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const tree = { ...manyFiles(40, 1), 'large.bin': Buffer.alloc(2_000_000, 'abcdefg') }
  await commitTree(path, 'bike', tree)
  using store = await openIn(path)
  await store.remove(['bike:v0'])
  await store.gc({ grace: '0' })
  assert.equal(packFiles(layout), [])
  // The stat cache knows every file by now.
  const report = await store.commit([join(path, 'of-bike')], { name: 'bike', jobs: 0 })
  assert.is(report.version, 'v1')
  assert.ok(report.storedBytes > 10_000)
  await assertVersions(path, { 'bike:v1': tree })
  await assertClean(layout)
})

test('stores anew the chunks of a file whose recipe is still there by chance', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const random = seededRandom(3)
  // Their bytes are in the tree, which so is most of its pack.
  const small = Object.fromEntries(
    Array.from({ length: 8000 }, (_, i) => [`f${i}`, random.bytes(60)]),
  )
  const tree = { ...small, 'f4500z.bin': random.bytes(2_000_000) }
  await commitTree(path, 'bike', tree)
  await commitTree(path, 'car', small)
  using store = await openIn(path)
  await store.remove(['bike:v0'])
  const report = await store.gc({ grace: '0' })
  assert.equal(report.packs, { dropped: 1, rewritten: 0, merged: 0, written: 0, leftover: 0 })
  {
    using index = await indexOf(layout)
    const recipes = index.read((connection) =>
      connection.all('SELECT 1 FROM object WHERE type >> 4 = 1'),
    )
    assert.is(recipes.length, 1, 'too little to write its pack anew')
  }
  await store.commit([join(path, 'of-bike')], { name: 'bike', jobs: 0 })
  await assertVersions(path, { 'bike:v1': tree, 'car:v0': small })
})

test('deletes versions whose time has come, unless something names them, and gives them their grace', async () => {
  await using space = await workspace()
  const { path } = space
  for (let seed = 0; seed < 4; seed++) await commitTree(path, 'bike', manyFiles(3, seed))
  using store = await openIn(path)
  for (const ref of ['bike:v0', 'bike:v1', 'bike:v3']) await store.edit(ref, { ttl: 1 })
  await store.alias('bike:v1', ['best'])
  await new Promise((resolve) => setTimeout(resolve, 1100))
  const dry = await store.gc({ dryRun: true, explain: true })
  assert.equal(dry.expired, ['bike:v0', 'bike:v3'])
  assert.equal(
    dry.explanation?.versions.map(({ reason, stays }) => [reason, stays]),
    [
      ['expired', true],
      ['live', true],
      ['live', true],
      ['expired', true],
    ],
  )
  const report = await store.gc()
  assert.equal(report.expired, ['bike:v0', 'bike:v3'])
  assert.equal(report.purged, [])
  assert.equal(
    store.versions('bike').map(({ version }) => version),
    ['v2', 'v1'],
  )
  assert.equal(store.version('bike:latest').version, 'v2')
  await store.restore(['bike:v0'])
  const at0 = await store.gc({ grace: '0' })
  assert.equal(at0.expired, ['bike:v0'])
  assert.equal([...at0.purged].sort(), ['bike:v0', 'bike:v3'])
})

test('takes a duration for grace, and the setting without one', async () => {
  await using space = await workspace()
  const { path } = space
  await commitTree(path, 'bike', manyFiles(3, 1))
  using store = await openIn(path)
  await store.remove(['bike:v0'])
  await rejects(store.gc({ grace: 'soon' }), 'ERR_USAGE')
  assert.throws(() => store.settings.set('gc.grace', '2 weeks'))
  store.settings.set('gc.grace', '0')
  assert.equal((await store.gc()).purged, ['bike:v0'])
})

test.run()
