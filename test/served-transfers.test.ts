/** Push, pull and clone between stores, over `serve`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ServeOptions, type Serving, Store } from '../src/index.ts'
import { race } from './pushers.ts'
import { bikes } from './stores.ts'
import { rejects } from './support/rejects.ts'
import { temporaryDirectory } from './support/temp.ts'
import { type Fault, hostileProxy } from './sync/hostile-proxy.ts'

const test = suite('transfers over serve')

interface Place extends AsyncDisposable {
  readonly path: string
  /** The store that is served. */
  readonly store: Store
  readonly server: Serving
  readonly errors: unknown[]
}

async function place(options: ServeOptions = {}): Promise<Place> {
  const directory = await temporaryDirectory()
  const served = join(directory.path, 'served')
  mkdirSync(served)
  const { store } = await Store.init(served)
  store.settings.set('durability', 'process')
  const errors: unknown[] = []
  const server = await store.serve({
    port: 0,
    onError: (error) => errors.push(error),
    ...options,
  })
  return {
    path: directory.path,
    store,
    server,
    errors,
    async [Symbol.asyncDispose]() {
      await server.close()
      store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

async function isSound(store: Store): Promise<void> {
  const { problems } = await Store.fsck({ store: store.root }, { data: 1 })
  assert.equal(problems, [])
}

test('what was pushed is in the store that is served, and in every clone', async () => {
  await using one = await bikes()
  await using there = await place()
  await one.store.remotes.add('origin', there.server.url)
  const pushed = await one.store.push([])
  assert.equal(pushed.versions, ['bike:v0', 'bike:v1', 'bike:v2'])
  assert.is((await one.store.push([])).requests, 1)
  assert.equal(
    there.store.versions('bike').map(({ id, aliases }) => [id, aliases]),
    one.store.versions('bike').map(({ id, aliases }) => [id, aliases]),
  )
  const clone = await Store.clone(there.server.url, { dir: join(there.path, 'clone') })
  await using other = await Store.open({ store: clone.store })
  await other.checkout('bike:best', join(there.path, 'data'))
  assert.is(readFileSync(join(there.path, 'data/b.txt'), 'utf8'), 'b\n')
  for (const store of [there.store, other]) await isSound(store)
  assert.equal(there.errors, [])
})

test('what is committed, deleted and cleared away where the store is served is pulled like others’ work', async () => {
  await using one = await bikes()
  await using there = await place()
  await one.store.remotes.add('origin', there.server.url)
  await one.store.push([])
  const data = join(there.store.workspace, 'data')
  mkdirSync(data)
  for (const text of ['here', 'here again']) {
    writeFileSync(join(data, 'x.txt'), text)
    await there.store.commit([data], { name: 'bike', jobs: 0 })
  }
  await there.store.remove(['bike:v0'])
  await there.store.gc({ grace: '0' })
  await one.commit('bike', 'mine')
  const second = await one.store.push([])
  assert.equal(second.pulled, ['bike:v3', 'bike:v4'])
  assert.equal(second.versions, ['bike:v5'])
  assert.is(there.store.version('bike:latest').id, one.store.version('bike:v5').id)
  assert.is(there.store.versions('bike').length, 5)
  for (const store of [there.store, one.store]) await isSound(store)
  assert.equal(there.errors, [])
})

test('a probe finds the server to be one that many can push to', async () => {
  await using one = await bikes()
  await using there = await place()
  await one.store.remotes.add('origin', there.server.url)
  const [check] = await one.store.remotes.check('origin')
  assert.is(check?.verdict, 'atomic')
  assert.equal(there.errors, [])
})

test('a push whose answers are lost or cut succeeds, and is there once', async () => {
  await using one = await bikes()
  await using there = await place()
  const faults: readonly Fault[] = [
    { kind: 'lose' },
    { kind: 'cut', bytes: 100 },
    { kind: 'status', status: 503 },
    { kind: 'drop', bytes: 10 },
  ]
  await using proxy = await hostileProxy(there.server.url, (n) =>
    n % 5 === 1 ? faults[Math.floor(n / 5) % faults.length] : undefined,
  )
  await one.store.remotes.add('origin', proxy.url)
  await one.store.push([])
  await one.commit('bike', 'more')
  await one.store.push([])
  assert.ok(proxy.count() > 20)
  assert.equal(
    there.store.versions('bike').map(({ id }) => id),
    one.store.versions('bike').map(({ id }) => id),
  )
  assert.is([...there.store.operations()].length, 2)
  await isSound(there.store)
  assert.equal(there.errors, [])
})

test('many push at once, and nothing is lost', async () => {
  await using there = await place()
  await race({ address: there.server.url, env: {}, pushers: 3, pushes: 3 })
  await isSound(there.store)
  assert.equal(there.errors, [])
})

test('who may only read can clone, and hears why a push is refused', async () => {
  await using one = await bikes()
  await using there = await place()
  const tokens = await there.store.serveTokens()
  const write = await tokens.add('writer', { scope: 'write' })
  const read = await tokens.add('reader', { scope: 'read' })
  const as = (token: string): Promise<Store> =>
    Store.open({ store: one.store.root, env: { ARTIFACTS_TOKEN: token } })
  await one.store.remotes.add('origin', there.server.url)
  await rejects(one.store.push([]), 'ERR_REMOTE_DENIED')
  await using reader = await as(read)
  const error = await rejects(reader.push([]), 'ERR_REMOTE_DENIED')
  assert.not(JSON.stringify([error, error.message, error.stack]).includes(read))
  await using writer = await as(write)
  await writer.push([])
  const env = { ARTIFACTS_TOKEN: read }
  const clone = await Store.clone(there.server.url, { dir: join(there.path, 'clone'), env })
  assert.is(clone.versions.length, 3)
})

test('a store that is served to be read is cloned, and can not be pushed to', async () => {
  await using one = await bikes()
  await using there = await place({ readOnly: true })
  const data = join(there.store.workspace, 'data')
  mkdirSync(data)
  writeFileSync(join(data, 'x.txt'), 'x')
  await there.store.commit([data], { name: 'bike', jobs: 0 })
  const clone = await Store.clone(there.server.url, { dir: join(there.path, 'clone') })
  assert.equal(clone.versions, ['bike:v0'])
  await one.store.remotes.add('origin', there.server.url)
  const error = await rejects(one.store.push([]), 'ERR_READ_ONLY')
  assert.match(error.message, there.server.url)
})

test('a store without all its bytes is not served', async () => {
  await using one = await bikes()
  await using there = await place()
  const large = join(one.path, 'large')
  mkdirSync(large)
  writeFileSync(join(large, 'a.bin'), Buffer.alloc(100_000, 'a'))
  await one.store.commit([large], { name: 'large', jobs: 0 })
  await one.store.remotes.add('origin', there.server.url)
  await one.store.push([])
  const dir = join(there.path, 'thin')
  const clone = await Store.clone(there.server.url, { dir, data: false })
  await using thin = await Store.open({ store: clone.store })
  const error = await rejects(thin.serve({ port: 0 }), 'ERR_NOT_FETCHED')
  assert.match(error.message, /(bike|large):v\d/)
})

test.run()
