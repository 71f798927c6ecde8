import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { databaseDirectory, fileMark, hasMark } from '../../../src/store/index/place.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('place of the index')

const io = createIo({ durability: 'process' })

test('is the store, where that can be written', async () => {
  await using directory = await temporaryDirectory()
  await using cache = await temporaryDirectory()
  assert.is(databaseDirectory(io, directory.path, 'id', cache.path), directory.path)
  assert.equal(readdirSync(cache.path), [])
})

test('is one folder for each store and host in the cache, where it cannot', async () => {
  await using cache = await temporaryDirectory()
  // What the kernel provides can be written by nobody.
  const root = '/proc/self'
  if (!existsSync(root)) return
  const first = databaseDirectory(io, root, 'one', cache.path)
  assert.ok(first?.startsWith(join(cache.path, 'stores', 'one-')))
  assert.ok(existsSync(first ?? ''))
  assert.is.not(databaseDirectory(io, root, 'two', cache.path), first)
  assert.is(databaseDirectory(io, root, 'one', undefined), undefined)
})

test('is memory, where the cache cannot be written either', async () => {
  if (!existsSync('/proc/self')) return
  assert.is(databaseDirectory(io, '/proc/self', 'one', '/dev/null/cache'), undefined)
})

test('tells a file from its copies, through all that is written to it', async () => {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'a')
  writeFileSync(path, 'x')
  await setTimeout(20)
  appendFileSync(path, 'y')
  const mark = fileMark(directory.path, path)
  appendFileSync(path, 'z')
  chmodSync(path, 0o600)
  assert.ok(hasMark(path, mark))
  const copy = join(directory.path, 'b')
  copyFileSync(path, copy)
  assert.not.ok(hasMark(copy, mark))
  assert.ok(hasMark(copy, ''))
})

test.run()
