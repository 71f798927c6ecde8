/** Whatever happens to the cache of file stats: nothing that was changed is missed, nothing that was not is stored again. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { readTree, shownTree, type Tree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { newWorkspace, readAll, type Workspace } from './workspace.ts'

const test = suite('a lost stat cache')

const noise = seededRandom(3)

/** Enough directories for some pages. */
const FILES: Tree = Object.fromEntries(
  Array.from({ length: 200 }, (_, i) => [`dir-${i % 40}/file-${i}`, `${i} ${'x'.repeat(100)}`]),
)

/** `data` was committed when its files were old enough to be trusted from then on. */
async function settled(): Promise<Workspace> {
  const workspace = await newWorkspace()
  writeTree(join(workspace.path, 'data'), FILES)
  await sleep(50)
  await workspace.run((store) => store.commit([join(workspace.path, 'data')]))
  return workspace
}

function overwrite(path: string, change: (bytes: Buffer) => Uint8Array): void {
  writeFileSync(path, change(readFileSync(path)))
}

const DAMAGES: Readonly<Record<string, (cache: string) => unknown>> = {
  'it is deleted': (cache) => rmSync(cache),
  'it is empty': (cache) => truncateSync(cache, 0),
  'it ends within a page': (cache) => truncateSync(cache, 20_000),
  'it ends after a page': (cache) => truncateSync(cache, 16_384),
  'it is zeros': (cache) => overwrite(cache, (bytes) => bytes.fill(0)),
  'it is noise': (cache) => overwrite(cache, ({ length }) => noise.bytes(length)),
  'it is text': (cache) => writeFileSync(cache, 'stat\n'.repeat(2048)),
  'its header is noise': (cache) =>
    overwrite(cache, (bytes) => Buffer.concat([noise.bytes(100), bytes.subarray(100)])),
  'pages behind the first are zeros': (cache) => overwrite(cache, (bytes) => bytes.fill(0, 16_384)),
  'pages behind the first are noise': (cache) =>
    overwrite(cache, (bytes) =>
      Buffer.concat([bytes.subarray(0, 16_384), noise.bytes(bytes.length - 16_384)]),
    ),
  'single bytes are others': (cache) =>
    overwrite(cache, (bytes) => {
      for (let i = 0; i < 60; i++)
        bytes[noise.integer(100, bytes.length - 1)] = noise.integer(0, 255)
      return bytes
    }),
  'a WAL of noise lies beside it': (cache) => writeFileSync(`${cache}-wal`, noise.bytes(40_000)),
  "it is another store's": async (cache) => {
    await using other = await settled()
    copyFileSync(join(other.root, 'stat.db'), cache)
  },
  'a directory has its name': (cache) => {
    rmSync(cache, { recursive: true })
    mkdirSync(cache)
  },
}

for (const [damage, inflict] of Object.entries(DAMAGES)) {
  test(`${damage}: commands answer as if nothing had happened`, async () => {
    await using workspace = await settled()
    const data = join(workspace.path, 'data')
    const cache = join(workspace.root, 'stat.db')
    await inflict(cache)
    const status = await workspace.run((store) => store.status())
    const before = await workspace.run((store) => store.commit([data]))
    assert.is(status[0]?.state, 'clean')
    assert.is(before.created, false)

    writeFileSync(join(data, 'dir-7/file-7'), `7 ${'y'.repeat(100)}`)
    await inflict(cache)
    const report = await workspace.run((store) => store.commit([data]))
    assert.is(report.created, true)
    assert.is(report.changed, 1)
    await workspace.run(async (store) => {
      assert.is(readAll(store, 'data', 'dir-7/file-7').toString(), `7 ${'y'.repeat(100)}`)
      await store.checkout('data:v0', data)
      assert.equal(readTree(data), shownTree(FILES))
    })
    assert.equal(workspace.takeNotices(), [])
  })
}

test('one of another age, with the WAL of yet another, hides no change', async () => {
  await using workspace = await settled()
  const data = join(workspace.path, 'data')
  const cache = join(workspace.root, 'stat.db')
  const ages: { readonly database: Buffer; readonly wal: Buffer }[] = []
  const content = (age: number): Tree =>
    Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`dir-${i}/file-${i}`, `${i} ${age} ${'x'.repeat(98)}`]),
    )
  for (let age = 0; age < 4; age++) {
    writeTree(data, content(age))
    await sleep(30)
    using store = await Store.open({ store: workspace.root })
    await store.commit([data])
    ages.push({ database: readFileSync(cache), wal: readFileSync(`${cache}-wal`) })
  }
  const ref = await workspace.run((store) => store.version('data').ref)
  for (const { database } of ages) {
    for (const { wal } of ages) {
      rmSync(`${cache}-shm`, { force: true })
      writeFileSync(cache, database)
      writeFileSync(`${cache}-wal`, wal)
      await workspace.run(async (store) => {
        assert.is((await store.commit([data], { reuse: 'any' })).ref, ref)
        assert.is((await store.verify(ref, { dir: data })).ok, true)
      })
    }
  }
})

test.run()
