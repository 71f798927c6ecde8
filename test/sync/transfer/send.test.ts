import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tableEntries } from '../../../src/store/object/pack.ts'
import type { OpenedStore } from '../../../src/store/opened.ts'
import type { WantedVersion } from '../../../src/sync/transfer/missing-there.ts'
import { planSend } from '../../../src/sync/transfer/plan-send.ts'
import type { ObjectId } from '../../../src/types.ts'
import { openedRoom } from '../../store/commit/opened.ts'
import { seededRandom } from '../../support/random.ts'
import { type Pushed, TestRemote } from './remote.ts'
import { objectsOf, someFiles, wanted } from './versions.ts'

const test = suite('sending')
const random = seededRandom(3)

test('a first push sends every object of the version and nothing else', async () => {
  await using room = await openedRoom()
  const first = await room.commit(room.write('a', someFiles(random, 40)))
  await room.commit(room.write('b', someFiles(random, 10)), { name: 'secret' })
  const version = wanted(first)
  const remote = new TestRemote()
  const pushed = await remote.push(room.store, [version])
  assert.equal(contents(pushed), [...objectsOf(room.store, version)].sort())
  assert.is(pushed.plan.objects, contents(pushed).length)
  assertClosure(remote, room.store, version, pushed)
  assert.equal(readdirSync(room.store.layout.tmp), [])
  // A small version is one pack, and its table is in the index pack.
  assert.equal(
    pushed.packs.map(({ kind }) => kind),
    ['mixed', 'index'],
  )
})

test('a second push sends what is new, and names the packs where the rest lies', async () => {
  await using room = await openedRoom()
  const files = someFiles(random, 40)
  const first = wanted(await room.commit(room.write('a', files)))
  const second = wanted(await room.commit(room.write('a', { f3: random.bytes(9000) })))
  const remote = new TestRemote()
  const before = await remote.push(room.store, [first])
  const pushed = await remote.push(room.store, [second])
  const old = objectsOf(room.store, first)
  const fresh = [...objectsOf(room.store, second)].filter((id) => !old.has(id)).sort()
  assert.equal(contents(pushed), fresh)
  assert.ok(fresh.length < 6)
  assertClosure(remote, room.store, second, pushed)
  assert.equal([...pushed.plan.relied], [before.packs[0]?.id])
  const again = await remote.push(room.store, [first, second])
  assert.equal(again.packs, [])
  assertClosure(remote, room.store, first, again)
  assertClosure(remote, room.store, second, again)
})

test('a large pack goes as it is', async () => {
  await using room = await openedRoom()
  const dir = room.write('a', { large: randomBytes(9 << 20) })
  const version = wanted(await room.commit(dir, { jobs: 0 }))
  const remote = new TestRemote()
  const pushed = await remote.push(room.store, [version])
  const [data, ...others] = pushed.packs
  assert.ok(readdirSync(room.store.layout.packs).includes(`${data?.id}.pack`))
  assert.equal(
    others.map(({ kind }) => kind),
    ['meta', 'index'],
  )
  assertClosure(remote, room.store, version, pushed)
})

test('a large pack does not go as it is if it holds what nobody asked for', async () => {
  await using room = await openedRoom()
  const asked = randomBytes(9 << 20)
  await room.commit(room.write('a', { asked, secret: random.bytes(500_000) }), { jobs: 0 })
  const result = await room.commit(room.write('b', { asked }), { name: 'part', jobs: 0 })
  const remote = new TestRemote()
  const pushed = await remote.push(room.store, [wanted(result)])
  assert.equal(contents(pushed), [...objectsOf(room.store, wanted(result))].sort())
  assertClosure(remote, room.store, wanted(result), pushed)
})

test('a pack id that the receiver dropped is not sent again', async () => {
  await using room = await openedRoom()
  const dir = room.write('a', { large: randomBytes(9 << 20) })
  const version = wanted(await room.commit(dir, { jobs: 0 }))
  const remote = new TestRemote()
  const pushed = await remote.push(room.store, [version])
  for (const { id } of pushed.packs) remote.dropped.add(id)
  const again = await remote.push(room.store, [version])
  assert.equal(contents(again), contents(pushed))
  assert.not.ok(again.packs.some(({ id }) => remote.dropped.has(id)))
  assertClosure(remote, room.store, version, again)
})

test('what versions share is sent once, and each knows where all of it lies', async () => {
  await using room = await openedRoom()
  room.write('a', someFiles(random, 60))
  const versions: WantedVersion[] = []
  for (let i = 0; i < 5; i++) {
    versions.push(
      wanted(
        await room.commit(
          room.write('a', { [`f${i}`]: random.bytes(500), [`g${i}`]: random.bytes(400_000) }),
        ),
      ),
    )
  }
  const remote = new TestRemote()
  const pushed = await remote.push(room.store, versions)
  const all = new Set(versions.flatMap((version) => [...objectsOf(room.store, version)]))
  assert.equal(contents(pushed), [...all].sort())
  for (const version of versions) assertClosure(remote, room.store, version, pushed)
  assert.is((await planSend(room.store, remote, versions)).objects, 0)
})

/** The ids of what was sent, without index packs; asserts that nothing was sent twice. */
function contents({ packs }: Pushed): ObjectId[] {
  const ids: ObjectId[] = []
  for (const { kind, table } of packs) {
    if (kind === 'index') continue
    const count = table.readUInt32LE(4)
    const entries = tableEntries({ bytes: table, offset: 0, salt: 0, count })
    ids.push(...entries.map(({ id }) => id.toString('hex') as ObjectId))
  }
  assert.is(new Set(ids).size, ids.length)
  return ids.sort()
}

function assertClosure(
  remote: TestRemote,
  store: OpenedStore,
  version: WantedVersion,
  { closures }: Pushed,
): void {
  const exact = new Set(
    [...objectsOf(store, version)].map((id) => remote.packOf(Buffer.from(id, 'hex'))),
  )
  assert.equal(closures.get(version.id), { packs: [...exact].sort() })
}

test.run()
