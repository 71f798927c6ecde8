import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openStaging, removeTree } from '../../../src/store/checkout/staging.ts'
import { isStagingName } from '../../../src/store/layout.ts'
import { readTree, writeTree } from '../../support/files.ts'
import { openedRoom } from '../commit/opened.ts'

const test = suite('staging')

test('on the store’s file system it is in the store, and goes with what is in it', async () => {
  await using room = await openedRoom()
  const { store } = room
  {
    using staging = openStaging(store, join(room.path, 'new/dir'))
    assert.is(dirname(staging.path), store.layout.tmp)
    const [one, two] = [staging.nextName(), staging.nextName()]
    assert.is.not(one, two)
    assert.is(dirname(one), staging.path)
    writeTree(staging.path, { 'tree/a/b': 'b', '0': 'x', link: { symlink: '/etc' } })
  }
  assert.equal(fs.readdirSync(store.layout.tmp), [])
  assert.not.ok(fs.existsSync(join(room.path, 'new')), 'the way to it is not made yet')
})

test('on another file system it is beside the directory, under a name that no version holds', async () => {
  await using room = await openedRoom()
  await using other = await otherFileSystem(room.path)
  // One file system only: nothing to see.
  if (other === undefined) return
  for (const dir of [join(other.path, 'exists'), join(other.path, 'new')]) {
    if (dir.endsWith('exists')) fs.mkdirSync(dir)
    using staging = openStaging(room.store, dir)
    assert.is(dirname(staging.path), other.path)
    assert.ok(isStagingName(staging.path.slice(other.path.length + 1)))
  }
  assert.equal(fs.readdirSync(other.path), ['exists'])
})

test('what a dead process left is removed, what a living one has is not', async () => {
  await using room = await openedRoom()
  const { tmp } = room.store.layout
  using mine = openStaging(room.store, join(room.path, 'one'))
  const dead = mine.path.replace(/\.\d+\.(\d+)\.([0-9a-f]+)$/, '.999999999.$1.$2')
  writeTree(dead, { 'tree/a': 'a' })
  // Files in tmp/ are of others, who tidy up for themselves.
  fs.writeFileSync(join(tmp, 'some file'), '')
  using second = openStaging(room.store, join(room.path, 'two'))
  assert.equal(
    fs.readdirSync(tmp).sort(),
    [mine.path, second.path, join(tmp, 'some file')]
      .map((path) => path.slice(tmp.length + 1))
      .sort(),
  )
})

test('removing a tree follows no link', async () => {
  await using room = await openedRoom()
  const keep = room.write('keep', { a: 'a' })
  const tree = room.write('tree', { 'b/c': 'c', link: { symlink: '../keep' }, empty: null })
  fs.symlinkSync('../../keep', join(tree, 'b/link'))
  removeTree(room.store.io, tree)
  removeTree(room.store.io, tree)
  assert.not.ok(fs.existsSync(tree))
  assert.equal(readTree(keep), { a: 'a' })
})

/** A folder on another file system than `path`; undefined where there is none. */
async function otherFileSystem(
  path: string,
): Promise<({ readonly path: string } & AsyncDisposable) | undefined> {
  const { dev } = fs.statSync(path)
  for (const place of ['/tmp', '/var/tmp', '/dev/shm', '.']) {
    if (fs.statSync(place, { throwIfNoEntry: false })?.dev === dev || !fs.existsSync(place))
      continue
    const folder = fs.mkdtempSync(join(fs.realpathSync(place), 'artifacts-'))
    return {
      path: folder,
      [Symbol.asyncDispose]: () => Promise.resolve(fs.rmSync(folder, { recursive: true })),
    }
  }
  return undefined
}

test.run()
