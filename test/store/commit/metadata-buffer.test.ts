import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MetadataBuffer } from '../../../src/store/commit/metadata-buffer.ts'
import { Reliance } from '../../../src/store/commit/reliance.ts'
import { packPath } from '../../../src/store/layout.ts'
import { NODE, type ObjectKind, objectId, RECIPE } from '../../../src/store/object/id.ts'
import { tableEntries } from '../../../src/store/object/pack.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import { nodeReader, readObject } from '../../../src/store/opened.ts'
import { leafIds } from '../../../src/store/tree/cursor.ts'
import { seededRandom } from '../../support/random.ts'
import { openedRoom, type Room } from './opened.ts'

const test = suite('metadata-buffer')

function bufferIn({ store }: Room): MetadataBuffer {
  const reliance = new Reliance(store.index.objects, store.index.seen)
  return new MetadataBuffer(store.io, store.layout, reliance, () => false)
}

/** Objects of noise, so that none is compressed. */
function objects(
  count: number,
  bytes: number,
): { kind: ObjectKind; id: ReturnType<typeof objectId>; bytes: Buffer }[] {
  const random = seededRandom(bytes)
  return Array.from({ length: count }, (_, index) => {
    const content = random.bytes(bytes)
    const kind = index % 2 === 0 ? NODE : RECIPE
    return { kind, id: objectId(kind, content), bytes: content }
  })
}

test('few objects wait for the chunks, each once', async () => {
  await using room = await openedRoom()
  const buffer = bufferIn(room)
  const few = objects(10, 1000)
  for (const { kind, id, bytes } of [...few, ...few]) buffer.add(kind, id, bytes)
  assert.equal(
    buffer.small.map(({ id }) => id),
    few.map(({ id }) => id),
  )
  buffer.clear()
  assert.equal(buffer.small, [])
  assert.equal(await buffer.finish(), [])
  // What went beside the chunks is not kept a second time.
  for (const { kind, id, bytes } of few) buffer.add(kind, id, bytes)
  assert.equal(buffer.small, [])
})

test('what found no place beside the chunks gets a pack of its own', async () => {
  await using room = await openedRoom()
  const buffer = bufferIn(room)
  const few = objects(10, 1000)
  for (const { kind, id, bytes } of few) buffer.add(kind, id, bytes)
  const [pack, ...others] = await buffer.finish()
  assert.equal(others, [])
  assert.is(pack?.kind, 'meta')
  assert.equal(idsIn(room, pack?.id ?? ''), few.map(({ id }) => id).sort())
})

test('many objects go to a pack as they come, and none is lost or doubled', async () => {
  await using room = await openedRoom()
  const buffer = bufferIn(room)
  const many = objects(60, 40_000)
  for (const { kind, id, bytes } of [...many, ...many]) buffer.add(kind, id, bytes)
  assert.equal(buffer.small, [])
  assert.is(fs.readdirSync(room.store.layout.tmp).length, 1)
  const packs = await buffer.finish()
  assert.is(packs.length, 1)
  assert.equal(
    packs.flatMap(({ id }) => idsIn(room, id)),
    many.map(({ id }) => id).sort(),
  )
  assert.equal(await buffer.finish(), [])
})

test('what the store has is not kept', async () => {
  await using room = await openedRoom()
  const dir = room.write('data', { a: 'a'.repeat(100), b: 'b' })
  const { object } = await room.commit(dir)
  const read = nodeReader(room.store)
  const buffer = bufferIn(room)
  for (const id of leafIds(read, object.root))
    buffer.add(NODE, id, readObject(room.store, NODE, id))
  assert.equal(buffer.small, [])
})

test('giving up leaves nothing', async () => {
  await using room = await openedRoom()
  const buffer = bufferIn(room)
  for (const { kind, id, bytes } of objects(100, 40_000)) buffer.add(kind, id, bytes)
  buffer.abort()
  assert.equal(fs.readdirSync(room.store.layout.tmp), [])
  assert.equal(fs.readdirSync(room.store.layout.packs), [])
})

function idsIn({ store }: Room, pack: string): string[] {
  const entries = tableEntries(readTable(packPath(store.layout, pack)))
  return entries.map(({ id }) => id.toString('hex')).sort()
}

test.run()
