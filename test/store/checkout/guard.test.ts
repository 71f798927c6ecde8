import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { guardWrites, holds } from '../../../src/store/checkout/guard.ts'
import { type CheckoutPlan, emptyPlan } from '../../../src/store/checkout/plan.ts'
import { nodeReader } from '../../../src/store/opened.ts'
import { entries } from '../../../src/store/tree/cursor.ts'
import type { Entry, ObjectId } from '../../../src/types.ts'
import { type Tree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { openedRoom, type Room } from '../commit/opened.ts'

const test = suite('guard')

interface Version {
  readonly root: ObjectId
  readonly entries: readonly Entry[]
}

async function version(room: Room, tree: Tree): Promise<Version> {
  const dir = fs.mkdtempSync(join(room.path, 'data-'))
  writeTree(dir, tree)
  const { object } = await room.commit(dir)
  return { root: object.root, entries: [...entries(nodeReader(room.store), object.root)] }
}

/** A plan to write all of a version into a directory, as a walk made it that saw nothing there but what goes. */
function guarded(
  { store }: Room,
  dir: string,
  wanted: Version,
  { bound, remove = [] }: { readonly bound?: ObjectId; readonly remove?: readonly Entry[] } = {},
): CheckoutPlan {
  const plan = { ...emptyPlan(), write: [...wanted.entries], remove: [...remove] }
  const request = {
    ref: 'a:v0',
    root: wanted.root,
    dir,
    force: false,
    dryRun: false,
    paths: [],
    ...(bound === undefined ? {} : { bound }),
  }
  guardWrites(store, request, plan)
  return plan
}

function facts(plan: CheckoutPlan): Record<string, unknown> {
  const { lost, blocked, replaced, unchanged } = plan
  return {
    write: plan.write.map(({ path }) => path),
    lost,
    blocked,
    replaced: [...replaced],
    unchanged,
  }
}

test('where nothing is, all is written', async () => {
  await using room = await openedRoom()
  const wanted = await version(room, { a: 'a', 'b/c': 'c', d: null })
  const dir = room.write('dir', {})
  assert.equal(facts(guarded(room, dir, wanted)), {
    write: ['a', 'b/c', 'd'],
    lost: [],
    blocked: [],
    replaced: [],
    unchanged: 0,
  })
})

test('what no walk has seen and is as wanted stays; what differs would be lost', async () => {
  await using room = await openedRoom()
  const tree = {
    same: 'x'.repeat(100),
    mode: 'x',
    other: 'wanted',
    link: { symlink: 'a' },
    d: null,
  }
  const wanted = await version(room, tree)
  const dir = room.write('dir', {
    ...tree,
    mode: { content: 'x', mode: 0o755 },
    other: 'ignored',
  })
  assert.equal(facts(guarded(room, dir, wanted)), {
    write: ['mode', 'other'],
    lost: ['mode', 'other'],
    blocked: [],
    replaced: ['mode', 'other'],
    unchanged: 3,
  })
})

test('what is as in the version that was there before may be replaced', async () => {
  await using room = await openedRoom()
  const before = await version(room, { a: 'before', b: 'before' })
  const wanted = await version(room, { a: 'wanted', b: 'wanted' })
  const dir = room.write('dir', { a: 'before', b: 'neither' })
  const { lost, replaced } = guarded(room, dir, wanted, { bound: before.root })
  assert.equal(lost, ['b'])
  assert.equal([...replaced], ['a', 'b'])
})

test('a file or link on the way to what is written is in the way, unless it goes', async () => {
  await using room = await openedRoom()
  room.write('outside', { x: 'theirs' })
  const wanted = await version(room, { 'file/x': 'x', 'link/x': 'theirs', 'link/y/z': 'z' })
  const there = { file: 'f', link: { symlink: '../outside' } }
  const dir = room.write('dir', there)
  const blocked = guarded(room, dir, wanted)
  assert.equal([...blocked.blocked].sort(), ['file', 'link'])
  const goes = await version(room, there)
  const free = facts(guarded(room, dir, wanted, { remove: goes.entries }))
  assert.equal([free['blocked'], free['lost'], free['unchanged']], [[], [], 0])
  assert.equal(
    free['write'],
    ['file/x', 'link/x', 'link/y/z'],
    'nothing is looked up behind a link',
  )
})

test('a directory is in the way of a file while something in it stays', async () => {
  await using room = await openedRoom()
  const wanted = await version(room, { d: 'a file', e: { symlink: 'x' } })
  const old = await version(room, { 'd/a': 'a', 'd/b/c': 'c', 'e/f': 'f' })
  const dir = room.write('dir', { 'd/a': 'a', 'd/b/c': 'c', 'd/empty': null, 'e/f': 'f' })
  assert.equal(guarded(room, dir, wanted, { remove: old.entries }).blocked, [])
  fs.writeFileSync(join(dir, 'd/b/ignored'), '')
  assert.equal(guarded(room, dir, wanted, { remove: old.entries }).blocked, ['d'])
  assert.equal([...guarded(room, dir, wanted).blocked].sort(), ['d', 'e'])
})

test('a directory that is to be empty is written again when all in it goes', async () => {
  await using room = await openedRoom()
  const wanted = await version(room, { d: null, e: null })
  const old = await version(room, { 'd/a': 'a', e: null })
  const dir = room.write('dir', { 'd/a': 'a', e: null })
  const { write, unchanged } = guarded(room, dir, wanted, { remove: [old.entries[0] as Entry] })
  assert.equal(
    write.map(({ path }) => path),
    ['d'],
  )
  assert.is(unchanged, 1)
})

test('a file holds an entry when its bytes are those, whatever their number', async () => {
  await using room = await openedRoom()
  const random = seededRandom(1)
  for (const size of [0, 64, 65, 262_144, 262_145, 3 << 20]) {
    const bytes = random.bytes(size)
    const [entry] = (await version(room, { a: bytes })).entries as [Entry]
    const file = `${room.write(`dir-${size}`, { a: bytes })}/a`
    const isHeld = (): boolean => holds(room.store, entry, file, fs.lstatSync(file))
    assert.ok(isHeld(), `${size} bytes`)
    fs.appendFileSync(file, 'x')
    assert.not.ok(isHeld(), `${size} bytes and one`)
    if (size === 0) continue
    bytes[size - 1] = (bytes[size - 1] as number) ^ 1
    fs.writeFileSync(file, bytes)
    assert.not.ok(isHeld(), `${size} bytes, the last one different`)
    fs.rmSync(file)
    fs.symlinkSync('a', file)
    assert.not.ok(isHeld(), 'a link')
  }
})

test.run()
