/** Bound directories, and what is said about them. */
import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../src/index.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { pathsOf, workspace } from './workspace.ts'

const test = suite('status')

test('a bound directory is clean, changed or missing', async () => {
  await using ws = await workspace()
  const { store } = ws
  assert.equal(await store.status(), [])
  const dir = ws.write('data', { a: 'a', b: 'b', c: 'c', old: 'keeps its content' })
  await store.commit([dir])
  const [clean] = await store.status()
  assert.equal(clean, {
    path: 'data',
    ref: 'data:v0',
    artifact: 'data',
    version: 'v0',
    latest: 'v0',
    state: 'clean',
    changes: [],
    added: 0,
    modified: 0,
    removed: 0,
  })
  ws.write('data', { a: 'new', d: 'd' })
  fs.rmSync(join(dir, 'b'))
  fs.chmodSync(join(dir, 'c'), 0o755)
  fs.renameSync(join(dir, 'old'), join(dir, 'renamed'))
  const [changed] = await store.status(dir)
  assert.is(changed?.state, 'changed')
  assert.equal(
    changed?.changes.map(({ kind, path, from }) => [kind, path, from]),
    [
      ['modified', 'a', undefined],
      ['removed', 'b', undefined],
      ['mode', 'c', undefined],
      ['added', 'd', undefined],
      ['renamed', 'renamed', 'old'],
    ],
  )
  assert.equal([changed?.added, changed?.modified, changed?.removed], [1, 3, 1])
  fs.rmSync(dir, { recursive: true })
  assert.is((await store.status())[0]?.state, 'missing')
})

test('every bound directory is looked at, in the order of their paths', async () => {
  await using ws = await workspace()
  const { store } = ws
  for (const name of ['b', 'a', 'sub/c']) {
    await store.commit([ws.write(name, { f: name })], { name: name.replace('/', '-') })
  }
  assert.equal(
    (await store.status()).map(({ path, state }) => [path, state]),
    [
      ['a', 'clean'],
      ['b', 'clean'],
      ['sub/c', 'clean'],
    ],
  )
  await rejects(store.status(ws.write('unbound', {})), 'ERR_NOT_FOUND')
})

test('a directory holds what it was committed as last, and the commit says what that replaced', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', { a: 'a' })
  assert.equal((await store.commit([dir], { name: 'one' })).bound, { path: 'data' })
  ws.write('data', { a: 'b' })
  assert.equal((await store.commit([dir])).bound, { path: 'data' })
  assert.is(store.binding(dir)?.name, 'one')
  const { bound } = await store.commit([dir], { name: 'two' })
  assert.equal(bound, { path: 'data', replaced: 'one' })
  assert.is((await store.commit([dir])).artifact, 'two')
  const checkout = await store.checkout('one:v0', dir)
  assert.equal(checkout.bound, { path: 'data', replaced: 'two' })
  assert.is(store.binding(dir)?.number, 0)
})

test('only a directory that is the version, whole, is bound', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', { a: 'a', b: 'b' })
  const partial = [
    { as: 'x' },
    { include: ['a'] },
    { exclude: ['a'] },
    { incremental: true },
    { dryRun: true },
  ]
  for (const [index, options] of partial.entries()) {
    const { bound } = await store.commit([dir], { name: `n${index}`, ...options })
    assert.is(bound, undefined, JSON.stringify(options))
  }
  await store.commit([join(dir, 'a')], { name: 'file' })
  await store.commit([join(dir, 'a'), join(dir, 'b')], { name: 'files' })
  await store.checkout('n0', ws.at('part'), { paths: ['x/a'] })
  await store.download('n0', ws.at('download'))
  assert.equal(await store.status(), [])
  assert.equal(fs.readdirSync(ws.at('part/x')), ['a'])
})

test('without a path, the bound directory around is committed, else the only one', async () => {
  await using ws = await workspace()
  const { store } = ws
  await rejects(store.commit([], { cwd: ws.path }), 'ERR_USAGE')
  const dir = ws.write('data', { 'sub/a': 'a' })
  await store.commit([dir])
  ws.write('data', { 'sub/a': 'b' })
  assert.is((await store.commit([], { cwd: ws.at('data/sub') })).ref, 'data:v1')
  ws.write('data', { 'sub/a': 'c' })
  assert.is((await store.commit([], { cwd: ws.path })).ref, 'data:v2')
  await store.commit([ws.write('other', { b: 'b' })])
  await rejects(store.commit([], { cwd: ws.path }), 'ERR_USAGE')
  ws.write('other', { b: 'c' })
  assert.is((await store.commit([], { cwd: ws.at('other') })).ref, 'other:v1')
})

test('a name names the artifact again although the directory has another basename', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('some dir', { a: 'a' })
  await store.commit([dir], { name: 'p/bike' })
  ws.write('some dir', { a: 'b' })
  assert.is((await store.commit([dir])).ref, 'p/bike:v1')
})

test('a directory outside of the workspace is bound by its whole path', async () => {
  await using ws = await workspace()
  await using outside = await temporaryDirectory()
  fs.writeFileSync(join(outside.path, 'a'), 'a')
  const { bound } = await ws.store.commit([outside.path], { name: 'out' })
  assert.equal(bound, { path: outside.path })
  assert.is((await ws.store.status())[0]?.state, 'clean')
  fs.writeFileSync(join(outside.path, 'a'), 'b')
  assert.is((await ws.store.commit([], { cwd: outside.path })).ref, 'out:v1')
})

test('a checkout without a directory goes to the one that is bound to the artifact', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', { a: 'a' })
  await store.commit([dir])
  ws.write('data', { a: 'b' })
  await store.commit([dir])
  await store.checkout('data:v0')
  assert.is(fs.readFileSync(join(dir, 'a'), 'utf8'), 'a')
  assert.is((await store.status())[0]?.latest, 'v1')
  await store.checkout('data:v1', ws.at('copy'))
  await rejects(store.checkout('data:v0'), 'ERR_USAGE')
  await store.commit([join(dir, 'a')], { name: 'unbound' })
  await rejects(store.checkout('unbound'), 'ERR_USAGE')
})

test('two stores open in one process see each other’s commits', async () => {
  await using ws = await workspace()
  const one = ws.store
  using two = await Store.open({ from: ws.write('deep/inside', {}) })
  assert.is(two.root, one.root)
  assert.is(two.id, one.id)
  const dir = ws.write('data', { a: 'a' })
  await one.commit([dir])
  assert.equal(pathsOf(two, 'data'), ['a'])
  ws.write('data', { b: 'b' })
  assert.is((await two.commit([dir])).version, 'v1')
  assert.is(one.version('data').version, 'v1')
  assert.is((await one.commit([dir])).created, false)
  const both = Array.from({ length: 8 }, (_, index) => {
    const path = ws.write(`part-${index}`, { f: String(index) })
    return (index % 2 === 0 ? one : two).commit([path], {
      name: 'shared',
      incremental: true,
      as: 'x',
    })
  })
  const versions = (await Promise.all(both)).map(({ version }) => version)
  assert.is(new Set(versions).size, 8, versions.join(' '))
  assert.equal(
    one.versions('shared').map(({ id }) => id),
    two.versions('shared').map(({ id }) => id),
  )
  two.settings.set('project', 'p')
  assert.is(two.settings.get('project'), 'p')
})

test('a store is found from below, and made once', async () => {
  await using directory = await temporaryDirectory()
  await rejects(Store.open({ from: directory.path }), 'ERR_NO_STORE')
  await rejects(Store.open({ store: join(directory.path, '.artifacts') }), 'ERR_NO_STORE')
  const first = await Store.init(directory.path)
  const second = await Store.init(directory.path)
  assert.equal([first.created, second.created], [true, false])
  assert.is(first.store.id, second.store.id)
  assert.is(first.store.workspace, directory.path)
  first.store.close()
  second.store.close()
  throwsCode(() => second.store.settings.get('colour'), 'ERR_CONFIG')
})

test.run()
