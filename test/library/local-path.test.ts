/** Local copies: what is handed out, what it shares, and that it is what it should be. */
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTree } from '../support/files.ts'
import { seededRandom } from '../support/random.ts'
import { rejects } from '../support/rejects.ts'
import { settled, type Workspace, workspace } from './workspace.ts'

const test = suite('localPath')

const random = seededRandom(11)
const LARGE = random.bytes(700_000)
const CHUNK = random.bytes(50_000)
const FILES = {
  'a.csv': CHUNK,
  'empty.txt': '',
  'images/large.bin': LARGE,
  'images/link': { symlink: 'large.bin' },
  'run.sh': { content: `#!/bin/sh\n${'# a script\n'.repeat(10)}`, mode: 0o755 },
  'tiny.txt': 'tiny\n',
  void: null,
}

/** `bike:v0` has FILES; `bike:v1` has one file more. */
async function bikes(): Promise<Workspace> {
  const space = await workspace()
  const data = space.write('data', FILES)
  await space.store.commit([data], { name: 'bike' })
  space.write('data', { 'more.txt': 'more\n'.repeat(100) })
  await space.store.commit([data], { name: 'bike' })
  return space
}

const inode = (path: string): number => fs.statSync(path).ino
const modeOf = (path: string): number => fs.statSync(path).mode & 0o777

test('a version is copied once, whole and read-only', async () => {
  await using space = await bikes()
  const first = await space.store.localPath('bike:v0')
  assert.equal(readTree(first.path), readTree(writtenAnew(space)))
  assert.is(first.cached, false)
  assert.is(first.files, 6)
  assert.is(first.cacheBytes, first.bytes)
  assert.is(modeOf(join(first.path, 'a.csv')) & 0o222, 0)
  assert.is(modeOf(join(first.path, 'run.sh')) & 0o333, 0o111)
  assert.is(modeOf(join(first.path, 'images')) & 0o222, 0)
  assert.is(modeOf(first.path) & 0o222, 0)
  const again = await space.store.localPath('bike:v0')
  assert.equal([again.path, again.cached], [first.path, true])
})

/** The version as a checkout makes it. */
function writtenAnew(space: Workspace): string {
  const dir = space.at('anew')
  space.write('anew', FILES)
  return dir
}

test('versions share the files that they have in common, which count once', async () => {
  await using space = await bikes()
  const v0 = await space.store.localPath('bike:v0')
  const v1 = await space.store.localPath('bike:v1')
  for (const path of ['a.csv', 'images/large.bin', 'run.sh']) {
    assert.is(inode(join(v0.path, path)), inode(join(v1.path, path)), path)
  }
  // Besides the new file, only the tiny ones are written again.
  assert.is(v1.cacheBytes, v0.bytes + 500 + 5)
  const again = await space.store.localPath('bike:v0')
  assert.equal([again.path, again.cached], [v0.path, true], 'v1 has not disturbed v0')
})

test('a version of one file is that file, under its name', async () => {
  await using space = await workspace()
  const file = join(space.write('in', { 'sample.json': '{"n": 1}' }), 'sample.json')
  await space.store.commit([file], { name: 'sample' })
  const { path } = await space.store.localPath('sample')
  assert.is(basename(path), 'sample.json')
  assert.is(fs.readFileSync(path, 'utf8'), '{"n": 1}')
})

test('one path of a version: a file is the same for every version, a folder is what lies in it', async () => {
  await using space = await bikes()
  const v0 = await space.store.localPath('bike:v0', { path: 'images/large.bin' })
  const v1 = await space.store.localPath('bike:v1', { path: 'images/large.bin' })
  assert.is(v0.path, v1.path)
  assert.is(basename(v0.path), 'large.bin')
  assert.ok(fs.readFileSync(v0.path).equals(LARGE))
  assert.equal(fs.readdirSync(dirname(v0.path)), ['large.bin'])
  const folder = await space.store.localPath('bike:v0', { path: 'images/' })
  assert.equal(fs.readdirSync(folder.path), ['large.bin', 'link'])
  const empty = await space.store.localPath('bike:v0', { path: 'void' })
  assert.equal(fs.readdirSync(empty.path), [])
})

test('what is not there, or is no file or folder, is named', async () => {
  await using space = await bikes()
  const { store } = space
  const missing = await rejects(store.localPath('bike', { path: 'imag' }), 'ERR_NOT_FOUND')
  assert.match(missing.message, '"bike:v1" has no entry "imag"')
  const link = await rejects(store.localPath('bike', { path: 'images/link' }), 'ERR_UNSUPPORTED')
  assert.match(link.message, '"images/link" of "bike:v1" is a symlink')
  await rejects(store.localPath('car'), 'ERR_NOT_FOUND')
})

const CHANGES: Readonly<Record<string, (dir: string) => void>> = {
  'other bytes of the same length, with the time set back': (dir) => {
    const path = join(dir, 'a.csv')
    const { atime, mtime } = fs.statSync(path)
    fs.chmodSync(path, 0o644)
    fs.writeFileSync(path, random.bytes(CHUNK.length))
    fs.utimesSync(path, atime, mtime)
    fs.chmodSync(path, 0o444)
  },
  'one byte in the middle of a large file': (dir) => {
    const path = join(dir, 'images/large.bin')
    fs.chmodSync(path, 0o644)
    const fd = fs.openSync(path, 'r+')
    fs.writeSync(fd, Buffer.from([(LARGE[350_000] ?? 0) ^ 1]), 0, 1, 350_000)
    fs.closeSync(fd)
  },
  'a file of the same length in the place of another': (dir) => {
    fs.chmodSync(dir, 0o755)
    fs.rmSync(join(dir, 'tiny.txt'))
    fs.writeFileSync(join(dir, 'tiny.txt'), 'tinY\n')
  },
  'a file that is gone': (dir) => {
    fs.chmodSync(join(dir, 'images'), 0o755)
    fs.rmSync(join(dir, 'images/large.bin'))
  },
  'a file more': (dir) => {
    fs.chmodSync(join(dir, 'images'), 0o755)
    fs.writeFileSync(join(dir, 'images/labels.cache'), 'x')
  },
  'an empty folder that is gone': (dir) => {
    fs.chmodSync(dir, 0o755)
    fs.rmdirSync(join(dir, 'void'))
  },
  'another target of a link': (dir) => {
    fs.chmodSync(join(dir, 'images'), 0o755)
    fs.rmSync(join(dir, 'images/link'))
    fs.symlinkSync('/etc/passwd', join(dir, 'images/link'))
  },
}

for (const [what, change] of Object.entries(CHANGES)) {
  test(`a copy that was changed is left alone and not handed out again: ${what}`, async () => {
    await using space = await bikes()
    const { store } = space
    const first = await store.localPath('bike:v0')
    await settled()
    change(first.path)
    const spoilt = readTree(first.path)
    const second = await store.localPath('bike:v0')
    assert.is.not(second.path, first.path)
    assert.equal(readTree(second.path), readTree(writtenAnew(space)))
    assert.equal(readTree(first.path), spoilt)
    // The other version shares files with the spoilt copy.
    const other = await store.localPath('bike:v1')
    assert.equal(fs.readFileSync(join(other.path, 'a.csv')), CHUNK)
    assert.equal(fs.readFileSync(join(other.path, 'images/large.bin')), LARGE)
    assert.is((await store.localPath('bike:v0')).path, second.path)
    const { copies } = await store.cache.list()
    assert.equal(
      copies.filter(({ altered }) => altered).map(({ path }) => path),
      [first.path],
    )
  })
}

test('a copy that was only touched is read, and handed out again', async () => {
  await using space = await bikes()
  const { path } = await space.store.localPath('bike:v0')
  fs.utimesSync(join(path, 'a.csv'), 1, 1)
  const again = await space.store.localPath('bike:v0')
  assert.equal([again.path, again.cached], [path, true])
})

test('the cache may lie elsewhere, and several stores may share it', async () => {
  await using space = await bikes()
  await using other = await bikes()
  const dir = space.at('shared-cache')
  space.store.settings.set('cache.dir', dir)
  other.store.settings.set('cache.dir', dir)
  const mine = await space.store.localPath('bike:v0')
  const theirs = await other.store.localPath('bike:v0')
  assert.ok(mine.path.startsWith(dir))
  assert.equal([theirs.path, theirs.cached], [mine.path, true])
})

test('a cancelled copy leaves nothing behind', async () => {
  await using space = await bikes()
  const controller = new AbortController()
  const reason = new Error('enough')
  controller.abort(reason)
  const error = await space.store.localPath('bike:v0', { signal: controller.signal }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.is(error, reason)
  const { copies, bytes } = await space.store.cache.list()
  assert.equal([copies, bytes], [[], 0])
  assert.equal(fs.readdirSync(join(space.store.root, 'cache/tmp')), [])
})

test.run()
