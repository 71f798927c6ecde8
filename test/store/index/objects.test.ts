import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoreIndex } from '../../../src/store/index/store-index.ts'
import { packPath } from '../../../src/store/layout.ts'
import type { JoiningPack } from '../../../src/store/log/operation.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import type { ObjectId } from '../../../src/types.ts'
import { sampleId, sampleObject } from '../log/samples.ts'
import {
  commitTo,
  removeIndexFiles,
  type Store,
  temporaryStore,
  writePack,
} from './temporary-store.ts'

const test = suite('objects')

test('tells where each object of each named pack is', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const chunks = [randomBytes(100), randomBytes(70), randomBytes(3000)]
  const { pack, ids } = await writePack(store, chunks)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  const file = readFileSync(packPath(store.layout, pack.id))
  for (const [i, id] of ids.entries()) {
    const place = index.objects.locate(Buffer.from(id, 'hex'))
    if (place === undefined) throw new Error('not found')
    assert.is(place.id, id)
    assert.is(place.pack, pack.id)
    assert.is(place.raw, chunks[i]?.length)
    assert.equal(file.subarray(place.offset + 10, place.offset + 10 + place.stored), chunks[i])
  }
})

test('finds nothing in a pack that no operation names, even when its objects are taken up', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack, ids } = await writePack(store)
  index.stagePacks([{ pack, table: readTable(packPath(store.layout, pack.id)) }])
  index.stagePacks([{ pack, table: readTable(packPath(store.layout, pack.id)) }])
  assert.ok(index.objects.isEmpty())
  assert.equal(found(index, ids), [false, false])
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  assert.equal(found(index, ids), [true, true])
  assert.not.ok(index.objects.isEmpty())
})

test('looks up many ids at once as it looks up each', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack, ids } = await writePack(
    store,
    Array.from({ length: 50 }, () => randomBytes(20)),
  )
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  const asked = Array.from(
    { length: 101 },
    (_, i) => (i % 3 === 0 ? ids[i % 50] : sampleId(i)) as ObjectId,
  )
  const bits = index.objects.hasMany(Buffer.from(asked.join(''), 'hex'))
  assert.is(bits.length, 13)
  for (const [i, id] of asked.entries()) {
    const expected = ids.includes(id)
    assert.is(((bits[i >> 3] ?? 0) >> (i & 7)) & 1, expected ? 1 : 0)
    assert.is(index.objects.has(Buffer.from(id, 'hex')), expected)
  }
  assert.is(index.objects.hasMany(Buffer.alloc(0)).length, 0)
  assert.throws(() => index.objects.hasMany(Buffer.alloc(33)), TypeError)
})

test('knows every place of an object that is in several packs', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const shared = randomBytes(50)
  const first = await writePack(store, [shared, randomBytes(10)])
  const second = await writePack(store, [randomBytes(20), shared])
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [first.pack, second.pack] })
  const id = Buffer.from(first.ids[0] ?? '', 'hex')
  assert.equal(packsOf(index, id), [first.pack.id, second.pack.id])
  rmSync(packPath(store.layout, first.pack.id))
  index.objects.forget()
  assert.equal(packsOf(index, id), [second.pack.id])
  assert.ok(index.objects.has(id))
})

test('promises nothing of a pack whose file is gone or has another size', async () => {
  await using store = await temporaryStore()
  const { pack, ids } = await committedPack(store)
  const path = packPath(store.layout, pack.id)
  const bytes = readFileSync(path)
  truncateSync(path, bytes.length - 1)
  {
    using index = store.open()
    assert.equal(found(index, ids), [false, false])
  }
  rmSync(path)
  {
    using index = store.open()
    assert.equal(found(index, ids), [false, false])
    const error = index.objects.missing(ids[0] as ObjectId)
    assert.match(error.message, `"${path}"`)
    assert.match(error.message, `"${ids[0]}"`)
  }
  writeFileSync(path, bytes)
  using index = store.open()
  assert.equal(found(index, ids), [true, true])
  assert.equal(store.notices, [])
})

test('opens without a pack that is missing or damaged, says so, and takes it up when it is back', async () => {
  await using store = await temporaryStore()
  const { pack, ids } = await committedPack(store)
  const path = packPath(store.layout, pack.id)
  const good = readFileSync(path)
  for (const state of ['missing', 'damaged'] as const) {
    if (state === 'missing') renameSync(path, `${path}.away`)
    else
      writeFileSync(
        path,
        good.map((byte, i) => (i > good.length - 30 ? byte ^ 1 : byte)),
      )
    removeIndexFiles(store)
    {
      using index = store.open()
      assert.equal(found(index, ids), [false, false])
      const said = store.notices.splice(0).find(({ kind }) => kind === 'pack-unreadable')
      assert.is(said?.message, `Pack "${path}" is ${state}: what only it holds cannot be read.`)
      await commitTo(store, index, state, sampleObject(state))
    }
    writeFileSync(path, good)
    using index = store.open()
    assert.equal(found(index, ids), [true, true])
    assert.equal(store.notices, [])
  }
})

test('takes up a missing pack when an operation names it again', async () => {
  await using store = await temporaryStore()
  const { pack, ids } = await committedPack(store)
  const path = packPath(store.layout, pack.id)
  renameSync(path, `${path}.away`)
  removeIndexFiles(store)
  using index = store.open()
  renameSync(`${path}.away`, path)
  await commitTo(store, index, 'bike', sampleObject(2), { packs: [pack] })
  assert.equal(found(index, ids), [true, true])
})

async function committedPack(store: Store): Promise<{ pack: JoiningPack; ids: ObjectId[] }> {
  using index = store.open()
  const written = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [written.pack] })
  return written
}

function found(index: StoreIndex, ids: readonly ObjectId[]): boolean[] {
  return ids.map((id) => index.objects.locate(Buffer.from(id, 'hex')) !== undefined)
}

function packsOf(index: StoreIndex, id: Buffer): ObjectId[] {
  return index.objects.locations(id).map(({ pack }) => pack)
}

test.run()
