import fs from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  inlinePool,
  type Pool,
  type PoolOptions,
  workerCount,
  workerPool,
} from '../../../src/store/ingest/pool.ts'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { NODE, objectId } from '../../../src/store/object/id.ts'
import { seededRandom } from '../../support/random.ts'
import { chunkIds, filesJob, hexIds, ingestRoom, type Room, sha256, storedIds } from './room.ts'

const test = suite('pool')
const MIB = 1 << 20

/** The same must hold with no thread and with any number of them. */
const pools: readonly [name: string, make: (options: PoolOptions) => Pool][] = [
  ['no thread', inlinePool],
  ['1 thread', (options) => workerPool(options, 1)],
  ['4 threads', (options) => workerPool(options, 4)],
]

async function failure(promise: Promise<unknown>): Promise<NodeJS.ErrnoException> {
  try {
    await promise
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
  throw new Error('nothing failed')
}

function leftOver({ layout }: Room): string[] {
  return [...fs.readdirSync(layout.tmp), ...fs.readdirSync(layout.packs)]
}

for (const [name, make] of pools) {
  test(`with ${name}, jobs answer with the ids of their files and store each new chunk once`, async () => {
    await using room = await ingestRoom()
    const random = seededRandom(1)
    const contents = [0, 64, 65, 262_144, 262_145, MIB].map((size) => random.bytes(size))
    const paths = contents.map((bytes, index) => room.write(`${index}`, bytes))
    const pool = make(room.options)
    // More jobs than the threads can hold, all of the same files.
    const results = await Promise.all(Array.from({ length: 20 }, () => pool.run(filesJob(paths))))
    const expected = contents.filter(({ length }) => length > 64).map(chunkIds)
    for (const { ids, counts, inline, digests, failures } of results) {
      assert.equal(hexIds(ids), expected.flat())
      assert.equal(Array.from(counts), [0, 0, ...expected.map(({ length }) => length)])
      assert.equal(inline.get(1), new Uint8Array(contents[1] as Buffer))
      assert.equal([...digests.keys()], [4, 5])
      assert.is(
        Buffer.from(digests.get(5) as Uint8Array).toString('hex'),
        sha256(contents[5] as Buffer),
      )
      assert.is(failures.size, 0)
    }
    const { packs } = await pool.finish([])
    assert.equal(storedIds(room.layout, packs), expected.flat().sort())
    await pool.close()
    assert.equal(leftOver(room).length, packs.length)
  })

  test(`with ${name}, only hashing stores nothing`, async () => {
    await using room = await ingestRoom()
    const decide = (): never => {
      throw new Error('nobody should ask')
    }
    const pool = make({ ...room.options, decide })
    const path = room.write('a', 'a'.repeat(100))
    const { ids } = await pool.run(filesJob([path], false))
    assert.equal(hexIds(ids), [sha256('a'.repeat(100))])
    assert.equal((await pool.finish([])).packs, [])
    await pool.close()
    assert.equal(leftOver(room), [])
  })

  test(`with ${name}, closing an unfinished pool removes what it wrote`, async () => {
    await using room = await ingestRoom()
    const pool = make(room.options)
    const random = seededRandom(2)
    const jobs = Array.from({ length: 8 }, (_, index) =>
      pool.run(filesJob([room.write(`${index}`, random.bytes(MIB))])),
    )
    await Promise.all(jobs)
    await pool.close()
    assert.equal(leftOver(room), [])
  })

  test(`with ${name}, an error of the system keeps its code, and closing still works`, async () => {
    await using room = await ingestRoom()
    const pool = make(room.options)
    fs.rmdirSync(room.layout.tmp)
    const path = room.write('a', 'a'.repeat(100))
    const jobs = async (): Promise<void> => {
      await pool.run(filesJob([path]))
      await pool.finish([])
    }
    assert.is((await failure(jobs())).code, 'ENOENT')
    await pool.close()
  })

  test(`with ${name}, a decision that fails fails the commit, and closing still works`, async () => {
    await using room = await ingestRoom()
    const decide = (): never => {
      throw new Error('the index is broken')
    }
    const pool = make({ ...room.options, decide })
    const path = room.write('a', 'a'.repeat(100))
    assert.is((await failure(pool.run(filesJob([path])))).message, 'the index is broken')
    await pool.close()
    assert.equal(leftOver(room), [])
  })
}

test('with threads, a pool that failed or was closed takes no more jobs', async () => {
  await using room = await ingestRoom()
  const pool = workerPool(room.options, 2)
  await pool.close()
  const path = room.write('a', 'a'.repeat(100))
  assert.match((await failure(pool.run(filesJob([path])))).message, 'closed')
})

test('a thread that dies fails all jobs, and closing does not wait for it', async () => {
  await using room = await ingestRoom()
  // No ids: the thread ends before its first job.
  const droppedIds = (): Uint8Array => ({ length: 32 }) as Uint8Array
  const pool = workerPool({ ...room.options, droppedIds }, 2)
  const path = room.write('a', 'a'.repeat(100))
  const error = await failure(Promise.all([pool.run(filesJob([path])), pool.run(filesJob([path]))]))
  assert.match(error.message, 'subarray')
  // Both threads have ended by now.
  await setTimeout(300)
  const hang = setTimeout(5000, 'still waiting', { ref: false })
  assert.is(await Promise.race([pool.close(), hang]), undefined)
})

test('with threads, what is small altogether stays in packs of its own', async () => {
  await using room = await ingestRoom()
  const bytes = Buffer.from('a node')
  const beside = [{ kind: NODE, id: objectId(NODE, bytes), bytes }] as const
  const pool = workerPool(room.options, 2)
  await pool.run(filesJob([room.write('a', 'a'.repeat(100))]))
  const { packs, mixed } = await pool.finish(beside)
  assert.not.ok(mixed)
  assert.equal(
    packs.map(({ kind }) => kind),
    ['data'],
  )
  await pool.close()
})

test('a chunk of a dropped pack goes to one of another name', async () => {
  await using room = await ingestRoom()
  const path = room.write('a', 'a'.repeat(100))
  const decide = (): Uint8Array => Uint8Array.of(1)
  const first = inlinePool({ ...room.options, decide })
  await first.run(filesJob([path]))
  const [before] = (await first.finish([])).packs
  await first.close()
  assert.ok(before)
  const gone = {
    isDropped: (id: string) => id === before.id,
    droppedIds: () => Buffer.from(before.id, 'hex'),
  }
  for (const make of [inlinePool, (options: PoolOptions) => workerPool(options, 1)]) {
    const pool = make({ ...room.options, decide, ...gone })
    await pool.run(filesJob([path]))
    const { packs } = await pool.finish([])
    await pool.close()
    assert.is.not(packs[0]?.id, before.id)
    assert.equal(storedIds(room.layout, packs), [sha256('a'.repeat(100))])
  }
})

test('a number of threads is given, or that of the cores, and at most four', async () => {
  await loadHashes()
  assert.is(workerCount(0), 0)
  assert.is(workerCount(3), 3)
  assert.is(workerCount(100), 4)
  assert.ok(workerCount(undefined) >= 1 && workerCount(undefined) <= 4)
})

test.run()
