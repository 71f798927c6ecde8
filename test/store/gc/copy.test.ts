import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { copyRecords, SourceError } from '../../../src/store/gc/copy.ts'
import { copySound } from '../../../src/store/gc/merge.ts'
import { packPath } from '../../../src/store/layout.ts'
import { tableEntries } from '../../../src/store/object/pack.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import type { OpenedStore } from '../../../src/store/opened.ts'
import type { ObjectId } from '../../../src/types.ts'
import { type Store, temporaryStore, writePack } from '../index/temporary-store.ts'

const test = suite('copy')

const all = (): boolean => true
const none = (): boolean => false

test('copies every record once, as it is', async () => {
  await using store = await temporaryStore()
  const shared = randomBytes(500)
  const first = await writePack(store, [shared, randomBytes(100)])
  // More than is read at once.
  const large = Array.from({ length: 5 }, () => randomBytes(2_000_000))
  const second = await writePack(store, [randomBytes(70), shared, ...large])
  const sources = [first, second].map(({ pack }) => ({ id: pack.id, wants: all }))
  const made = await copyRecords(opened(store), sources, none)
  assert.is(made.kind, 'data')
  const table = readTable(packPath(store.layout, made.id))
  const ids = tableEntries(table).map(({ id }) => id.toString('hex'))
  assert.equal(ids, [...new Set([...first.ids, ...second.ids])].sort())
  assert.is(made.bytes, 40 + 8 * 63 + 500 + 100 + 70 + 10_000_000)
  assert.equal(readdirSync(store.layout.tmp), [])
})

test('copies only what is wanted', async () => {
  await using store = await temporaryStore()
  const { pack, ids } = await writePack(store, [randomBytes(500), randomBytes(100)])
  const entries = tableEntries(readTable(packPath(store.layout, pack.id)))
  const wanted = entries.find(({ id }) => id.toString('hex') === ids[1])
  const wants = (offset: number): boolean => offset === wanted?.offset
  const made = await copyRecords(opened(store), [{ id: pack.id, wants }], none)
  const copied = tableEntries(readTable(packPath(store.layout, made.id)))
  assert.equal(
    copied.map(({ id }) => id.toString('hex')),
    [ids[1]],
  )
})

test('gives the pack an id that is not taken', async () => {
  await using store = await temporaryStore()
  const { pack } = await writePack(store, [randomBytes(500)])
  // The copy of all of a pack is that pack, but for the salt.
  const made = await copyRecords(
    opened(store),
    [{ id: pack.id, wants: all }],
    (id) => id === pack.id,
  )
  assert.is.not(made.id, pack.id)
  assert.is(readTable(packPath(store.layout, made.id)).salt, 1)
})

test('copies nothing of a pack that is damaged or gone, and leaves nothing behind', async () => {
  await using store = await temporaryStore()
  const sound = await writePack(store)
  const other = await writePack(store)
  const bad = await writePack(store, [randomBytes(500)])
  const path = packPath(store.layout, bad.pack.id)
  const bytes = readFileSync(path)
  bytes[100] = (bytes[100] as number) ^ 1
  writeFileSync(path, bytes)
  const source = ({ pack }: { pack: { id: ObjectId } }) => ({ id: pack.id, wants: all })
  const gone = { id: 'f'.repeat(64) as ObjectId, wants: all }
  for (const sources of [
    [source(sound), source(bad)],
    [source(sound), gone],
  ]) {
    const error = await copyRecords(opened(store), sources, none).catch((thrown) => thrown)
    assert.instance(error, SourceError)
    assert.is(error.pack, sources[1]?.id)
  }
  assert.equal(readdirSync(store.layout.tmp), [])
  const copied = await copySound(
    opened(store),
    [gone, source(sound), source(bad), source(other)],
    none,
    2,
  )
  assert.equal(
    copied?.sources.map(({ id }) => id),
    [sound.pack.id, other.pack.id],
  )
  assert.is(await copySound(opened(store), [gone, source(sound)], none, 2), undefined)
})

function opened({ io, layout }: Store): OpenedStore {
  return { io, layout } as OpenedStore
}

test.run()
