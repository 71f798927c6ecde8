/** The cache of local copies: what fills it, what it may never do, and what happens where it can't be. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { installFaults } from '../../src/store/io/faults.ts'
import { workspace } from '../library/workspace.ts'
import { readTree } from '../support/files.ts'
import { seededRandom } from '../support/random.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { draft, log, textsOf } from './logging.ts'

const test = suite('behaviours: local copies')

const BIN = join(import.meta.dirname, '../../src/cli/bin.js')
const TEXT = 'some text that is more than a few bytes long\n'.repeat(1000)

for (const captured of [false, true]) {
  test(`the cache holds what was asked for, not what was logged, ${captured ? 'from a copy' : 'in place'}`, async () => {
    await using ws = await workspace()
    const { store } = ws
    const artifact = captured ? store.draft('bike', { type: 'dataset' }) : draft()
    await artifact.addFile(`${ws.write('data', { a: TEXT })}/a`)
    const version = await store.commit(artifact)
    assert.equal((await store.cache.list()).copies, [])
    assert.equal(await textsOf(version), { a: TEXT })
    const { path } = await store.localPath(version.ref)
    assert.is(fs.readFileSync(path, 'utf8'), TEXT)
    assert.is((await store.cache.list()).copies.length, 1)
  })
}

test('where no cache can be, only local copies fail, and the place is named', async () => {
  await using ws = await workspace()
  const { store } = ws
  ws.write('data', { file: 'no folder' })
  store.settings.set('cache.dir', ws.at('data/file'))
  const version = await log(ws, { a: TEXT })
  const error = await store.localPath(version.ref).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  assert.match(error?.message ?? '', ws.at('data/file'))
  assert.equal(await textsOf(version), { a: TEXT })
  assert.equal(
    readTree(await version.download(ws.at('out'))),
    readTree(ws.write('same', { a: TEXT })),
  )
})

test('a full disk ends a copy with an error that says so, and leaves no half of it', async () => {
  await using ws = await workspace()
  const { store } = ws
  const version = await log(ws, { a: TEXT, b: 'x'.repeat(400_000) })
  const expected = readTree(await version.download(ws.at('out')))
  for (let at = 1; ; at++) {
    const faults = installFaults({ at, fault: { do: 'fail', code: 'ENOSPC' } })
    const failed: unknown = await store.localPath(version.ref).then(
      () => undefined,
      (error: unknown) => error,
    )
    const { fired } = faults
    faults.reset()
    const { copies } = await store.cache.list()
    for (const { path } of copies) assert.equal(readTree(path), expected, `call ${at}`)
    if (!fired) {
      assert.ok(at > 5 && failed === undefined && copies.length === 1, `call ${at}`)
      break
    }
    assert.is((failed as { code?: string }).code, 'ENOSPC', `call ${at}: ${failed}`)
  }
})

test('cleaning an empty cache frees nothing, and a size that is none is refused', async () => {
  await using ws = await workspace()
  const { store } = ws
  for (const size of [undefined, '0', '5GB', '5GiB']) {
    const { removed, freedBytes, kept } = await store.cache.clean(size)
    assert.equal([removed, freedBytes, kept], [0, 0, 0])
  }
  for (const size of ['-1', '50%', 'all', '']) await rejects(store.cache.clean(size), 'ERR_USAGE')
  throwsCode(() => store.settings.set('cache.maxBytes', '-3'), 'ERR_CONFIG')
})

test('five processes that ask for the same at once get one copy', async () => {
  await using ws = await workspace()
  const version = await log(ws, { a: TEXT, 'sub/b': 'x'.repeat(500_000) })
  const printed = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const child = spawn(process.execPath, [BIN, 'path', version.ref], { cwd: ws.path })
      let text = ''
      child.stdout.on('data', (bytes) => {
        text += bytes
      })
      const [code] = await once(child, 'close')
      assert.is(code, 0)
      return text.trim()
    }),
  )
  assert.is(new Set(printed).size, 1)
  const { copies } = await ws.store.cache.list()
  assert.equal(
    copies.map(({ path }) => path),
    [printed[0]],
  )
  assert.equal(Object.keys(readTree(printed[0] ?? '')), ['a', 'sub/b'])
})

test('a copy is known by its bytes: equal ones are shared, also where name and version differ', async () => {
  await using ws = await workspace()
  const first = await log(ws, { a: TEXT, b: '1' })
  const second = await log(ws, { 'other/name': TEXT })
  const one = await ws.store.localPath(first.ref)
  const other = await ws.store.localPath(second.ref)
  const inode = (path: string): number => fs.statSync(path).ino
  assert.is(inode(join(one.path, 'a')), inode(other.path))
})

test('what is in the cache does not hide that the store is damaged, nor the other way round', async () => {
  await using ws = await workspace()
  const { store } = ws
  const bytes = seededRandom(3).bytes(200_000)
  const version = await log(ws, { a: bytes })
  const { path } = await store.localPath(version.ref)
  const packs = join(store.root, 'packs')
  for (const name of fs.readdirSync(packs)) {
    const pack = fs.readFileSync(join(packs, name))
    pack[100_000] = (pack[100_000] ?? 0) ^ 1
    fs.chmodSync(join(packs, name), 0o644)
    fs.writeFileSync(join(packs, name), pack)
  }
  await rejects(version.verify(), 'ERR_VERIFY')
  assert.ok(fs.readFileSync(path).equals(bytes))
  fs.chmodSync(path, 0o644)
  fs.writeFileSync(path, 'other bytes')
  await rejects(store.localPath(version.ref), 'ERR_DAMAGED')
})

test.run()
