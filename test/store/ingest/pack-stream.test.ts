import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PackStream } from '../../../src/store/ingest/pack-stream.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { packPath } from '../../../src/store/layout.ts'
import { chunkHash, NODE, objectId, RECIPE } from '../../../src/store/object/id.ts'
import { MAX_PACK_BYTES } from '../../../src/store/object/pack.ts'
import { seededRandom } from '../../support/random.ts'
import { ingestRoom, type Room, sha256, storedIds } from './room.ts'

const test = suite('pack-stream')
const MIB = 1 << 20

function streamIn({ layout }: Room, dropped: readonly string[] = []): PackStream {
  return new PackStream(createIo({ durability: 'process' }), layout, (id) => dropped.includes(id))
}

function node(text: string): { kind: typeof NODE; id: ReturnType<typeof objectId>; bytes: Buffer } {
  const bytes = Buffer.from(text)
  return { kind: NODE, id: objectId(NODE, bytes), bytes }
}

/** Appends noise in chunks of 2 MiB, the longest there are; returns their ids. */
function fill(stream: PackStream, seed: number, chunks = 4): string[] {
  const random = seededRandom(seed)
  return Array.from({ length: chunks }, () => {
    const chunk = random.bytes(2 * MIB)
    stream.appendChunk(chunkHash(chunk), chunk)
    return sha256(chunk)
  })
}

function files({ layout }: Room): { packs: number; tmp: number } {
  return { packs: fs.readdirSync(layout.packs).length, tmp: fs.readdirSync(layout.tmp).length }
}

test('without objects there is no pack', async () => {
  await using room = await ingestRoom()
  assert.equal(await streamIn(room).finish([]), { packs: [], mixed: false })
  assert.equal(files(room), { packs: 0, tmp: 0 })
})

test('a pack has its name when it is finished, and is written under another until then', async () => {
  await using room = await ingestRoom()
  const stream = streamIn(room)
  const ids = fill(stream, 1)
  assert.equal(files(room), { packs: 0, tmp: 1 })
  const { packs } = await stream.finish([])
  assert.equal(files(room), { packs: 1, tmp: 0 })
  assert.equal(storedIds(room.layout, packs), ids.sort())
  const [pack] = packs
  assert.is(pack?.kind, 'data')
  assert.is(fs.statSync(packPath(room.layout, pack?.id ?? '')).size, pack?.bytes)
})

test('a small pack takes what stands beside it; one of 1 MiB does not', async () => {
  await using room = await ingestRoom()
  for (const [size, isMixed] of [
    [MIB - 4096, true],
    [MIB, false],
  ] as const) {
    const stream = streamIn(room)
    const chunk = seededRandom(size).bytes(size)
    stream.appendChunk(chunkHash(chunk), chunk)
    const beside = node(`beside ${size}`)
    const { packs, mixed } = await stream.finish([beside])
    assert.is(mixed, isMixed)
    assert.is(packs[0]?.kind, isMixed ? 'mixed' : 'data')
    assert.is(storedIds(room.layout, packs).includes(beside.id), isMixed)
  }
})

test('objects without chunks make a metadata pack', async () => {
  await using room = await ingestRoom()
  const stream = streamIn(room)
  const recipe = Buffer.from('a recipe')
  stream.appendObject({ kind: RECIPE, id: objectId(RECIPE, recipe), bytes: recipe })
  const { packs, mixed } = await stream.finish([node('a node')])
  assert.ok(mixed)
  assert.equal(
    packs.map(({ kind }) => kind),
    ['meta'],
  )
})

test('what does not fit a pack goes to the next one, and none is longer than the limit', async () => {
  await using room = await ingestRoom()
  const stream = streamIn(room)
  const expected = fill(stream, 2, 36)
  const { packs } = await stream.finish([])
  assert.is(packs.length, 2)
  for (const { bytes } of packs) assert.ok(bytes <= MAX_PACK_BYTES)
  assert.ok((packs[0]?.bytes ?? 0) > MAX_PACK_BYTES - 2 * MIB - 1000)
  assert.equal(storedIds(room.layout, packs), expected.sort())
})

test('the same objects in the same order make the same pack; a dropped one comes under another name', async () => {
  await using room = await ingestRoom()
  const write = async (dropped: readonly string[]): Promise<string> => {
    const stream = streamIn(room, dropped)
    const chunk = seededRandom(3).bytes(1000)
    stream.appendChunk(chunkHash(chunk), chunk)
    return (await stream.finish([])).packs[0]?.id ?? ''
  }
  const first = await write([])
  assert.is(await write([]), first)
  assert.equal(files(room), { packs: 1, tmp: 0 })
  const second = await write([first])
  const third = await write([first, second])
  assert.is(new Set([first, second, third]).size, 3)
})

test('giving up removes what has no name yet', async () => {
  await using room = await ingestRoom()
  const stream = streamIn(room)
  fill(stream, 4)
  assert.equal(files(room), { packs: 0, tmp: 1 })
  stream.abort()
  stream.abort()
  assert.equal(files(room), { packs: 0, tmp: 0 })
})

test.run()
