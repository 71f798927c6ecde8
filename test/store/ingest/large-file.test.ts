import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ContentOptions } from '../../../src/store/ingest/contents.ts'
import { readParts } from '../../../src/store/ingest/large-file.ts'
import { inlinePool, type PoolOptions, workerPool } from '../../../src/store/ingest/pool.ts'
import { CandidateList } from '../../../src/store/object/candidates.ts'
import { chunkSizesFor, scanCandidates } from '../../../src/store/object/chunker.ts'
import { decodePart, decodeRecipe } from '../../../src/store/object/recipe.ts'
import type { ObjectId } from '../../../src/types.ts'
import { seededRandom } from '../../support/random.ts'
import { chunkIds, hexIds, ingestRoom, type Room, sha256, statOf, storedIds } from './room.ts'

const test = suite('large-file')
const MIB = 1 << 20

interface Read {
  readonly recipes: ReadonlyMap<ObjectId, Uint8Array>
  readonly id: ObjectId
}

async function readAll(
  room: Room,
  path: string,
  threads: number,
  options: Partial<ContentOptions> = {},
): Promise<Read> {
  const recipes = new Map<ObjectId, Uint8Array>()
  const pool = threads === 0 ? inlinePool(room.options) : workerPool(room.options, threads)
  try {
    const source = { file: path, stat: statOf(path), isSettled: true }
    const found = await readParts(pool, source, {
      store: true,
      keepRecipe: (id, bytes) => recipes.set(id, bytes),
      tick: 20,
      onRead: () => {},
      signal: undefined,
      ...options,
    })
    if ('failure' in found || found.content.kind !== 'recipe') throw new Error('no recipe')
    await pool.finish([])
    return { recipes, id: found.content.id }
  } finally {
    await pool.close()
  }
}

test('the chunks are those of the whole file in memory, with any number of threads', async () => {
  await using room = await ingestRoom()
  const random = seededRandom(1)
  // Around the limits of one read, of one scan, and of two; zeros have no candidate at all.
  const files = [
    random.bytes(4 * MIB + 1),
    random.bytes(16 * MIB),
    random.bytes(16 * MIB + 1),
    Buffer.concat([Buffer.alloc(15 * MIB), random.bytes(2 * MIB)]),
    Buffer.from(random.text(5 * MIB)),
  ]
  for (const bytes of files) {
    const path = room.write('file', bytes)
    const expected = chunkIds(bytes)
    for (const threads of [0, 1, 4]) {
      const { recipes, id } = await readAll(room, path, threads)
      const recipe = decodeRecipe(recipes.get(id) as Uint8Array, 'recipe')
      assert.is(recipe.of, 'chunks')
      assert.equal(hexIds(recipe.ids), expected, `${bytes.length} bytes, ${threads} threads`)
      if (recipe.of === 'part') return
      assert.is(Buffer.from(recipe.sha256).toString('hex'), sha256(bytes))
      assert.is(recipe.size, bytes.length)
    }
  }
})

test('every chunk is stored, once', async () => {
  await using room = await ingestRoom()
  const random = seededRandom(2)
  const half = random.bytes(6 * MIB)
  const bytes = Buffer.concat([half, random.bytes(MIB), half])
  const path = room.write('file', bytes)
  const pool = workerPool(room.options, 2)
  const source = { file: path, stat: statOf(path), isSettled: true }
  const options = {
    store: true,
    keepRecipe: () => {},
    tick: 20,
    onRead: () => {},
    signal: undefined,
  }
  await readParts(pool, source, options)
  const { packs } = await pool.finish([])
  await pool.close()
  assert.equal(storedIds(room.layout, packs), [...new Set(chunkIds(bytes))].sort())
})

test('a file of more than 4,096 chunks has a recipe of parts', async () => {
  await using room = await ingestRoom()
  // One block with one strong candidate, over and over: every chunk is as long as the block.
  const block = blockWithOneCut(seededRandom(3))
  const path = room.write('file', Buffer.alloc(block.length * 4100, block))
  const { recipes, id } = await readAll(room, path, 2)
  const root = decodeRecipe(recipes.get(id) as Uint8Array, 'recipe')
  assert.is(root.of, 'parts')
  if (root.of === 'part') return
  const partIds = hexIds(root.ids) as ObjectId[]
  assert.is(recipes.size, new Set(partIds).size + 1)
  let chunks = 0
  for (const [index, partId] of partIds.entries()) {
    chunks += decodePart(recipes.get(partId) as Uint8Array, root, index, 'part').lengths.length
  }
  assert.ok(chunks > 4096)
  assert.is(root.size, block.length * 4100)
})

test('only hashing gives the same recipe and keeps nothing', async () => {
  await using room = await ingestRoom()
  const path = room.write('file', seededRandom(4).bytes(5 * MIB))
  const { id } = await readAll(room, path, 0)
  fs.rmSync(room.layout.packs, { recursive: true })
  const hashed = await readAll(room, path, 2, { store: false })
  assert.is(hashed.id, id)
  assert.is(hashed.recipes.size, 0)
})

test('a file that has become shorter or longer is reported as changed', async () => {
  await using room = await ingestRoom()
  const pools: ((options: PoolOptions) => ReturnType<typeof inlinePool>)[] = [
    inlinePool,
    (options) => workerPool(options, 2),
  ]
  for (const make of pools) {
    for (const size of [5 * MIB, 7 * MIB]) {
      const path = room.write('file', Buffer.alloc(6 * MIB))
      const source = { file: path, stat: statOf(path), isSettled: true }
      fs.truncateSync(path, size)
      const pool = make(room.options)
      const options = {
        store: true,
        keepRecipe: () => assert.unreachable(),
        tick: 20,
        onRead: () => {},
        signal: undefined,
      }
      assert.equal(await readParts(pool, source, options), { failure: { code: 'changed' } })
      await pool.close()
    }
  }
})

test('an aborted signal ends the reading', async () => {
  await using room = await ingestRoom()
  const path = room.write('file', Buffer.alloc(40 * MIB, 'text'))
  const reason = new Error('enough')
  for (const threads of [0, 2]) {
    const abort = new AbortController()
    let bytes = 0
    const onRead = (_: number, more: number): void => {
      bytes += more
      abort.abort(reason)
    }
    try {
      await readAll(room, path, threads, { onRead, signal: abort.signal })
      assert.unreachable()
    } catch (error) {
      assert.is(error, reason)
    }
    assert.ok(bytes > 0 && bytes < 40 * MIB)
    assert.equal(fs.readdirSync(room.layout.tmp), [])
  }
})

function blockWithOneCut(random: ReturnType<typeof seededRandom>): Buffer {
  for (;;) {
    const block = random.bytes(20 << 10)
    const twice = Buffer.concat([block, block])
    const found = new CandidateList(0)
    const sizes = chunkSizesFor(MIB)
    scanCandidates(twice, 0, twice.length, { ...sizes, weak: sizes.strong }, 0, found)
    if (found.bytes().length > 0) return block
  }
}

test.run()
