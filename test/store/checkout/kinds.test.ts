import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { readTree, shownTree, type Tree, writeTree } from '../../support/files.ts'
import { rejects } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('paths that change their kind')

test('a file becomes a directory and a directory a file, and back', async () => {
  await using dir = await temporaryDirectory()
  const first: Tree = { a: 'file', 'b/one': '1', 'b/two/three': '3' }
  const second: Tree = { 'a/one/two': 'below', b: 'file' }
  using store = await storeOf(dir.path, first, second)
  const out = join(dir.path, 'out')
  for (const [ref, tree] of [
    ['x:v0', first],
    ['x:v1', second],
    ['x:v0', first],
  ] as const) {
    await store.checkout(ref, out)
    assert.equal(readTree(out), shownTree(tree))
  }
})

test('a symlink becomes a directory: what it led to is neither touched nor taken for what belongs there', async () => {
  await using dir = await temporaryDirectory()
  const outside = { same: 'as in the version', other: 'not as in the version' }
  writeTree(join(dir.path, 'outside'), outside)
  const second = { 'link/same': 'as in the version', 'link/other': 'what the version has' }
  using store = await storeOf(dir.path, { link: { symlink: '../outside' } }, second)
  const out = join(dir.path, 'out')
  await store.checkout('x:v0', out)
  await store.checkout('x:v1', out)
  assert.equal(readTree(out), shownTree(second))
  assert.equal(readTree(join(dir.path, 'outside')), outside)
})

test('a symlink that is in neither version is not followed, and not lost', async () => {
  await using dir = await temporaryDirectory()
  writeTree(join(dir.path, 'outside'), { file: 'theirs' })
  using store = await storeOf(dir.path, { a: 'a' }, { a: 'a', 'mine/file': 'new' })
  const out = join(dir.path, 'out')
  await store.checkout('x:v0', out)
  fs.symlinkSync('../outside', join(out, 'mine'))
  const error = await rejects(store.checkout('x:v1', out), 'ERR_WOULD_OVERWRITE')
  assert.match(error.message, '"mine"')
  assert.equal(readTree(out), { a: 'a', mine: { symlink: '../outside' } })
  assert.equal(readTree(join(dir.path, 'outside')), { file: 'theirs' })
})

test('a damaged note of what a directory holds does not keep a version from being checked out', async () => {
  await using dir = await temporaryDirectory()
  const versions = [{ a: 'one' }, { a: 'one', b: 'two' }, { a: 'other' }]
  using store = await storeOf(dir.path, ...versions)
  const out = join(dir.path, 'out')
  await store.checkout('x:v0', out)
  for (const name of fs.readdirSync(join(store.root, 'bindings'))) {
    fs.writeFileSync(join(store.root, 'bindings', name), '')
  }
  await store.checkout('x:v1', out)
  assert.equal(readTree(out), { a: 'one', b: 'two' })
  assert.is(store.binding(out)?.number, 1)
})

/** A store whose artifact `x` has these versions. */
async function storeOf(workspace: string, ...versions: readonly Tree[]): Promise<Store> {
  const { store } = await Store.init(workspace)
  const data = join(workspace, 'data')
  for (const tree of versions) {
    fs.rmSync(data, { recursive: true, force: true })
    writeTree(data, tree)
    await store.commit([data], { name: 'x' })
  }
  return store
}

test.run()
