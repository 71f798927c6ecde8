import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Folders, parentOf } from '../../../src/store/checkout/folders.ts'
import { countCalls } from '../../support/crash.ts'
import { readTree, writeTree } from '../../support/files.ts'
import { throwsCode } from '../../support/rejects.ts'
import { openedRoom } from '../commit/opened.ts'

const test = suite('folders')

test('a directory is made with those above it, once', async () => {
  await using room = await openedRoom()
  const root = join(room.path, 'way/to/root')
  const folders = new Folders(room.store, root)
  folders.make('')
  folders.make('a/b/c')
  assert.equal(readTree(root), { 'a/b/c': null })
  const calls = await countCalls(() => {
    folders.make('a/b/c')
    folders.make('a/b')
    folders.make('a/x')
  })
  assert.equal(
    calls.map(({ kind, path }) => [kind, path]),
    [['mkdir', join(root, 'a/x')]],
  )
})

test('what is there already is used; a file or link in the way is not', async () => {
  await using room = await openedRoom()
  const outside = room.write('outside', { keep: 'me' })
  const root = room.write('root', { 'there/a': 'a', file: 'f', link: { symlink: '../outside' } })
  const folders = new Folders(room.store, root)
  folders.make('there/b')
  for (const path of ['file', 'file/x', 'link', 'link/x']) {
    const error = throwsCode(() => folders.make(path), 'ERR_WOULD_OVERWRITE')
    assert.match(error.message, path.split('/')[0] as string)
  }
  assert.equal(readTree(outside), { keep: 'me' })
  assert.equal(Object.keys(readTree(root)), ['file', 'link', 'there/a', 'there/b'])
})

test('the root itself may be a link', async () => {
  await using room = await openedRoom()
  const root = room.write('root', {})
  writeTree(room.path, { link: { symlink: 'root' } })
  new Folders(room.store, join(room.path, 'link')).make('a')
  assert.ok(fs.existsSync(join(root, 'a')))
})

test('the parent of a path is what stands before its last part', () => {
  assert.equal(['a/b/c', 'a/b', 'a', ''].map(parentOf), ['a/b', 'a', '', ''])
})

test.run()
