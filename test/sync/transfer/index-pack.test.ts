import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryName } from '../../../src/store/layout.ts'
import { Codec } from '../../../src/store/object/compression.ts'
import { CHUNK, chunkHash } from '../../../src/store/object/id.ts'
import { type PackTable, tableEntries } from '../../../src/store/object/pack.ts'
import { PackWriter } from '../../../src/store/object/pack-writer.ts'
import type { Opened } from '../../../src/store/open.ts'
import { MemoryBackend } from '../../../src/sync/backends/memory.ts'
import { packName } from '../../../src/sync/put-pack.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import {
  decodeClosureList,
  encodeClosureList,
  type IndexPack,
  IndexPackWriter,
  type NamedPack,
  readClosureList,
  readIndexPack,
  readRemoteTable,
  tablesIn,
} from '../../../src/sync/transfer/index-pack.ts'
import type { ObjectId } from '../../../src/types.ts'
import { openedRoom } from '../../store/commit/opened.ts'
import { seededRandom } from '../../support/random.ts'
import { rejects, throwsCode } from '../../support/rejects.ts'

const test = suite('index packs')
const random = seededRandom(7)

test('the tables of packs come back under the ids of the packs', async () => {
  await using room = await openedRoom()
  const { store } = room
  const packs = await Promise.all([1, 2, 30].map((count) => makePack(store, count)))
  const [index] = await writeIndexPacks(
    store,
    packs.map(({ table }) => table),
    () => false,
  )
  const bytes = readFileSync((index as IndexPack).path)
  assert.is(index?.kind, 'index')
  assert.is(index?.bytes, bytes.length)
  const found = new Map(tablesIn(bytes, index as IndexPack, packs))
  for (const pack of packs) {
    const table = found.get(pack.id) as PackTable
    assert.ok(table.bytes.equals(pack.table))
    assert.is(table.offset, pack.toc[0])
  }
  const backend = new MemoryBackend()
  await backend.put(packName((index as IndexPack).id), bytesSource(bytes))
  assert.is((await readIndexPack(backend, index as IndexPack, packs.slice(1))).size, 2)
})

test('a table is read from its pack where no index pack has it', async () => {
  await using room = await openedRoom()
  const pack = await makePack(room.store, 5)
  const backend = new MemoryBackend()
  await backend.put(packName(pack.id), bytesSource(readFileSync(pack.path)))
  const table = await readRemoteTable(backend, pack)
  assert.is(tableEntries(table).length, 5)
  const [start, length] = pack.toc
  const wrong = { ...pack, toc: [start - 1, length] as const }
  await rejects(readRemoteTable(backend, wrong), 'ERR_DAMAGED')
})

test('a list of packs is read back from the index pack that holds it', async () => {
  await using room = await openedRoom()
  const packs = Array.from({ length: 150 }, () => random.bytes(32).toString('hex') as ObjectId)
  const list = encodeClosureList(packs)
  const [index] = await writeIndexPacks(room.store, [list.bytes], () => false)
  const backend = new MemoryBackend()
  await backend.put(packName((index as IndexPack).id), bytesSource(readFileSync(index?.path ?? '')))
  const read = await readClosureList(backend, index as IndexPack, list.id)
  assert.equal(read, packs.toSorted())
  const other = encodeClosureList(packs.slice(1)).id
  await rejects(readClosureList(backend, index as IndexPack, other), 'ERR_DAMAGED')
  for (const bytes of ['', '00', 'ff'.repeat(32) + '00'.repeat(32), '11'.repeat(64)]) {
    throwsCode(() => decodeClosureList(Buffer.from(bytes, 'hex'), other), 'ERR_DAMAGED')
  }
})

test('an index pack that was changed anywhere is refused', async () => {
  await using room = await openedRoom()
  const packs = [await makePack(room.store, 3), await makePack(room.store, 4)]
  const [index] = await writeIndexPacks(
    room.store,
    packs.map(({ table }) => table),
    () => false,
  )
  const sound = readFileSync((index as IndexPack).path)
  for (let at = 0; at < sound.length; at++) {
    // The checksum in the trailer is that of the table, which its name stands for.
    if (at >= sound.length - 16 && at < sound.length - 8) continue
    const bytes = Buffer.from(sound)
    bytes[at] = (bytes[at] as number) ^ 0x10
    throwsCode(() => [...tablesIn(bytes, index as IndexPack, packs)], 'ERR_DAMAGED')
  }
  for (let length = 0; length < sound.length; length += 7) {
    throwsCode(
      () => [...tablesIn(sound.subarray(0, length), index as IndexPack, packs)],
      'ERR_DAMAGED',
    )
  }
  const longer = packs.map((pack) => ({ ...pack, toc: [pack.toc[0], pack.toc[1] + 1] as const }))
  throwsCode(() => [...tablesIn(sound, index as IndexPack, longer)], 'ERR_DAMAGED')
})

test('the id that a receiver dropped is not used again', async () => {
  await using room = await openedRoom()
  const { table } = await makePack(room.store, 2)
  const [first] = await writeIndexPacks(room.store, [table], () => false)
  const [second] = await writeIndexPacks(room.store, [table], (id) => id === first?.id)
  assert.is.not(first?.id, second?.id)
})

async function writeIndexPacks(
  store: Opened,
  chunks: readonly Uint8Array[],
  isTaken: (id: string) => boolean,
): Promise<IndexPack[]> {
  const writer = new IndexPackWriter(store, isTaken)
  for (const chunk of chunks) writer.add(chunk)
  return writer.finish()
}

interface MadePack extends NamedPack {
  readonly path: string
  readonly table: Buffer
}

async function makePack({ io, layout }: Opened, count: number): Promise<MadePack> {
  const temporary = join(layout.tmp, temporaryName())
  const writer = new PackWriter(io, temporary)
  for (let index = 0; index < count; index++) {
    const stored = random.bytes(random.integer(1, 2000))
    const id = chunkHash(stored)
    writer.append({ kind: CHUNK, id, codec: Codec.none, stored, rawLength: stored.length })
  }
  const { id, bytes, toc, table } = await writer.finish()
  return { id: id as ObjectId, bytes, toc, table, path: temporary }
}

test.run()
