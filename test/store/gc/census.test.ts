import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Census, IndexReplacedError, LEAVING, RECORD_COST } from '../../../src/store/gc/census.ts'
import { packPath } from '../../../src/store/layout.ts'
import type { ObjectId } from '../../../src/types.ts'
import { commitTo, indexFiles, temporaryStore, writePack } from '../index/temporary-store.ts'
import { sampleId, sampleObject } from '../log/samples.ts'

const test = suite('census')

const bytesOf = (id: ObjectId | undefined): Buffer => Buffer.from(id ?? '', 'hex')

test('says who needs what alone, and what several need', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack, ids } = await writePack(store, [
    randomBytes(100),
    randomBytes(200),
    randomBytes(300),
    randomBytes(400),
  ])
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  const census = new Census(index, store.layout)
  assert.ok(census.update())
  const [a, b, c, d] = ids.map(bytesOf)
  if (!a || !b || !c || !d) throw new Error('no ids')
  assert.is(census.meet(a, 1), 'new')
  assert.is(census.meet(a, 1), 'known')
  assert.is(census.meet(b, 1), 'new')
  // Once more for another, for what is below is not its alone any more either; then never again.
  assert.is(census.meet(b, 2), 'new')
  assert.is(census.meet(b, 3), 'known')
  assert.is(census.meet(b, 1), 'known')
  assert.is(census.meet(a, LEAVING), 'known', 'what stays is nothing that goes')
  assert.is(census.meet(c, LEAVING), 'new')
  assert.is(census.meet(d, LEAVING), 'new')
  assert.is(census.meet(d, LEAVING + 1), 'new')
  assert.is(census.meet(d, LEAVING + 2), 'known')
  assert.is(census.meet(bytesOf(sampleId('other')), 1), 'missing')
  assert.is(census.bytesOf(1), 100 + RECORD_COST)
  assert.is(census.bytesOf(2), 0)
  assert.is(census.sharedBytes('staying'), 200 + RECORD_COST)
  assert.is(census.bytesOf(LEAVING), 300 + RECORD_COST)
  assert.is(census.sharedBytes('leaving'), 400 + RECORD_COST)
  const [counted] = census.packs
  assert.is(counted?.reached, 2)
  assert.is(counted?.reachedBytes, 300 + 2 * RECORD_COST)
  // What goes may turn out to stay.
  assert.is(census.meet(c, 3), 'new')
  assert.is(census.bytesOf(LEAVING), 0)
  assert.is(counted?.reached, 3)
})

test('counts one copy of an object, and of two the one that is sound', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const shared = randomBytes(500)
  const first = await writePack(store, [shared, randomBytes(10)])
  const second = await writePack(store, [shared, randomBytes(20)])
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [first.pack, second.pack] })
  const reachedIn = (): (readonly [string, number])[] => {
    const census = new Census(index, store.layout)
    census.update()
    assert.is(census.meet(bytesOf(first.ids[0]), 1), 'new')
    assert.is(census.meet(bytesOf(first.ids[0]), 1), 'known')
    return Array.from(census.packs, ({ id, reached }) => [id, reached] as const)
  }
  assert.equal(new Map(reachedIn()).get(first.pack.id), 1)
  assert.equal(new Map(reachedIn()).get(second.pack.id), 0)
  const path = packPath(store.layout, first.pack.id)
  const bytes = readFileSync(path)
  for (let at = 100; at < 120; at++) bytes[at] = (bytes[at] as number) ^ 0x55
  writeFileSync(path, bytes)
  assert.equal(new Map(reachedIn()).get(first.pack.id), 0)
  assert.equal(new Map(reachedIn()).get(second.pack.id), 1)
})

test('takes up packs that join, and is void when one is dropped', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack } = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  const census = new Census(index, store.layout)
  assert.ok(census.update())
  const more = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(2), { packs: [more.pack] })
  assert.is(census.meet(bytesOf(more.ids[0]), 1), 'missing')
  assert.ok(census.update())
  assert.is(census.meet(bytesOf(more.ids[0]), 1), 'new')
  index.read((connection) =>
    connection.run("UPDATE pack SET state = 'dropped', dropped = 3 WHERE name = ?", pack.id),
  )
  assert.not.ok(census.update())
})

test('takes for missing what only a pack holds that cannot be read', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack, ids } = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  rmSync(packPath(store.layout, pack.id))
  const census = new Census(index, store.layout)
  assert.ok(census.update())
  assert.is(census.meet(bytesOf(ids[0]), 1), 'missing')
  assert.equal(
    Array.from(census.unreadable, ({ id }) => id),
    [pack.id],
  )
})

test('is void when the index was built anew meanwhile: rows have other numbers then', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack, ids } = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  const census = new Census(index, store.layout)
  census.update()
  for (const file of indexFiles(store)) writeFileSync(file, 'damaged'.repeat(1000))
  try {
    index.read((connection) => connection.all('SELECT * FROM object ORDER BY raw'))
  } catch {}
  index.refresh()
  if (index.rebuilds > 0) {
    assert.throws(
      () => census.meet(bytesOf(ids[0]), 1),
      (error: unknown) => error instanceof IndexReplacedError,
    )
  } else assert.unreachable('the index was not built anew')
})

test.run()
