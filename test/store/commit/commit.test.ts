import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { verifyStored } from '../../../src/store/verify.ts'
import { seededRandom } from '../../support/random.ts'
import { openedRoom, type Room } from './opened.ts'

const test = suite('commit')

function files({ store }: Room, folder: 'packs' | 'log' | 'tmp'): string[] {
  return fs.readdirSync(store.layout[folder])
}

test('a commit of one file makes one pack and one operation', async () => {
  await using room = await openedRoom()
  await room.commit(room.write('data', { a: 'a'.repeat(1000) }))
  assert.is(files(room, 'packs').length, 1)
  assert.is(files(room, 'log').length, 1)
  assert.equal(files(room, 'tmp'), [])
})

test('content that a cache remembers but the store has lost is read again', async () => {
  await using room = await openedRoom()
  const { layout, index } = room.store
  const random = seededRandom(1)
  const dir = room.write('data', {
    small: random.bytes(1000),
    chunked: random.bytes(400_000),
    large: random.bytes(5 << 20),
  })
  await setTimeout(60)
  await room.commit(dir)
  // As when a backup from before that commit is put back, which holds no caches.
  for (const folder of ['packs', 'log'] as const) {
    for (const name of files(room, folder)) fs.rmSync(join(layout[folder], name))
  }
  index.refresh()
  const again = await room.commit(dir)
  assert.is(again.outcome.kind, 'created')
  assert.ok(again.storedBytes > 5 << 20)
  assert.equal((await verifyStored(room.store, again.object.root)).damage, new Map())
})

test('a version before that is damaged does not keep a good one from being stored', async () => {
  await using room = await openedRoom()
  const dir = room.write('data', { a: 'a'.repeat(1000), b: 'b'.repeat(1000) })
  await room.commit(dir)
  for (const name of files(room, 'packs')) fs.writeFileSync(join(room.store.layout.packs, name), '')
  fs.writeFileSync(join(dir, 'a'), 'c'.repeat(1000))
  const { outcome, changes } = await room.commit(dir)
  assert.is(outcome.kind, 'created')
  assert.is(changes, undefined)
})

test('versions with the same time and content get times of their own', async () => {
  await using room = await openedRoom()
  const dir = room.write('data', { a: 'a' })
  const results = await Promise.all(
    Array.from({ length: 5 }, () => room.commit(dir, { reuse: 'never' })),
  )
  const ids = results.map(({ outcome }) => (outcome.kind === 'taken' ? '' : outcome.version))
  assert.is(new Set(ids).size, 5)
  const roots = results.map(({ object }) => object.root)
  assert.is(new Set(roots).size, 1)
})

test('metadata of a large commit has packs of its own', async () => {
  await using room = await openedRoom()
  const random = seededRandom(4)
  const names = Array.from({ length: 3000 }, (_, index) => [`${index}`, random.bytes(400)])
  const dir = room.write('data', Object.fromEntries(names))
  const { storedBytes } = await room.commit(dir, { jobs: 0 })
  assert.is(files(room, 'packs').length, 2)
  const sizes = files(room, 'packs').map(
    (name) => fs.statSync(join(room.store.layout.packs, name)).size,
  )
  assert.is((sizes[0] as number) + (sizes[1] as number), storedBytes)
})

test.run()
