import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { readClock } from '../../../src/store/workspace/clock.ts'
import { RowState } from '../../../src/store/workspace/matched-batch.ts'
import { walk } from '../../../src/store/workspace/walk.ts'
import { writeTree } from '../../support/files.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { io, Workspace } from './cached-workspace.ts'

const test = suite('stat-cache')
const { unknown, unsure, clean, fresh } = RowState

await loadHashes()

test('knows settled files again, with their contents', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, {
    'a/chunk': 'c'.repeat(100),
    'a/recipe': 'r'.repeat(2000),
    'a/inline': 'i',
    'a/none': '',
    'a/link': { symlink: 'x' },
    'a/inner/ü\u{10000}': 'deep',
    'a/ende': 'e',
    top: 't',
    void: null,
  })
  workspace.settle()
  const files = ['a/chunk', 'a/ende', 'a/inline', 'a/inner/ü\u{10000}', 'a/none', 'a/recipe', 'top']
  assert.equal(workspace.scan(), Object.fromEntries(files.map((path) => [path, unknown])))
  assert.equal(workspace.scan(), Object.fromEntries(files.map((path) => [path, clean])))
})

test('writes nothing when nothing has changed', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, { 'a/x': 'x', 'a/b/y': 'y', y: 'y', z: 'z' })
  workspace.settle()
  workspace.scan()
  workspace.query((database) => {
    database.pragma('journal_mode = WAL')
    const version = (): unknown => database.pragma('data_version', { simple: true })
    const before = version()
    assert.equal(workspace.scan(), { 'a/x': clean, 'a/b/y': clean, y: clean, z: clean })
    assert.is(version(), before)
    assert.equal(workspace.scan({ include: ['z'] }), { z: clean })
    assert.is(version(), before)
    fs.writeFileSync(workspace.at('z'), 'Z')
    workspace.scan()
    assert.is.not(version(), before)
  })
})

test('never misses an edit of the same size in the same tick', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, {})
  for (let round = 0; round < 200; round++) {
    const text = String(round).padStart(8)
    fs.writeFileSync(workspace.at('x'), `${text}a`)
    const afterReading = (): void => fs.writeFileSync(workspace.at('x'), `${text}b`)
    workspace.scan({ afterReading })
    // What it finds clean, `scan` compares with what is there.
    assert.equal(workspace.scan(), { x: unsure })
  }
})

test('trusts a file that was racy once it has been looked at again', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, { x: 'x' })
  workspace.scan()
  workspace.settle()
  assert.equal(workspace.scan(), { x: unsure })
  assert.equal(workspace.scan(), { x: clean })
})

test('notices an edit after which the old time was set again', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, { x: 'old' })
  workspace.settle()
  workspace.scan()
  const { atime, mtime, mtimeMs } = fs.lstatSync(workspace.at('x'))
  fs.writeFileSync(workspace.at('x'), 'new')
  fs.utimesSync(workspace.at('x'), atime, mtime)
  assert.ok(Math.abs(fs.lstatSync(workspace.at('x')).mtimeMs - mtimeMs) < 1)
  assert.equal(workspace.scan(), { x: unsure })
})

test('notices another file under the name, of the same size and time', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, { x: 'old', y: 'new' })
  const time = new Date(1_600_000_000_000)
  fs.utimesSync(workspace.at('x'), time, time)
  fs.utimesSync(workspace.at('y'), time, time)
  workspace.settle()
  workspace.scan()
  fs.renameSync(workspace.at('y'), workspace.at('x'))
  workspace.settle()
  assert.equal(workspace.scan(), { x: unsure })
  assert.equal(workspace.scan(), { x: clean })
})

test('forgets what a whole scan does not come by, and keeps what a partial one does not', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, {
    a: '1',
    b: '1',
    c: '1',
    'd/x': '1',
    'd/y': '1',
  })
  workspace.settle()
  workspace.scan()
  fs.rmSync(workspace.at('c'))
  writeTree(workspace.directory, { b: '2', bb: '2', 'd/z': '2' })
  workspace.settle()
  assert.equal(workspace.scan({ include: ['b*', 'd/z'] }), {
    b: unsure,
    bb: unknown,
    'd/z': unknown,
  })
  writeTree(workspace.directory, { c: '1' })
  const all = {
    a: clean,
    b: clean,
    bb: clean,
    c: unknown,
    'd/x': clean,
    'd/y': clean,
    'd/z': clean,
  }
  assert.equal(workspace.scan(), all)
  assert.equal(workspace.scan({ exclude: ['a', 'd/x'] })['b'], clean)
  const { a, 'd/x': x, 'd/y': y } = workspace.scan()
  assert.equal([a, x, y], [unknown, unknown, clean])
})

test('lets batches be matched ahead, and insists on their order', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, { 'a/x': '1', 'b/x': '2', 'b/y': '3', c: '4' })
  const cache = workspace.open()
  const scan = cache.scan('', readClock(io, workspace.layout))
  const batches = [...walk(workspace.directory)].map((batch) => scan.match(batch))
  for (const matched of batches) {
    for (let index = 0; index < matched.batch.length; index++) {
      matched.set(index, { kind: 'inline', bytes: Buffer.of(1) }, new Uint8Array(8))
      assert.is(matched.states[index], fresh)
    }
  }
  assert.throws(() => scan.record(batches[1] as (typeof batches)[number]))
  const again = cache.scan('', readClock(io, workspace.layout))
  for (const { batch } of batches) again.record(again.match(batch))
  again.finish()
  cache.close()
})

test.run()
