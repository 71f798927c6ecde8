import { existsSync, readFileSync, rmSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commitOperation } from '../../../src/store/index/commit-point.ts'
import {
  droppedIds,
  isDropped,
  namedPacks,
  smallPacks,
} from '../../../src/store/index/pack-rows.ts'
import type { StoreIndex } from '../../../src/store/index/store-index.ts'
import { packPath } from '../../../src/store/layout.ts'
import type { DroppedPack } from '../../../src/store/log/change.ts'
import type { JoiningPack } from '../../../src/store/log/operation.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import type { ObjectId } from '../../../src/types.ts'
import { rejects } from '../../support/rejects.ts'
import { sampleId, sampleObject } from '../log/samples.ts'
import {
  commitTo,
  contentOf,
  removeIndexFiles,
  type Store,
  temporaryStore,
  writePack,
} from './temporary-store.ts'

const test = suite('drops')

test('forgets the objects of a dropped pack, and finds them where they went', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const chunks = [Buffer.alloc(100, 1), Buffer.alloc(100, 2)]
  const old = await writePack(store, chunks)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [old.pack] })
  const other = await writePack(store, [...chunks, Buffer.alloc(100, 3)])
  await drop(store, index, [{ id: old.pack.id, into: other.pack.id }], [other.pack])
  for (const id of old.ids) {
    const places = index.objects.locations(Buffer.from(id, 'hex'))
    assert.equal(
      places.map(({ pack }) => pack),
      [other.pack.id],
    )
  }
  assert.is(rowsOf(index), 3)
  assert.ok(existsSync(packPath(store.layout, old.pack.id)), 'the file itself is left alone')
})

test('knows a dropped pack for ever, whether it was named or not', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack } = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  const stray = sampleId('stray')
  await drop(store, index, [{ id: pack.id }, { id: stray }])
  const check = (checked: StoreIndex): void => {
    assert.not.ok(checked.state.hasPack(pack.id))
    for (const id of [pack.id, stray]) {
      assert.ok(checked.state.isDropped(id))
      assert.ok(isDropped(checked, id))
    }
    assert.not.ok(isDropped(checked, sampleId('other')))
    assert.equal(new Set(idsIn(droppedIds(checked))), new Set([pack.id, stray]))
    assert.equal(new Set(checked.state.droppedSince(1)), new Set([pack.id, stray]))
    assert.equal(checked.state.droppedSince(2), [])
    assert.equal(namedPacks(checked), [])
    assert.equal(smallPacks(checked), [])
  }
  check(index)
  const before = contentOf(index)
  removeIndexFiles(store)
  using rebuilt = store.open()
  check(rebuilt)
  assert.equal(contentOf(rebuilt), before)
})

test('says nothing of packs that are gone because they were dropped', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack, ids } = await writePack(store)
  const lost = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack, lost.pack] })
  using behind = store.open()
  await drop(store, index, [{ id: pack.id }])
  for (const id of [pack.id, lost.pack.id]) rmSync(packPath(store.layout, id))
  removeIndexFiles(store)
  store.notices.length = 0
  using rebuilt = store.open()
  assert.equal(
    store.notices.flatMap((notice) => (notice.kind === 'pack-unreadable' ? [notice.pack] : [])),
    [lost.pack.id],
  )
  assert.not.ok(rebuilt.objects.has(Buffer.from(ids[0] as string, 'hex')))
  behind.refresh()
  assert.not.ok(behind.objects.has(Buffer.from(ids[0] as string, 'hex')))
})

test('forgets the objects of a dropped pack that cannot be read any more', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack } = await writePack(store)
  const stays = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack, stays.pack] })
  rmSync(packPath(store.layout, pack.id))
  await drop(store, index, [{ id: pack.id }])
  assert.is(rowsOf(index), 2)
})

test('takes it for damage when a dropped pack joins again, or is dropped twice', async () => {
  for (const again of ['join', 'drop'] as const) {
    await using store = await temporaryStore()
    using index = store.open()
    const { pack } = await writePack(store)
    await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
    await drop(store, index, [{ id: pack.id }])
    const error = await rejects(
      again === 'drop'
        ? drop(store, index, [{ id: pack.id }])
        : commitTo(store, index, 'bike', sampleObject(2), { packs: [pack] }),
      'ERR_DAMAGED',
    )
    assert.match(error.message, again === 'drop' ? 'dropped already' : 'joins again')
  }
})

test('notices what another process folded into the same database', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack, ids } = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  const id = Buffer.from(ids[0] as string, 'hex')
  const path = packPath(store.layout, pack.id)
  const bytes = readFileSync(path)
  rmSync(path)
  using other = store.open()
  assert.not.ok(other.objects.has(id))
  store.io.createFile(path, bytes, { durable: false })
  await commitTo(store, index, 'bike', sampleObject(2))
  other.refresh()
  assert.ok(other.objects.has(id))
})

test('finds objects of packs that nothing names yet for those who have let them in', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack, ids } = await writePack(store)
  const id = Buffer.from(ids[0] as string, 'hex')
  index.stagePacks([{ pack, table: readTable(packPath(store.layout, pack.id)) }])
  assert.is(index.objects.holder(id), undefined)
  index.objects.admit([pack.id])
  index.objects.admit([pack.id])
  assert.equal(index.objects.holder(id), { pack: pack.id, named: false })
  assert.is(index.objects.locate(id)?.pack, pack.id)
  index.objects.dismiss([pack.id])
  assert.ok(index.objects.has(id))
  index.objects.dismiss([pack.id])
  assert.not.ok(index.objects.has(id))
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  assert.equal(index.objects.holder(id), { pack: pack.id, named: true })
})

async function drop(
  { io, layout }: Store,
  index: StoreIndex,
  packs: readonly DroppedPack[],
  joining: readonly JoiningPack[] = [],
): Promise<void> {
  await commitOperation(
    { io, layout, index, by: { user: 'u', host: 'h' }, tool: 't/1' },
    {
      packs: joining,
      plan: () => ({ changes: [{ kind: 'packs.drop', packs }], outcome: undefined }),
    },
  )
}

function rowsOf(index: StoreIndex): number | undefined {
  return index.read((connection) => connection.value<number>('SELECT count(*) FROM object'))
}

function idsIn(ids: Buffer): ObjectId[] {
  return Array.from(
    { length: ids.length / 32 },
    (_, i) => ids.toString('hex', i * 32, i * 32 + 32) as ObjectId,
  )
}

test.run()
