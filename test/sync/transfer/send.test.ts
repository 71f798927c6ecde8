import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { copyRecords } from '../../../src/store/gc/copy.ts'
import { commitOperation } from '../../../src/store/index/commit-point.ts'
import { namedPacks } from '../../../src/store/index/pack-rows.ts'
import { packPath } from '../../../src/store/layout.ts'
import type { OpenedStore } from '../../../src/store/opened.ts'
import { readClosureList, readIndexPack } from '../../../src/sync/transfer/index-pack.ts'
import type { WantedVersion } from '../../../src/sync/transfer/missing-there.ts'
import {
  type OutgoingPack,
  outgoingPacks,
  StalePlanError,
} from '../../../src/sync/transfer/outgoing.ts'
import { planSend } from '../../../src/sync/transfer/plan-send.ts'
import type { ObjectId } from '../../../src/types.ts'
import { openedRoom } from '../../store/commit/opened.ts'
import { seededRandom } from '../../support/random.ts'
import { rejects } from '../../support/rejects.ts'
import { join } from './joined.ts'
import { type Pushed, TestRemote } from './remote.ts'
import { contentsOf, manyFiles, objectsOf, someFiles, wanted } from './versions.ts'

const test = suite('sending')
const random = seededRandom(3)

test('a first push sends every object of the version and nothing else', async () => {
  await using room = await openedRoom()
  const first = await room.commit(room.write('a', someFiles(random, 40)))
  await room.commit(room.write('b', someFiles(random, 10)), { name: 'secret' })
  const version = wanted(first)
  const remote = new TestRemote()
  const pushed = await remote.push(room.store, [version])
  assert.equal(contentsOf(pushed.packs), [...objectsOf(room.store, version)].sort())
  assert.is(pushed.plan.objects, contentsOf(pushed.packs).length)
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
  assert.equal(contentsOf(pushed.packs), fresh)
  assert.ok(fresh.length < 6)
  assertClosure(remote, room.store, second, pushed)
  assert.equal([...pushed.plan.relied], [before.packs[0]?.id])
  const again = await remote.push(room.store, [first, second])
  assert.equal(again.packs, [])
  assertClosure(remote, room.store, first, again)
  assertClosure(remote, room.store, second, again)
})

test('leaves that were looked through at a push are not looked through at the next', async () => {
  await using room = await openedRoom()
  const first = wanted(await room.commit(room.write('a', manyFiles(random, 2000))))
  const remote = new TestRemote()
  const pushed = await remote.push(room.store, [first])
  const second = wanted(await room.commit(room.write('a', { f7: 'something else' })))
  remote.lookups = 0
  const again = await remote.push(room.store, [second])
  assert.ok(remote.lookups < 1000, `${remote.lookups}`)
  assertClosure(remote, room.store, second, again)
  // A pack that is dropped brings the look back.
  for (const { id } of pushed.packs) remote.dropped.add(id)
  const third = await remote.push(room.store, [first, second])
  for (const version of [first, second]) assertClosure(remote, room.store, version, third)
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
  assert.equal(contentsOf(pushed.packs), [...objectsOf(room.store, wanted(result))].sort())
  assertClosure(remote, room.store, wanted(result), pushed)
})

test('more packs than an operation can name stand in a list', async () => {
  await using room = await openedRoom()
  const version = wanted(await room.commit(room.write('a', someFiles(random, 150))))
  const remote = new TestRemote()
  const pushed = await remote.push(room.store, [version], { largestPack: 500 })
  const names = new Set(objectsOf(room.store, version))
  const exact = new Set([...names].map((id) => remote.packOf(Buffer.from(id, 'hex')) as ObjectId))
  assert.ok(exact.size > 100)
  const index = pushed.packs.find(({ kind }) => kind === 'index') as OutgoingPack
  const closure = pushed.closures.get(version.id)
  assert.ok(closure !== undefined && 'list' in closure)
  assert.equal(closure.packs, [index.id])
  assert.equal(await readClosureList(remote.backend, index, closure.list), [...exact].sort())
  const tables = await readIndexPack(remote.backend, index, remote.packs.values())
  assert.is(tables.size, remote.packs.size - 1)
})

test('a version that is not whole here is refused by name, unless the receiver has the rest', async () => {
  await using there = await openedRoom()
  await using room = await openedRoom()
  const version = wanted(await there.commit(there.write('a', someFiles(random, 10))))
  const remote = new TestRemote()
  await remote.push(there.store, [version])
  await join(room.store, remote, [version], { content: 'none' })
  const error = await rejects(planSend(room.store, new TestRemote(), [version]), 'ERR_NOT_FETCHED')
  assert.match(error.message, 'default/received:v1')
  assert.is((await planSend(room.store, remote, [version])).objects, 0)
})

test('a pack that gc drops before it is sent asks for another plan', async () => {
  await using room = await openedRoom()
  const dir = room.write('a', { large: randomBytes(9 << 20) })
  const version = wanted(await room.commit(dir, { jobs: 0 }))
  const remote = new TestRemote()
  const plan = await planSend(room.store, remote, [version])
  const large = namedPacks(room.store.index).find(({ bytes }) => bytes > 9 << 20)
  const copy = await copyRecords(
    room.store,
    [{ id: large?.id as ObjectId, wants: () => true }],
    (id) => id === large?.id,
  )
  const drop = {
    kind: 'packs.drop',
    packs: [{ id: large?.id as ObjectId, into: copy.id }],
  } as const
  await commitOperation(room.store, {
    packs: [copy],
    plan: () => ({ changes: [drop], outcome: 0 }),
  })
  rmSync(packPath(room.store.layout, large?.id ?? ''))
  try {
    for await (const _ of outgoingPacks(room.store, plan, { jobs: 0 }));
    assert.unreachable()
  } catch (failure) {
    assert.instance(failure, StalePlanError)
  }
  const pushed = await remote.push(room.store, [version])
  assert.equal(contentsOf(pushed.packs), [...objectsOf(room.store, version)].sort())
})

test('a damaged pack is not sent', async () => {
  await using room = await openedRoom()
  for (const size of [3000, 9 << 20]) {
    const dir = room.write(`a${size}`, { large: randomBytes(size) })
    const version = wanted(await room.commit(dir, { jobs: 0, name: `a${size}` }))
    const largest = namedPacks(room.store.index).sort((x, y) => y.bytes - x.bytes)[0]
    const path = packPath(room.store.layout, largest?.id ?? '')
    const bytes = readFileSync(path)
    bytes[500] = (bytes[500] as number) ^ 1
    writeFileSync(path, bytes)
    await rejects(new TestRemote().push(room.store, [version]), 'ERR_DAMAGED')
    assert.equal(readdirSync(room.store.layout.tmp), [])
  }
})

test('a pack id that the receiver dropped is not sent again', async () => {
  await using room = await openedRoom()
  const dir = room.write('a', { large: randomBytes(9 << 20) })
  const version = wanted(await room.commit(dir, { jobs: 0 }))
  const remote = new TestRemote()
  const pushed = await remote.push(room.store, [version])
  for (const { id } of pushed.packs) remote.dropped.add(id)
  const again = await remote.push(room.store, [version])
  assert.equal(contentsOf(again.packs), contentsOf(pushed.packs))
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
  assert.equal(contentsOf(pushed.packs), [...all].sort())
  for (const version of versions) assertClosure(remote, room.store, version, pushed)
  assert.is((await planSend(room.store, remote, versions)).objects, 0)
})

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
