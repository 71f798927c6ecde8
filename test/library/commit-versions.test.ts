/** When a commit makes a version, and what it writes. */
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../support/random.ts'
import { rejects } from '../support/rejects.ts'
import { packBytes, pathsOf, settled, storedFiles, workspace } from './workspace.ts'

const test = suite('commit-versions')
const A = { 'a.txt': 'first '.repeat(100), 'sub/b.txt': 'same '.repeat(100) }
const B = { 'a.txt': 'second '.repeat(100) }

test('A, B, A makes three versions; the third has the digest of the first and adds no content', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', A)
  const first = await store.commit([dir])
  ws.write('data', B)
  const second = await store.commit([dir])
  ws.write('data', A)
  const before = packBytes(ws)
  const third = await store.commit([dir])
  assert.equal([first.version, second.version, third.version], ['v0', 'v1', 'v2'])
  assert.is(third.digest, first.digest)
  assert.is.not(second.digest, first.digest)
  assert.is.not(third.id, first.id)
  assert.ok(third.created)
  assert.is(third.reusedBytes, third.bytes)
  // Nothing but the version object and the pack around it.
  assert.ok(packBytes(ws) - before < 500, `${packBytes(ws) - before} bytes`)
  assert.equal([third.added, third.changed, third.removed, third.unchanged], [0, 1, 0, 1])
})

test('the same content again makes nothing: no version, no operation, no pack', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', A)
  const first = await store.commit([dir])
  const before = storedFiles(ws)
  for (const round of ['at once', 'from the cache', 'touched']) {
    if (round !== 'at once') await settled()
    if (round === 'touched') ws.write('data', A)
    const again = await store.commit([dir])
    assert.not.ok(again.created, round)
    assert.equal(
      [again.version, again.id, again.digest, again.storedBytes],
      ['v0', first.id, first.digest, 0],
    )
    assert.equal([again.added, again.changed, again.removed, again.unchanged], [0, 0, 0, 2])
    assert.equal(again.ignoredLabels, [])
    assert.equal(storedFiles(ws), before, round)
  }
})

test('the same content again moves the given aliases, and says which labels it leaves', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', A)
  await store.commit([dir], { aliases: ['good'], tags: ['x'], description: 'one' })
  const labels = { aliases: ['good', 'best'], tags: ['y'], description: 'two', metadata: { m: 1 } }
  const again = await store.commit([dir], labels)
  assert.not.ok(again.created)
  assert.equal(again.aliases, ['best'])
  assert.equal([...again.ignoredLabels].sort(), ['description', 'metadata', 'tags'])
  const version = store.version('data:best')
  assert.equal([...version.aliases].sort(), ['best', 'good', 'latest'])
  assert.equal([version.version, version.description, version.tags], ['v0', 'one', ['x']])
  assert.is(fs.readdirSync(`${store.root}/log`).length, 2)
  assert.is(fs.readdirSync(`${store.root}/packs`).length, 1)
})

test('aliases move to new versions, "latest" by itself', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', A)
  assert.equal([...(await store.commit([dir], { aliases: ['a'] })).aliases].sort(), ['a', 'latest'])
  ws.write('data', B)
  assert.equal((await store.commit([dir])).aliases, ['latest'])
  assert.is(store.version('data').version, 'v1')
  assert.is(store.version('data:a').version, 'v0')
  await rejects(store.commit([dir], { aliases: ['v7'] }), 'ERR_INVALID_NAME')
})

test('"reuse" says which versions are as good as a new one', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', A)
  await store.commit([dir])
  ws.write('data', B)
  await store.commit([dir])
  ws.write('data', A)
  const any = await store.commit([dir], { reuse: 'any' })
  assert.equal([any.version, any.created], ['v0', false])
  assert.equal(any.bound, { path: 'data' })
  assert.is(store.version('data').version, 'v1', '"latest" stays where it is')
  const never = await store.commit([dir], { reuse: 'never' })
  assert.equal([never.version, never.created], ['v2', true])
  const again = await store.commit([dir], { reuse: 'never' })
  assert.equal([again.version, again.created, again.digest], ['v3', true, never.digest])
  assert.is.not(again.id, never.id)
})

test('"incremental" adds to what the name means and replaces what it names, and starts without anything', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', A)
  const incremental = { name: 'n', incremental: true }
  const first = await store.commit([dir], incremental)
  assert.equal([first.version, first.bound], ['v0', undefined])
  assert.equal(store.version('n').parents, [])
  const more = ws.write('more', { ...B, 'sub/c.txt': 'new', z: 'new' })
  const second = await store.commit([more], incremental)
  assert.equal(pathsOf(store, 'n'), ['a.txt', 'sub/b.txt', 'sub/c.txt', 'z'])
  assert.equal([second.added, second.changed, second.removed, second.unchanged], [2, 1, 0, 1])
  assert.equal(store.version('n').parents, [first.id])
  assert.is(Buffer.concat([...store.read('n', 'a.txt')]).toString(), B['a.txt'])
  const again = await store.commit([more], incremental)
  assert.equal([again.version, again.created], ['v1', false])
})

test('"base" starts from any version, also of another artifact, and makes it the parent', async () => {
  await using ws = await workspace()
  const { store } = ws
  const first = await store.commit([ws.write('data', A)])
  ws.write('data', B)
  await store.commit([ws.at('data')])
  const based = await store.commit([ws.write('more', { c: 'new' })], {
    name: 'other',
    base: 'data:v0',
  })
  assert.is(based.ref, 'other:v0')
  assert.equal(pathsOf(store, 'other'), ['a.txt', 'c', 'sub/b.txt'])
  assert.equal(store.version('other').parents, [first.id])
  assert.equal([based.added, based.changed, based.removed, based.unchanged], [1, 0, 0, 2])
  await rejects(store.commit([ws.at('more')], { name: 'other', base: 'data:v9' }), 'ERR_NOT_FOUND')
})

test('on a base, a file takes the place of a directory, and a directory of a file', async () => {
  await using ws = await workspace()
  const { store } = ws
  await store.commit([ws.write('data', { 'd/x': '1', 'd/y': '2', f: '3', keep: '4' })])
  const incremental = { name: 'data', incremental: true }
  await store.commit([ws.write('one', { d: 'a file', 'f/g': 'in a directory' })], incremental)
  assert.equal(pathsOf(store, 'data'), ['d', 'f/g', 'keep'])
  await store.commit([ws.write('two', { 'd/z': 'again' })], incremental)
  assert.equal(pathsOf(store, 'data'), ['d/z', 'f/g', 'keep'])
})

test('on a base, an empty directory adds itself where nothing is, and takes nothing away', async () => {
  await using ws = await workspace()
  const { store } = ws
  await store.commit([ws.write('data', { 'd/x': '1', 'd.x': '2', 'd/sub/y': '3' })])
  const incremental = { name: 'data', incremental: true }
  const more = ws.write('more', { d: null, e: null, new: '4' })
  await store.commit([more], incremental)
  assert.equal(pathsOf(store, 'data'), ['d.x', 'd/sub/y', 'd/x', 'e', 'new'])
})

test('an artifact keeps its type', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', A)
  assert.is((await store.commit([dir], { type: 'model' })).type, 'model')
  ws.write('data', B)
  const before = storedFiles(ws)
  const error = await rejects(store.commit([dir], { type: 'dataset' }), 'ERR_TYPE_MISMATCH')
  assert.match(error.message, /"model".*"dataset"/)
  assert.equal(storedFiles(ws), before)
  assert.is((await store.commit([dir])).type, 'model')
})

test('labels are kept with the version', async () => {
  await using ws = await workspace()
  const { store } = ws
  const metadata = { rows: 1e3, nested: { list: [1, 'two', null] } }
  const labels = { description: 'a\nb', tags: ['b', 'a', 'b'], metadata }
  await store.commit([ws.write('data', A)], labels)
  const version = store.version('data')
  assert.equal(version.description, 'a\nb')
  assert.equal(version.tags, ['a', 'b'])
  assert.equal(version.metadata, metadata)
})

test('counts are of entries, against the version before or the base', async () => {
  await using ws = await workspace()
  const { store } = ws
  const tree = { a: '1', b: '2', c: '3', empty: null, link: { symlink: 'a' } }
  const dir = ws.write('data', tree)
  const first = await store.commit([dir])
  assert.equal([first.added, first.changed, first.removed, first.unchanged], [5, 0, 0, 0])
  assert.equal([first.files, first.bytes], [4, 4])
  fs.rmSync(`${dir}/c`)
  ws.write('data', { a: 'new', 'more/empty': null, other: null })
  const second = await store.commit([dir])
  assert.equal([second.added, second.changed, second.removed, second.unchanged], [2, 1, 1, 3])
})

test('a dry run says what would be, and writes nothing', async () => {
  await using ws = await workspace()
  const { store } = ws
  const random = seededRandom(1)
  const steps = [
    { a: random.bytes(1000), b: random.bytes(300_000), c: 'inline' },
    { a: random.bytes(1000), d: random.bytes(5 << 20), e: null },
    {},
  ]
  for (const step of steps) {
    const dir = ws.write('data', step)
    const before = storedFiles(ws)
    const dry = await store.commit([dir], { dryRun: true, aliases: ['x'] })
    assert.equal(storedFiles(ws), before)
    assert.is(
      store.binding(dir)?.number,
      store.artifacts().length === 0 ? undefined : store.versions('data').length - 1,
    )
    const { id: _, storedBytes, bound, ...done } = await store.commit([dir], { aliases: ['x'] })
    const { id: __, ...expected } = dry
    assert.is(expected.storedBytes, 0)
    assert.ok(bound)
    assert.equal({ ...done, dryRun: true, storedBytes: 0 }, expected)
    assert.is(storedBytes > 0, done.created)
  }
})

test.run()
