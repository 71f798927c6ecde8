/** The bound of the cache: what goes, what stays, and what crashes leave. */
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { copyKey, type Wanted } from '../../../src/store/cache/copy.ts'
import {
  type CacheOptions,
  cleanCache,
  KEEP_MS,
  type LocalCopy,
  listCache,
  localCopy,
} from '../../../src/store/cache/local-copy.ts'
import { type Opened, openStore } from '../../../src/store/open.ts'
import { nodeReader } from '../../../src/store/opened.ts'
import { entries } from '../../../src/store/tree/cursor.ts'
import type { ArtifactId } from '../../../src/types.ts'
import { type Workspace, workspace } from '../../library/workspace.ts'
import { readTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'

const test = suite('cache/evict')
const SIZE = 100_000
const ALL = Number.MAX_SAFE_INTEGER

interface Fixture extends AsyncDisposable {
  readonly space: Workspace
  readonly opened: Opened
  readonly directory: string
  /** A copy of version `n`, which has a file of its own and one that all have, each of SIZE bytes. */
  copy(n: number, options: { readonly maxBytes: number; readonly keep: number }): Promise<LocalCopy>
  clean(options: {
    readonly maxBytes: number
    readonly keep: number
  }): ReturnType<typeof cleanCache>
}

async function versions(count: number): Promise<Fixture> {
  const space = await workspace()
  const random = seededRandom(count)
  space.store.settings.set('durability', 'process')
  space.write('data', { 'common.bin': random.bytes(SIZE) })
  for (let n = 0; n < count; n++) {
    const data = space.write('data', { 'own.bin': random.bytes(SIZE) })
    await space.store.commit([data], { name: 'bike', jobs: 0 })
  }
  const opened = await openStore({ root: space.store.root, tool: 'test/1' })
  const directory = space.at('cache')
  return {
    space,
    opened,
    directory,
    copy: (n, options) => localCopy(opened, { directory, ...options }, wanted(opened, n)),
    clean: (options) => cleanCache(opened, { directory, ...options }),
    async [Symbol.asyncDispose]() {
      opened.close()
      await space[Symbol.asyncDispose]()
    },
  }
}

function wanted(opened: Opened, n: number): Wanted {
  const { state } = opened.index
  const artifact = state.artifactByName('default', 'bike')?.id as ArtifactId
  const root = state.versionByNumber(artifact, n)?.object.root
  if (root === undefined) throw new Error(`no version ${n}`)
  const read = nodeReader(opened)
  return {
    key: copyKey('version', root),
    label: `bike:v${n}`,
    digest: root,
    entries: () => entries(read, root),
  }
}

const unused: Pick<CacheOptions, 'keep'> = { keep: -1 }
const used: Pick<CacheOptions, 'keep'> = { keep: KEEP_MS }

test('what was used least recently goes, until there is room for what is wanted', async () => {
  await using all = await versions(4)
  const paths: string[] = []
  for (const n of [0, 1, 2]) paths.push((await all.copy(n, { maxBytes: ALL, ...used })).path)
  await setTimeout(2)
  assert.is((await all.copy(0, { maxBytes: ALL, ...used })).cached, true)
  await setTimeout(2)
  const { path, cacheBytes } = await all.copy(3, { maxBytes: 3 * SIZE, ...unused })
  assert.is(cacheBytes, 3 * SIZE)
  assert.equal(
    paths.map((each) => fs.existsSync(each)),
    [true, false, false],
  )
  assert.ok(fs.existsSync(path))
  const [first = ''] = paths
  assert.equal(fs.readdirSync(first), ['common.bin', 'own.bin'])
})

test('what was handed out lately stays, however full the cache is', async () => {
  await using all = await versions(3)
  const paths: string[] = []
  let bytes = 0
  for (const n of [0, 1, 2]) {
    const { path, cacheBytes } = await all.copy(n, { maxBytes: 1, ...used })
    paths.push(path)
    bytes = cacheBytes
  }
  assert.is(bytes, 4 * SIZE)
  assert.equal(all.clean({ maxBytes: 0, ...used }).copies, 0)
  for (const path of paths) assert.equal(fs.readdirSync(path), ['common.bin', 'own.bin'])
})

test('what a running run uses stays, until the run has ended', async () => {
  await using all = await versions(2)
  const { store } = all.space
  const run = await store.startRun({ name: 'long' })
  await run.useArtifact('bike:v0')
  const mine = await all.copy(0, { maxBytes: ALL, ...used })
  const other = await all.copy(1, { maxBytes: ALL, ...used })
  all.opened.index.refresh()
  assert.is(all.clean({ maxBytes: 0, ...unused }).copies, 1)
  assert.equal(
    [mine, other].map(({ path }) => fs.existsSync(path)),
    [true, false],
  )
  await run.finish()
  all.opened.index.refresh()
  assert.is(all.clean({ maxBytes: 0, ...unused }).copies, 1)
  assert.is(fs.existsSync(mine.path), false)
})

test('cleaning removes files that no copy has any more, and no other', async () => {
  await using all = await versions(2)
  const first = await all.copy(0, { maxBytes: ALL, ...used })
  await setTimeout(2)
  const second = await all.copy(1, { maxBytes: ALL, ...used })
  const { copies, freedBytes, bytes } = all.clean({ maxBytes: 2 * SIZE, ...unused })
  assert.equal([copies, freedBytes, bytes], [1, SIZE, 2 * SIZE])
  assert.not.ok(fs.existsSync(first.path))
  assert.is(fs.statSync(join(second.path, 'common.bin')).size, SIZE)
  assert.is(contentsOf(all).length, 2)
  assert.is(all.clean({ maxBytes: 0, ...unused }).bytes, 0)
  assert.equal(contentsOf(all), [])
  assert.equal(fs.readdirSync(join(all.directory, 'copies')), [])
})

function contentsOf({ directory }: Fixture): string[] {
  const contents = join(directory, 'contents')
  return fs.readdirSync(contents).flatMap((each) => fs.readdirSync(join(contents, each)))
}

test('a ledger that is lost or damaged is made anew, and what is there is kept and read', async () => {
  for (const spoil of [
    (path: string) => fs.rmSync(path),
    (path: string) => fs.writeFileSync(path, 'no database at all, but long enough for a header'),
  ]) {
    await using all = await versions(2)
    const { path } = await all.copy(0, { maxBytes: ALL, ...used })
    for (const name of fs.readdirSync(all.directory)) {
      if (/-(wal|shm)$/.test(name)) fs.rmSync(join(all.directory, name))
    }
    spoil(join(all.directory, 'cache.db'))
    const { bytes, copies } = listCache(all.opened, { directory: all.directory })
    assert.equal([bytes, copies.map((copy) => copy.path)], [2 * SIZE, [path]])
    assert.is(all.clean({ maxBytes: 0, ...used }).copies, 0, 'somebody may be using it')
    const own = join(path, 'own.bin')
    fs.chmodSync(own, 0o644)
    fs.writeFileSync(own, seededRandom(5).bytes(SIZE))
    const again = await all.copy(0, { maxBytes: ALL, ...used })
    assert.is.not(again.path, path)
  }
})

test('what crashes leave behind goes when room is needed', async () => {
  await using all = await versions(1)
  await all.copy(0, { maxBytes: ALL, ...used })
  const { directory } = all
  const stray = join(directory, 'copies', `${'0'.repeat(32)}-00000000`)
  fs.mkdirSync(stray)
  fs.writeFileSync(join(stray, 'file'), 'x')
  fs.mkdirSync(join(directory, 'tmp', 'host.999999999.1.0123456789abcdef'))
  fs.utimesSync(join(directory, 'tmp', 'host.999999999.1.0123456789abcdef'), 1, 1)
  const orphan = join(directory, 'contents', '00', '0'.repeat(64))
  fs.mkdirSync(join(directory, 'contents', '00'), { recursive: true })
  fs.writeFileSync(orphan, 'x')
  const before = readTree(join(directory, 'copies'))
  all.clean({ maxBytes: 0, ...used })
  assert.is(fs.existsSync(stray), false)
  assert.is(fs.existsSync(orphan), false)
  assert.equal(fs.readdirSync(join(directory, 'tmp')), [])
  assert.ok(Object.keys(before).length > 2)
  assert.is(listCache(all.opened, { directory }).copies.length, 1)
})

test('two who ask for the same at once get the same copy', async () => {
  await using all = await versions(1)
  const asked = Array.from({ length: 5 }, () => all.copy(0, { maxBytes: ALL, ...used }))
  const paths = new Set((await Promise.all(asked)).map(({ path }) => path))
  assert.is(paths.size, 1)
  assert.is(fs.readdirSync(join(all.directory, 'copies')).length, 1)
})

test.run()
