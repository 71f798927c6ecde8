/** A directory that is watched: what becomes a version and what does not, whatever happens in it. */
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WatchOptions } from '../../src/index.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { textOf, Watching } from './watching.ts'
import { pathsOf, workspace } from './workspace.ts'

const test = suite('watch')

test('stores the directory at the start, and again when something has changed', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: 'a' })
  await using watching = new Watching(ws.store, dir, { type: 'model', tags: ['seen'] })
  await watching.version(0)
  ws.write('data', { b: 'b' })
  await watching.version(1)
  ws.write('data', { 'new/deep/c': 'c' })
  await watching.version(2)
  ws.write('data', { 'new/deep/d': 'd' })
  await watching.version(3)
  fs.rmSync(join(dir, 'a'))
  fs.chmodSync(join(dir, 'b'), 0o755)
  await watching.version(4)
  assert.equal(pathsOf(ws.store, 'data:v4'), ['b', 'new/deep/c', 'new/deep/d'])
  assert.equal(ws.store.version('data').tags, ['seen'])
  assert.is(ws.store.version('data').type, 'model')
  assert.is(ws.store.binding(dir)?.number, 4)
  assert.equal(watching.events[0], { type: 'watching', dir, artifact: 'data', settle: 200 })
})

test('what is gone again before all is quiet is not stored, and nothing new is no version', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: 'a' })
  await using watching = new Watching(ws.store, dir, { settle: 400 })
  await watching.version(0)
  for (let index = 0; index < 10; index++) {
    ws.write('data', { brief: `${index}` })
    await sleep(50)
  }
  fs.rmSync(join(dir, 'brief'))
  fs.utimesSync(join(dir, 'a'), 1, 1)
  await sleep(900)
  ws.write('data', { b: 'b' })
  await watching.version(1)
  assert.equal(pathsOf(ws.store, 'data:v1'), ['a', 'b'])
})

test('ignored files, `.git` and the store start nothing', async () => {
  await using ws = await workspace()
  ws.write('.', { '.artifactsignore': '*.log\ncache/\n', 'data/a': 'a', '.git/HEAD': 'x' })
  await using watching = new Watching(ws.store, ws.path, { name: 'all' })
  await watching.version(0)
  const before = fs.readdirSync(join(ws.store.root, 'log')).length
  const ended = Date.now() + 1300
  for (let index = 0; Date.now() < ended; index++) {
    ws.write('.', { 'data/x.log': `${index}`, 'cache/x': `${index}`, '.git/HEAD': `${index}` })
    if (index === 3) ws.write('.', { 'data/b': 'b' })
    await sleep(60)
  }
  // Not put off by what is ignored.
  assert.equal(watching.versions, ['all:v0', 'all:v1'])
  assert.is(fs.readdirSync(join(ws.store.root, 'log')).length, before + 1)
  assert.equal(pathsOf(ws.store, 'all'), ['.artifactsignore', 'data/a', 'data/b'])
})

test('what is ignored no longer is watched', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { '.artifactsignore': 'cache/\n', 'sub/cache/a': 'a' })
  await using watching = new Watching(ws.store, dir)
  await watching.version(0)
  fs.rmSync(join(dir, '.artifactsignore'))
  await watching.version(1)
  ws.write('data', { 'sub/cache/b': 'b' })
  const began = performance.now()
  await watching.version(2)
  // Long before the look that would find it without being told.
  assert.ok(performance.now() - began < 8000)
  assert.equal(pathsOf(ws.store, 'data'), ['sub/cache/a', 'sub/cache/b'])
})

test('a directory that never rests: what stands still is stored, what is changing stays as it was', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { busy: 'old', gone: 'gone' })
  await using watching = new Watching(ws.store, dir)
  await watching.version(0)
  ws.write('data', { quiet: 'new' })
  fs.rmSync(join(dir, 'gone'))
  let isOver = false
  const writing = (async () => {
    for (let index = 0; !isOver; index++) {
      fs.writeFileSync(join(dir, 'busy'), `${index}`)
      if (index === 5) fs.writeFileSync(join(dir, 'busy-and-new'), '')
      if (index > 5) fs.appendFileSync(join(dir, 'busy-and-new'), '.')
      await sleep(20)
    }
  })()
  try {
    await watching.version(1)
  } finally {
    isOver = true
    await writing
  }
  assert.equal(pathsOf(ws.store, 'data:v1'), ['busy', 'quiet'])
  assert.is(await textOf(ws, 'data:v1', 'busy'), 'old')
  const event = watching.events.find(
    (each) => each.type === 'version' && each.report.ref.endsWith('v1'),
  )
  assert.equal(event?.type === 'version' && event.report.changing, ['busy', 'busy-and-new'])
  // When it rests all is stored.
  await watching.version(2)
  await ws.store.download('data:v2', ws.at('copy'))
  assert.equal(readTree(ws.at('copy')), readTree(dir))
})

test('a directory that vanishes makes no version, and one in its place is watched', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: 'a' })
  await using watching = new Watching(ws.store, dir)
  await watching.version(0)
  fs.renameSync(dir, ws.at('away'))
  await watching.until(() => watching.has('gone'), 'gone')
  await sleep(600)
  assert.is(watching.versions.length, 1)
  ws.write('data', { b: 'b' })
  await watching.until(() => watching.has('back'), 'back')
  await watching.version(1)
  assert.equal(pathsOf(ws.store, 'data:v1'), ['b'])
  // At once, without a moment in which there is none.
  fs.symlinkSync('away', ws.at('link'))
  ws.write('away', { c: 'c' })
  fs.renameSync(dir, ws.at('other'))
  fs.renameSync(ws.at('away'), dir)
  await watching.version(2)
  assert.equal(pathsOf(ws.store, 'data:v2'), ['a', 'c'])
  ws.write('data', { d: 'd' })
  await watching.version(3)
  fs.rmSync(dir, { recursive: true })
  await sleep(900)
  assert.is(watching.versions.length, 4)
})

test('what can not be stored is told once, and stored when it can be', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: 'a', '.env': 'KEY=1' })
  await using watching = new Watching(ws.store, dir)
  await watching.until(() => watching.has('refused'), 'refused')
  await sleep(1000)
  assert.is(watching.events.filter(({ type }) => type === 'refused').length, 1)
  fs.rmSync(join(dir, '.env'))
  await watching.version(0)
  assert.equal(pathsOf(ws.store, 'data'), ['a'])
})

test('the end stores what has come to rest, and that alone', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: 'a', b: 'b' })
  const watching = new Watching(ws.store, dir, { settle: 500 })
  await watching.version(0)
  ws.write('data', { a: 'at rest' })
  const until = Date.now() + 900
  for (let index = 0; Date.now() < until; index++) {
    ws.write('data', { b: `not at rest ${index}` })
    await sleep(50)
  }
  assert.is(watching.versions.length, 1)
  await watching.stop()
  assert.equal(watching.versions, ['data:v0', 'data:v1'])
  assert.is(await textOf(ws, 'data:v1', 'a'), 'at rest')
  assert.is(await textOf(ws, 'data:v1', 'b'), 'b')
})

test('what is no directory, or can not be named so, is refused at once', async () => {
  await using ws = await workspace()
  const file = join(ws.write('data', { a: 'a' }), 'a')
  const first = (dir: string, options?: WatchOptions): Promise<unknown> =>
    ws.store.watch(dir, options).next()
  await rejects(first(ws.at('none')), 'ERR_NOT_FOUND')
  await rejects(first(file), 'ERR_NOT_FOUND')
  await rejects(first(ws.at('data'), { name: 'a b' }), 'ERR_INVALID_NAME')
  await rejects(first(ws.at('data'), { settle: 'soon' }), 'ERR_USAGE')
  await rejects(first(ws.at('data'), { aliases: ['v1'] }), 'ERR_INVALID_NAME')
})

test.run()
