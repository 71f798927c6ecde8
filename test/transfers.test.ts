/** Push, pull, fetch and clone between stores, over a real server. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { bikes } from './stores.ts'
import { rejects, throwsCode } from './support/rejects.ts'
import { type TemporaryDirectory, temporaryDirectory } from './support/temp.ts'
import { type FileServer, fileServer } from './sync/file-server.ts'

const test = suite('transfers')

/** A remote, and folders for clones. */
interface Place extends AsyncDisposable {
  readonly server: FileServer
  readonly directory: TemporaryDirectory
  clone(name: string, refs?: readonly string[]): Promise<Store>
}

async function place(): Promise<Place> {
  const server = await fileServer()
  const directory = await temporaryDirectory()
  const stores: Store[] = []
  return {
    server,
    directory,
    async clone(name, refs = []) {
      const report = await Store.clone(server.url, { dir: join(directory.path, name), refs })
      const store = await Store.open({ store: report.store })
      store.settings.set('durability', 'process')
      stores.push(store)
      return store
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores) store.close()
      await server[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

async function isSound(store: Store): Promise<void> {
  const { problems } = await Store.fsck({ store: store.root }, { data: 1 })
  assert.equal(problems, [])
}

test('what was pushed can be cloned: versions, aliases, numbers, bytes', async () => {
  await using one = await bikes()
  await using there = await place()
  await one.store.remotes.add('origin', there.server.url)
  const pushed = await one.store.push([])
  assert.equal(pushed.versions, ['bike:v0', 'bike:v1', 'bike:v2'])
  const other = await there.clone('other')
  assert.equal(
    other.versions('bike').map(({ ref, aliases }) => [ref, aliases]),
    one.store.versions('bike').map(({ ref, aliases }) => [ref, aliases]),
  )
  const dir = join(there.directory.path, 'data')
  await other.checkout('bike:best', dir)
  assert.is(readFileSync(join(dir, 'b.txt'), 'utf8'), 'b\n')
  await isSound(other)
})

test('pushing and pulling nothing is one request', async () => {
  await using one = await bikes()
  await using there = await place()
  await one.store.remotes.add('origin', there.server.url)
  await one.store.push([])
  const other = await there.clone('other')
  const before = there.server.asked.length
  const pushed = await one.store.push([])
  assert.is(there.server.asked.length - before, 1)
  assert.is(pushed.requests, 1)
  assert.is(pushed.operation, undefined)
  const pulled = await other.pull([])
  assert.is(there.server.asked.length - before, 2)
  assert.is(pulled.requests, 1)
  assert.is(pulled.operation, undefined)
})

test('two stores that were offline come together: numbers are the primary’s, and nothing is lost', async () => {
  await using one = await bikes()
  await using there = await place()
  await one.store.remotes.add('origin', there.server.url)
  await one.store.push([])
  const other = await there.clone('other')
  await one.commit('bike', 'mine')
  const data = join(there.directory.path, 'data')
  mkdirSync(data)
  writeFileSync(join(data, 'theirs.txt'), 'theirs\n')
  await other.commit([data], { name: 'bike', jobs: 0 })
  const [mine, theirs] = [one.store.version('bike:v3').id, other.version('bike:v3').id]
  assert.is.not(mine, theirs)
  await one.store.push([])
  const second = await other.push([])
  assert.equal(second.pulled, ['bike:v3'])
  assert.equal(second.versions, ['bike:v4'])
  await one.store.pull([])
  for (const store of [one.store, other]) {
    assert.is(store.version('bike:v3').id, mine)
    assert.is(store.version('bike:v4').id, theirs)
    assert.is(store.version('bike:latest').id, theirs)
    await isSound(store)
  }
})

test('one version is pulled alone, and only what it needs', async () => {
  await using one = await bikes()
  await using there = await place()
  await one.store.remotes.add('origin', there.server.url)
  await one.store.push([])
  const other = await there.clone('other', ['bike:best'])
  assert.equal(
    other.versions('bike').map(({ ref }) => ref),
    ['bike:v1'],
  )
  await other.pull([])
  assert.is(other.versions('bike').length, 3)
  await isSound(other)
})

test('without data everything can be seen, and bytes are fetched later', async () => {
  await using one = await bikes()
  await using there = await place()
  const large = join(one.path, 'large')
  mkdirSync(large)
  writeFileSync(join(large, 'a.bin'), Buffer.alloc(100_000, 'a'))
  writeFileSync(join(large, 'b.bin'), Buffer.alloc(100_000, 'b'))
  await one.store.commit([large], { name: 'large', jobs: 0 })
  await one.store.remotes.add('origin', there.server.url)
  await one.store.push([])
  const report = await Store.clone(there.server.url, {
    dir: join(there.directory.path, 'thin'),
    data: false,
  })
  await using thin = await Store.open({ store: report.store })
  assert.equal(
    [...thin.entries('large')].map(({ path }) => path),
    ['a.bin', 'b.bin'],
  )
  await rejects(thin.checkout('large', join(there.directory.path, 'x')), 'ERR_NOT_FETCHED')
  await thin.fetch({ ref: 'large', paths: ['b.bin'] })
  const bytes = Buffer.concat([...thin.read('large', 'b.bin')])
  assert.is(bytes.length, 100_000)
  throwsCode(() => [...thin.read('large', 'a.bin')], 'ERR_NOT_FETCHED')
  await thin.fetch({ ref: 'large' })
  await thin.checkout('large', join(there.directory.path, 'x'))
  await isSound(thin)
})

test('a remote can be looked at without taking anything over', async () => {
  await using one = await bikes()
  await using there = await place()
  await one.store.remotes.add('origin', there.server.url)
  await one.store.push([])
  await using other = (await Store.init(join(there.directory.path, 'other'))).store
  await other.remotes.add('origin', there.server.url)
  await using view = await other.lookAt('origin')
  assert.equal(
    view.versions('bike').map(({ ref }) => ref),
    ['bike:v2', 'bike:v1', 'bike:v0'],
  )
  throwsCode(() => view.entries('bike'), 'ERR_NOT_FETCHED')
  assert.equal(other.artifacts(), [])
  await using own = await one.store.lookAt('origin')
  assert.equal(
    [...own.entries('bike')].map(({ path }) => path),
    ['a.txt', 'b.txt', 'c.txt'],
  )
})

test('a remote without a store has nothing to pull, and a clone of it makes no store', async () => {
  await using one = await bikes()
  await using there = await place()
  await one.store.remotes.add('origin', there.server.url)
  assert.is((await one.store.pull([])).operation, undefined)
  await rejects(there.clone('none'), 'ERR_NOT_FOUND')
  assert.not.ok(existsSync(join(there.directory.path, 'none')))
})

test.run()
