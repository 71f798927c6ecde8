import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createStore } from '../../src/store/create.ts'
import { readFormat } from '../../src/store/format.ts'
import { createIo } from '../../src/store/io/io.ts'
import { layoutOf } from '../../src/store/layout.ts'
import { openStore } from '../../src/store/open.ts'
import { readClock } from '../../src/store/workspace/clock.ts'
import { readTree } from '../support/files.ts'
import { throwsCode } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'

const test = suite('create')
const io = createIo({ durability: 'process' })
const OPTIONS = { io, tool: 'test/1', shared: false }

test('a store is its directories, a format, and nothing for git', async () => {
  await using dir = await temporaryDirectory()
  const root = join(dir.path, 'new/folder/.artifacts')
  assert.ok(createStore(root, OPTIONS))
  const layout = layoutOf(root)
  assert.equal(Object.keys(readTree(root)), [
    '.gitignore',
    'bindings',
    'format.json',
    'log',
    'packs',
    'tmp',
  ])
  assert.is(fs.readFileSync(layout.gitignore, 'utf8'), '*\n')
  assert.match(readFormat(layout.format).id, /^[0-9a-f]{32}$/)
  assert.equal(fs.readdirSync(join(dir.path, 'new/folder')), ['.artifacts'])
})

test('where a store is, nothing is changed', async () => {
  await using dir = await temporaryDirectory()
  const root = join(dir.path, '.artifacts')
  createStore(root, OPTIONS)
  const before = readTree(root)
  assert.not.ok(createStore(root, { ...OPTIONS, shared: true }))
  assert.equal(readTree(root), before)
  assert.equal(fs.readdirSync(dir.path), ['.artifacts'])
})

test('a folder that only has the name is not taken', async () => {
  await using dir = await temporaryDirectory()
  const root = join(dir.path, '.artifacts')
  fs.mkdirSync(root)
  fs.writeFileSync(join(root, 'something'), 'else')
  throwsCode(() => createStore(root, OPTIONS), 'ERR_EXISTS')
  assert.equal(fs.readdirSync(dir.path), ['.artifacts'], 'what was built is removed')
  assert.equal(fs.readdirSync(root), ['something'])
})

test('two stores have ids of their own', async () => {
  await using dir = await temporaryDirectory()
  const ids = ['one', 'two'].map((name) => {
    const root = join(dir.path, name, '.artifacts')
    createStore(root, OPTIONS)
    return readFormat(layoutOf(root).format).id
  })
  assert.is.not(ids[0], ids[1])
})

test('the directories of a shared store belong to its group', async () => {
  await using dir = await temporaryDirectory()
  const root = join(dir.path, '.artifacts')
  createStore(root, { ...OPTIONS, shared: true })
  const { packs, log, bindings, tmp } = layoutOf(root)
  for (const path of [root, packs, log, bindings, tmp]) {
    assert.is(fs.statSync(path).mode & 0o7777, 0o2775, path)
  }
})

test('the databases of a shared store can be written by its group', async () => {
  await using dir = await temporaryDirectory()
  const root = join(dir.path, '.artifacts')
  createStore(root, { ...OPTIONS, shared: true })
  const store = await openStore({ root, tool: 'test/1' })
  store.statCache().scan('data', readClock(io, store.layout), { partial: false }).finish()
  store.close()
  const databases = fs.readdirSync(root).filter((name) => name.endsWith('.db'))
  assert.is(databases.length, 2, databases.join())
  for (const name of databases) assert.is(fs.statSync(join(root, name)).mode & 0o660, 0o660, name)
})

test.run()
