import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { nothing, takeOver } from './partial.ts'
import { seededRandom } from './support/random.ts'
import { rejects } from './support/rejects.ts'
import { type TemporaryDirectory, temporaryDirectory } from './support/temp.ts'

const test = suite('fetching what is read')

interface Stores extends AsyncDisposable {
  /** Has all of `bike:v0` and `v1`. */
  readonly there: string
  /** Has only names and trees of them. */
  readonly store: Store
  readonly path: string
}

/** A store, a remote that it was pushed to, and a store that pulled from there without data. */
async function stores(pulls = true): Promise<Stores> {
  const directory: TemporaryDirectory = await temporaryDirectory()
  const [there, path, remote] = ['there', 'here', 'remote'].map((name) =>
    join(directory.path, name),
  ) as [string, string, string]
  for (const each of [there, path]) mkdirSync(each)
  const random = seededRandom(7)
  {
    const { store } = await Store.init(there)
    await using _ = store
    const data = join(there, 'data')
    mkdirSync(join(data, 'dir'), { recursive: true })
    writeFileSync(join(data, 'a.bin'), random.bytes(5000))
    writeFileSync(join(data, 'dir', 'b.bin'), random.bytes(400_000))
    writeFileSync(join(data, 'text.txt'), `${random.text(300)}\n`)
    await store.commit([data], { name: 'bike', jobs: 0 })
    writeFileSync(join(data, 'text.txt'), `${random.text(300)}\n`)
    await store.commit([data], { name: 'bike', jobs: 0 })
    await store.remotes.add('origin', remote)
    await store.push()
  }
  const { store } = await Store.init(path)
  await store.remotes.add('origin', remote)
  if (pulls) await store.pull([], { data: false })
  return {
    there,
    store,
    path,
    async [Symbol.asyncDispose]() {
      store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

test('asks nobody, unless the setting says so', async () => {
  await using made = await stores()
  const { store, path } = made
  const before = [...store.operations()].length
  await rejects(store.checkout('bike', join(path, 'out')), 'ERR_NOT_FETCHED')
  assert.is([...store.operations()].length, before)
  assert.not.ok(existsSync(join(path, 'out')))
})

test('fetches exactly what is read', async () => {
  await using made = await stores()
  const { store, path } = made
  store.settings.set('fetch', 'auto')
  await store.checkout('bike', join(path, 'out'), { paths: ['dir'] })
  assert.equal(readdirSync(join(path, 'out')), ['dir'])
  assert.is((await store.verify('bike')).notFetched, 2)
  const version = await store.artifact('bike')
  assert.is((await drain(version.read('a.bin'))).length, 5000)
  assert.is((await store.verify('bike')).notFetched, 1)
  const operations = [...store.operations()].length
  assert.is((await drain(version.read('a.bin'))).length, 5000)
  assert.is([...store.operations()].length, operations, 'once')
  await store.download('bike', join(path, 'all'))
  assert.equal(readdirSync(join(path, 'all')).sort(), ['a.bin', 'dir', 'text.txt'])
  assert.ok((await store.artifact('bike:v0')).isPartial)
})

test('contents of changed files are compared with what comes', async () => {
  await using made = await stores()
  const { store } = made
  const diff = await store.diff({ ref: 'bike:v0' }, { ref: 'bike:v1' })
  const all = async (): Promise<unknown[]> => {
    const found: unknown[] = []
    for await (const { path, contents } of diff.contents()) found.push([path, contents?.kind])
    return found
  }
  const error = await rejects(all(), 'ERR_NOT_FETCHED')
  assert.match(error.message, '1 object of "bike:v0"')
  store.settings.set('fetch', 'auto')
  assert.equal(await all(), [['text.txt', 'text']])
})

test('what came without even its tree is listed first', async () => {
  await using made = await stores(false)
  const { store, path, there } = made
  await takeOver(there, path, nothing)
  await rejects(store.localPath('bike:v0', { path: 'a.bin' }), 'ERR_NOT_FETCHED')
  store.settings.set('fetch', 'auto')
  await store.localPath('bike:v0', { path: 'a.bin' })
  assert.is([...store.entries('bike:v0')].length, 3)
  assert.is((await store.verify('bike:v0')).notFetched, 2)
})

test('what is partial at a remote is so here, and is fetched from where all of it is', async () => {
  await using made = await stores()
  const { store, path, there } = made
  await store.fetch({ ref: 'bike:v0' })
  const third = join(path, 'third')
  mkdirSync(third)
  const { store: other } = await Store.init(third)
  await using _ = other
  await other.remotes.add('half', join(path, '.artifacts'))
  await other.remotes.add('whole', join(there, '.artifacts'))
  await other.pull()
  const partial = (): unknown[] => other.history().map((each) => [each.ref, each.partial])
  assert.equal(partial(), [
    ['bike:v1', true],
    ['bike:v0', undefined],
  ])
  const { message } = await rejects(other.fetch({ ref: 'bike:v1' }), 'ERR_NOT_FETCHED')
  assert.match(message, 'does not have all of "@')
  await other.fetch({ ref: 'bike:v1', remote: 'whole' })
  assert.equal(partial(), [
    ['bike:v1', undefined],
    ['bike:v0', undefined],
  ])
})

async function drain(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

test.run()
