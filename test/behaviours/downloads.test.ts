/** Versions on disk: downloads beside what is there, checkouts in its place, and verifying a directory. */
import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { workspace } from '../library/workspace.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { log } from './logging.ts'

const test = suite('behaviours: downloads')

const FILES = { 'some/a': '1', 'some/sub/b': '2', 'some-more.txt': '3', other: '4' }

test('a download goes to a folder that is named after the version, or to one that is given', async () => {
  await using ws = await workspace()
  const version = await log(ws, FILES)
  const before = process.cwd()
  process.chdir(ws.path)
  try {
    assert.is(await version.download(), ws.at('artifacts/bike-v0'))
    assert.is(await version.download('relative/dir'), ws.at('relative/dir'))
  } finally {
    process.chdir(before)
  }
  for (const dir of ['artifacts/bike-v0', 'relative/dir']) {
    assert.equal(readTree(ws.at(dir)), FILES)
  }
})

test('a file that is there already stays as it is, another is not lost, and a stranger is left alone', async () => {
  await using ws = await workspace()
  const version = await log(ws, FILES)
  const dir = await version.download(ws.at('out'))
  fs.writeFileSync(join(dir, 'stranger'), 's')
  const before = fs.statSync(join(dir, 'other'))
  fs.rmSync(join(dir, 'some/a'))
  await version.download(dir)
  const after = fs.statSync(join(dir, 'other'))
  assert.equal([after.ino, after.mtimeMs], [before.ino, before.mtimeMs])
  assert.equal(readTree(dir), { ...FILES, stranger: 's' })
  fs.writeFileSync(join(dir, 'other'), 'mine')
  const { message } = await rejects(version.download(dir), 'ERR_WOULD_OVERWRITE')
  assert.match(message, 'other')
  assert.is(readTree(dir)['other'], 'mine')
  await version.checkout(dir, { force: true })
  assert.equal(readTree(dir), FILES)
})

test('a prefix is the beginning of a path, as text', async () => {
  await using ws = await workspace()
  const version = await log(ws, FILES)
  const got = async (prefix: string): Promise<string[]> => {
    const dir = ws.at(`out ${prefix.replaceAll('/', '-')}`)
    await version.download(dir, { prefix })
    return fs.existsSync(dir) ? Object.keys(readTree(dir)) : []
  }
  assert.equal(await got('some/'), ['some/a', 'some/sub/b'])
  assert.equal(await got('some'), ['some-more.txt', 'some/a', 'some/sub/b'])
  assert.equal(await got('some/a'), ['some/a'])
  assert.equal(await got('nothing/like/this'), [])
})

test('a download leaves no copy anywhere else', async () => {
  await using ws = await workspace()
  const version = await log(ws, FILES)
  await version.download(ws.at('out'))
  await version.checkout(ws.at('out2'))
  assert.equal((await ws.store.cache.list()).copies, [])
  assert.equal(fs.readdirSync(join(ws.store.root, 'tmp')), [])
})

test('what was downloaded shares no bytes with the store', async () => {
  await using ws = await workspace()
  const large = 'x'.repeat(1_000_000)
  const version = await log(ws, { large })
  const dir = await version.download(ws.at('out'))
  fs.writeFileSync(join(dir, 'large'), 'y'.repeat(1_000_000))
  assert.ok((await version.verify()).ok)
  const { path } = await ws.store.localPath(version.ref)
  assert.is(fs.readFileSync(path, 'utf8'), large)
})

test('a checkout takes away what the version does not have, and brings back what was changed', async () => {
  await using ws = await workspace()
  const first = await log(ws, { ...FILES, old: 'o' })
  const version = await log(ws, FILES)
  const dir = ws.at('out')
  await first.checkout(dir)
  const { added, changed, deleted } = await version.checkout(dir)
  assert.equal([added, changed, deleted], [0, 0, 1])
  assert.equal(readTree(dir), FILES)
  fs.writeFileSync(join(dir, 'other'), 'edited')
  fs.writeFileSync(join(dir, 'stray'), 'x')
  await rejects(version.checkout(dir), 'ERR_WOULD_OVERWRITE')
  await version.checkout(dir, { force: true })
  assert.equal(readTree(dir), FILES)
})

test('verifying names what is missing, changed and extra in one answer', async () => {
  await using ws = await workspace()
  const version = await log(ws, FILES)
  const dir = await version.download(ws.at('out'))
  assert.ok((await version.verify(dir)).ok)
  fs.rmSync(join(dir, 'some/a'))
  fs.writeFileSync(join(dir, 'other'), '5')
  fs.writeFileSync(join(dir, 'some/new'), 'x')
  fs.mkdirSync(join(dir, 'hollow'))
  const error = await rejects(version.verify(dir), 'ERR_VERIFY')
  const { report } = error.data as { report: Record<string, unknown> }
  assert.equal(
    [report['missing'], report['changed'], report['extra']],
    [['some/a'], ['other'], ['hollow', 'some/new']],
  )
  for (const path of ['some/a', 'other', 'some/new']) assert.match(error.message, path)
  await rejects(version.verify(ws.at('nowhere')), 'ERR_NOT_FOUND')
})

test('one entry is downloaded below a folder, and no path leads out of it', async () => {
  await using ws = await workspace()
  const version = await log(ws, FILES)
  const entry = await version.entry('some/sub/b')
  assert.is(await entry.download(ws.at('one')), ws.at('one/some/sub/b'))
  assert.equal(readTree(ws.at('one')), { 'some/sub/b': '2' })
  for (const path of ['../other', '/other', 'some/../other', './other', '', 'some']) {
    await rejects(version.entry(path), 'ERR_NOT_FOUND')
  }
})

test('the file of a version is its only one; of none or many there is no such thing', async () => {
  await using ws = await workspace()
  const one = await log(ws, { 'sub/only': 'x' })
  assert.is(await one.file(ws.at('one')), ws.at('one/sub/only'))
  for (const [files, count] of [
    [FILES, '4 files'],
    [{}, '0 files'],
  ] as const) {
    const { message } = await rejects((await log(ws, files)).file(ws.at('out')), 'ERR_USAGE')
    assert.match(message, count)
  }
  assert.not.ok(fs.existsSync(ws.at('out')))
})

test('what stands in the way of a folder or a file is named, and nothing is written', async () => {
  await using ws = await workspace()
  const version = await log(ws, FILES)
  ws.write('out', { some: 'a file', 'other/x': 'a folder' })
  const before = readTree(ws.at('out'))
  await rejects(version.download(ws.at('out')), 'ERR_WOULD_OVERWRITE')
  assert.equal(readTree(ws.at('out')), before)
  fs.rmSync(ws.at('out'), { recursive: true })
  fs.writeFileSync(ws.at('out'), 'no folder at all')
  const error = await version.download(ws.at('out')).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  assert.match(error?.message ?? '', ws.at('out'))
  assert.is(fs.readFileSync(ws.at('out'), 'utf8'), 'no folder at all')
})

test.run()
