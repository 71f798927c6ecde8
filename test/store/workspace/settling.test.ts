import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FileStat } from '../../../src/store/ingest/protocol.ts'
import { identityOf, Settling, StillChanging } from '../../../src/store/workspace/settling.ts'
import type { EntryPath } from '../../../src/types.ts'
import { writeTree } from '../../support/files.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('workspace/settling')
const at = (path: string): EntryPath => path as EntryPath
const statOf = (file: string): FileStat => fs.lstatSync(file)

test('a file stands still when nothing has touched it for as long as is asked', async () => {
  await using dir = await temporaryDirectory()
  writeTree(dir.path, { old: 'a', new: 'b', moved: 'c', mode: 'd', dated: 'e' })
  await sleep(400)
  const file = (name: string): string => join(dir.path, name)
  fs.appendFileSync(file('new'), 'b')
  fs.renameSync(file('moved'), file('here'))
  fs.chmodSync(file('mode'), 0o755)
  fs.utimesSync(file('dated'), 0, 0)
  const settling = new Settling(dir.path, 300)
  const look = settling.look({ isPartial: true })
  const settled = ['old', 'new', 'here', 'mode', 'dated'].filter((name) =>
    look.isSettled(at(name), statOf(file(name))),
  )
  assert.equal(settled, ['old'])
  await sleep(350)
  const later = settling.look({ isPartial: true })
  assert.ok(later.isSettled(at('new'), statOf(file('new'))))
})

test('where clocks differ, a file stands still when it was seen to be the same for as long', async () => {
  await using dir = await temporaryDirectory()
  const settling = new Settling(dir.path, 100)
  const stat = { size: 1, ino: 1, mtimeMs: Date.now() + 3.6e6, ctimeMs: Date.now() + 3.6e6 }
  const look = (now: FileStat): boolean =>
    settling.look({ isPartial: true }).isSettled(at('a'), now)
  assert.not(look(stat))
  await sleep(120)
  assert.not(look({ ...stat, size: 2 }))
  await sleep(120)
  assert.ok(look({ ...stat, size: 2 }))
})

test('what is in a directory that was moved is as new as its place', async () => {
  await using dir = await temporaryDirectory()
  writeTree(dir.path, { 'a/sub/x': 'x', 'b/y': 'y' })
  await sleep(400)
  fs.renameSync(join(dir.path, 'a'), join(dir.path, 'c'))
  const look = new Settling(dir.path, 300).look({ isPartial: true })
  const isSettled = (path: string): boolean =>
    look.isSettled(at(path), statOf(join(dir.path, path)))
  assert.equal([isSettled('c/sub/x'), isSettled('b/y')], [false, true])
})

test('what was removed a moment ago is going; what went before, or is something else now, is gone', async () => {
  await using dir = await temporaryDirectory()
  writeTree(dir.path, {
    'old/a': '',
    'old/b': '',
    'new/a': '',
    'new/b': '',
    kind: '',
    'deep/x/y': '',
  })
  fs.rmSync(join(dir.path, 'old/a'))
  await sleep(400)
  fs.rmSync(join(dir.path, 'new/a'))
  fs.rmSync(join(dir.path, 'kind'))
  fs.mkdirSync(join(dir.path, 'kind'))
  fs.rmSync(join(dir.path, 'deep/x'), { recursive: true })
  const settling = new Settling(dir.path, 300)
  const look = settling.look({ isPartial: true })
  assert.not(look.isGoing(at('old/a')))
  assert.not(look.isGoing(at('kind')))
  assert.not(look.isGoing(at('new/b/c')))
  fs.symlinkSync('new', join(dir.path, 'link'))
  assert.not(look.isGoing(at('link/a')))
  assert.not(settling.isWaiting)
  assert.ok(look.isGoing(at('new/a')))
  assert.ok(look.isGoing(at('deep/x/y')))
  assert.ok(settling.isWaiting)
  assert.throws(() => settling.look({ isPartial: false }).isGoing(at('new/a')), isStill)
})

test('a look is void when files are changing and none may, and when the directory is another', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'd')
  fs.mkdirSync(path)
  const settling = new Settling(path, 100)
  settling.look({ isPartial: false }).check(new Set())
  settling.look({ isPartial: true }).check(new Set(['a']))
  assert.ok(settling.isWaiting)
  assert.throws(() => settling.look({ isPartial: false }).check(new Set(['a'])), isStill)
  const look = settling.look({ isPartial: true })
  const before = identityOf(path)
  fs.renameSync(path, join(dir.path, 'e'))
  assert.throws(() => look.check(new Set()), isStill)
  fs.mkdirSync(path)
  assert.throws(() => look.check(new Set()), isStill)
  assert.is.not(identityOf(path), before)
  assert.is(identityOf(join(dir.path, 'none')), undefined)
})

const isStill = (error: unknown): boolean => error instanceof StillChanging

test.run()
