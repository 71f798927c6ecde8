import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ArtifactsError } from '../src/errors.ts'
import { type FsckOptions, type FsckReport, Store } from '../src/index.ts'
import type { PackEntry } from '../src/store/object/pack.ts'
import { everything, fetchObjects, metadata, nothing, takeOver, type Wants } from './partial.ts'
import { commitTree, openIn, type Workspace, workspace } from './store/gc/workspace.ts'
import { writeTree } from './support/files.ts'
import { seededRandom } from './support/random.ts'
import { rejects } from './support/rejects.ts'

const test = suite('partial versions')

const LARGE = seededRandom(1).bytes(700_000)
const TREE = {
  'a.bin': seededRandom(2).bytes(5000),
  'b.bin': seededRandom(3).bytes(6000),
  'dir/large.bin': LARGE,
  'note.txt': 'inline',
}

interface Pair extends AsyncDisposable {
  readonly there: Workspace
  readonly here: Workspace
}

/** Another store with a version of `bike`, and one that took it over without what is not wanted. */
async function pair(wants: Wants): Promise<Pair> {
  const there = await workspace()
  const here = await workspace()
  await commitTree(there.path, 'bike', TREE)
  await takeOver(there.path, here.path, wants)
  return {
    there,
    here,
    async [Symbol.asyncDispose]() {
      await there[Symbol.asyncDispose]()
      await here[Symbol.asyncDispose]()
    },
  }
}

/** Everything but the chunk that is one file of this size. */
const allBut =
  (size: number): Wants =>
  (entry: PackEntry) =>
    entry.raw !== size

async function notFetched(run: () => unknown): Promise<ArtifactsError> {
  return rejects((async () => run())(), 'ERR_NOT_FETCHED')
}

test('reading what is not here names how much it is, and the command that fetches it', async () => {
  await using stores = await pair(metadata)
  using store = await openIn(stores.here.path)
  const dir = join(stores.here.path, 'out')
  const error = await notFetched(() => store.checkout('bike', dir))
  assert.match(error.message, /of "bike:v0" \(711000 bytes\) were not fetched/)
  assert.match(error.hint ?? '', 'artifacts fetch bike:v0`')
  assert.is(error.data['bytes'], 711_000)
  assert.is(error.exitCode, 4)
  assert.throws(() => readdirSync(dir))
  const one = await notFetched(() => read(store, 'bike', 'a.bin'))
  assert.match(one.message, '1 object of "bike:v0" (5000 bytes) was not fetched')
  assert.match(one.hint ?? '', 'artifacts fetch bike:v0 -- a.bin`')
  for (const attempt of [
    () => store.download('bike', dir),
    () => store.localPath('bike'),
    () => store.localPath('bike', { path: 'dir' }),
    () => store.wandbDigest('bike'),
    () => store.exportTar('bike'),
    async () => drain((await store.artifact('bike')).read('b.bin')),
  ]) {
    await notFetched(attempt)
  }
  // What the tree says is here, and what it holds itself.
  assert.is([...store.entries('bike')].length, 4)
  assert.is(await read(store, 'bike', 'note.txt'), 'inline')
  await store.checkout('bike', dir, { paths: ['note.txt'] })
  assert.equal(readdirSync(dir), ['note.txt'])
})

test('without its tree not even the list of its files is known', async () => {
  await using stores = await pair(nothing)
  using store = await openIn(stores.here.path)
  const error = await notFetched(() => [...store.entries('bike')])
  assert.match(error.message, 'The list of the files of "bike:v0" (4 files, 711006 bytes) was not')
  await notFetched(() => store.checkout('bike', join(stores.here.path, 'out')))
  await notFetched(() => store.verify('bike'))
  await notFetched(() => store.diff({ ref: 'bike' }, { dir: stores.here.path }))
})

test('a version says whether all of it is here', async () => {
  await using stores = await pair(metadata)
  const { there, here } = stores
  const seen = async (): Promise<unknown> => {
    using store = await openIn(here.path)
    const { rows } = await store.sql('SELECT partial FROM versions')
    const { isPartial } = await store.artifact('bike')
    return [isPartial, store.version('bike').partial, store.history()[0]?.partial, [...rows]]
  }
  assert.equal(await seen(), [true, true, true, [[1]]])
  await fetchObjects(there.path, here.path, everything, true)
  assert.equal(await seen(), [false, undefined, undefined, [[0]]])
  using store = await openIn(here.path)
  // As it was then, but what can be read now.
  using then = store.at({ operation: 1 })
  assert.is(then.version('bike').partial, undefined)
  assert.is([...then.read('bike', 'a.bin')].length, 1)
})

test('what is here of it is read, checked out by path, and verified', async () => {
  await using stores = await pair(allBut(5000))
  using store = await openIn(stores.here.path)
  assert.is((await read(store, 'bike', 'b.bin')).length > 0, true)
  await notFetched(() => read(store, 'bike', 'a.bin'))
  const dir = join(stores.here.path, 'out')
  await store.checkout('bike', dir, { paths: ['dir'] })
  assert.equal(readdirSync(dir), ['dir'])
  const report = await store.verify('bike')
  assert.equal([report.ok, report.notFetched, report.damaged.length], [true, 1, 0])
})

test('fsck counts what is not here, and repairs nothing', async () => {
  for (const wants of [nothing, metadata, allBut(5000)]) {
    await using stores = await pair(wants)
    const { path } = stores.here
    const report = await fsck(path, { data: 1 })
    assert.equal([report.ok, report.problems], [true, []])
    const absent = report.steps.find(({ name }) => name === 'versions')?.counts['notFetched'] ?? 0
    assert.ok(absent > 0, 'counted')
    const repaired = await fsck(path, { repair: true })
    assert.equal([repaired.ok, repaired.repairs ?? []], [true, []])
  }
})

test('fsck tells what was lost from what was never here', async () => {
  await using stores = await pair(allBut(5000))
  for (const name of readdirSync(stores.here.layout.packs)) {
    rmSync(join(stores.here.layout.packs, name))
  }
  const { path } = stores.here
  const { ok, problems } = await fsck(path, {})
  assert.is(ok, false)
  const affected = problems
    .filter(({ step }) => step === 'packs')
    .map((each) => each.affected.count)
  assert.ok(
    affected.every((count) => count > 0),
    affected.join(),
  )
})

test('gc keeps what is here of it and refuses nothing', async () => {
  await using stores = await pair(allBut(5000))
  const { path } = stores.here
  await commitTree(path, 'other', { 'x.bin': seededRandom(9).bytes(4000) })
  await commitTree(path, 'other', { 'y.bin': seededRandom(10).bytes(4000) })
  using store = await openIn(path)
  await store.remove(['other:v0'])
  const { purged } = await store.gc({ grace: '0' })
  assert.equal(purged, ['other:v0'])
  assert.is((await store.verify('bike')).notFetched, 1)
  assert.ok((await fsck(path, { data: 1 })).ok)
  await fetchObjects(stores.there.path, path, everything, true)
  const fetched = await store.verify('bike')
  assert.equal([fetched.ok, fetched.notFetched], [true, 0])
})

test('gc still refuses where a whole version lacks what a partial one lacks too', async () => {
  await using there = await workspace()
  await using here = await workspace()
  for (const name of ['bike', 'whole']) await commitTree(there.path, name, TREE)
  await takeOver(there.path, here.path, metadata, ['whole'])
  using store = await openIn(here.path)
  const { message } = await rejects(store.gc({ grace: '0' }), 'ERR_DAMAGED')
  assert.match(message, 'whole:v0:a.bin')
  assert.not.match(message, 'bike:v0')
})

test('committing the same content completes the version', async () => {
  for (const wants of [nothing, metadata, allBut(5000)]) {
    await using stores = await pair(wants)
    const { path } = stores.here
    assert.is(await commitTree(path, 'bike', TREE), 'bike:v0')
    using store = await openIn(path)
    const report = await store.verify('bike')
    assert.equal([report.ok, report.notFetched], [true, 0])
    assert.ok((await fsck(path, { data: 1 })).ok)
    const counts = (await fsck(path, {})).steps.find(({ name }) => name === 'versions')?.counts
    assert.is(counts?.['notFetched'], 0)
    await commitTree(path, 'bike', TREE)
    assert.is([...store.operations()].length, 2)
  }
})

test('a commit takes nothing of a partial version for present', async () => {
  await using there = await workspace()
  await using here = await workspace()
  await commitTree(there.path, 'bike', TREE)
  const dir = join(here.path, 'dir')
  writeTree(dir, TREE)
  using store = await openIn(here.path)
  // The files are known by their times, once they are older than a tick, and their bytes gone again.
  await setTimeout(50)
  await store.commit([dir], { name: 'once', jobs: 0 })
  await store.remove(['once:v0'])
  await store.gc({ grace: '0' })
  await takeOver(there.path, here.path, metadata)
  writeFileSync(join(dir, 'new.txt'), 'x')
  const { ref } = await store.commit([dir], { name: 'bike', jobs: 0 })
  assert.is(ref, 'bike:v1')
  const report = await store.verify(ref)
  assert.equal([report.ok, report.notFetched], [true, 0])
  assert.ok((await fsck(here.path, { data: 1 })).ok)
})

test('a version is built only on one that is here', async () => {
  await using stores = await pair(metadata)
  const { here, there } = stores
  using store = await openIn(here.path)
  const file = join(here.path, 'more.txt')
  writeFileSync(file, 'more')
  const commit = (): Promise<unknown> => store.commit([file], { name: 'bike', incremental: true })
  const error = await notFetched(commit)
  assert.match(error.hint ?? '', 'artifacts fetch default/bike:v0')
  await fetchObjects(there.path, here.path, everything, false)
  await commit()
  assert.is((await store.verify('bike:v1')).ok, true)
})

async function read(store: Store, ref: string, path: string): Promise<string> {
  return drain(store.read(ref, path))
}

function fsck(path: string, options: FsckOptions): Promise<FsckReport> {
  return Store.fsck({ store: join(path, '.artifacts') }, options)
}

async function drain(stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

test.run()
