import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lazyPool } from '../../../src/store/ingest/lazy-pool.ts'
import type { DigestJob, ExtractJob } from '../../../src/store/ingest/protocol.ts'
import { NODE, objectId } from '../../../src/store/object/id.ts'
import { seededRandom } from '../../support/random.ts'
import { chunkIds, filesJob, ingestRoom, sha256, statOf, storedIds } from './room.ts'

const test = suite('lazy-pool')
const MIB = 1 << 20

/** Writes a file of a few bytes: whether it is there shows whether the job was run. */
function writing(path: string): ExtractJob {
  const none = new Uint32Array(0)
  return {
    kind: 'extract',
    records: {
      packs: [],
      pack: none,
      offset: none,
      stored: none,
      raw: none,
      type: new Uint8Array(0),
      ids: new Uint8Array(0),
      lengths: new Float64Array(0),
    },
    file: none,
    paths: [path],
    executable: Uint8Array.of(0),
    inline: new Map([[0, Buffer.from('done')]]),
    staging: undefined,
  }
}

function digestJob(path: string): DigestJob {
  return { kind: 'digest', path, stat: statOf(path) }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('small jobs are put off until somebody waits', async () => {
  await using room = await ingestRoom()
  const pool = lazyPool(room.options, 4)
  const path = `${room.layout.tmp}/file`
  const job = pool.run(writing(path))
  await turn()
  assert.not.ok(fs.existsSync(path))
  await pool.wait(job)
  assert.is(fs.readFileSync(path, 'utf8'), 'done')
  await pool.close()
})

test('a job that another one asks for starts while somebody waits for both', async () => {
  await using room = await ingestRoom()
  for (const threads of [0, 4]) {
    const pool = lazyPool(room.options, threads)
    const paths = [1, 2, 3].map((number) => `${room.layout.tmp}/${threads}-${number}`)
    const all = (async () => {
      for (const path of paths) {
        await pool.run(writing(path))
        await turn()
      }
    })()
    await pool.wait(all)
    assert.ok(paths.every((path) => fs.existsSync(path)))
    await pool.close()
  }
})

test('jobs are put off again when nobody waits any more', async () => {
  await using room = await ingestRoom()
  const pool = lazyPool(room.options, 4)
  await pool.wait(Promise.resolve())
  try {
    await pool.wait(Promise.reject(new Error('given up')))
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), 'given up')
  }
  const path = `${room.layout.tmp}/file`
  const job = pool.run(writing(path))
  await turn()
  assert.not.ok(fs.existsSync(path))
  await pool.wait(job)
  await pool.close()
})

test('work that pays for threads starts them, without anybody waiting', async () => {
  await using room = await ingestRoom()
  const pool = lazyPool(room.options, 2)
  const content = Buffer.alloc(9 * MIB, 'some text ')
  const path = room.write('large', content)
  // Together more than 16 MiB, so the one that was put off starts with the other.
  const results = await Promise.all([pool.run(digestJob(path)), pool.run(digestJob(path))])
  for (const { sha256: found } of results) {
    assert.is(Buffer.from(found).toString('hex'), sha256(content))
  }
  await pool.close()
})

test('chunks of a small commit share a pack with what stands beside them', async () => {
  await using room = await ingestRoom()
  const pool = lazyPool(room.options, 4)
  const path = room.write('a', 'a'.repeat(100))
  await pool.wait(pool.run(filesJob([path])))
  const bytes = Buffer.from('a node')
  const { packs, mixed } = await pool.finish([{ kind: NODE, id: objectId(NODE, bytes), bytes }])
  assert.ok(mixed)
  assert.equal(
    packs.map(({ kind }) => kind),
    ['mixed'],
  )
  assert.is(storedIds(room.layout, packs).length, 2)
  await pool.close()
})

test('what was stored here before threads were started is kept, and nothing stands beside it', async () => {
  await using room = await ingestRoom()
  const pool = lazyPool(room.options, 2)
  const first = room.write('first', 'f'.repeat(1000))
  await pool.wait(pool.run(filesJob([first])))
  const random = seededRandom(1)
  const contents = Array.from({ length: 6 }, () => random.bytes(3 * MIB))
  const jobs = contents.map((bytes, index) => pool.run(filesJob([room.write(`${index}`, bytes)])))
  await pool.wait(Promise.all(jobs))
  const bytes = Buffer.from('a node')
  const { packs, mixed } = await pool.finish([{ kind: NODE, id: objectId(NODE, bytes), bytes }])
  assert.not.ok(mixed)
  const expected = [Buffer.from('f'.repeat(1000)), ...contents].flatMap(chunkIds)
  assert.equal(storedIds(room.layout, packs), expected.sort())
  await pool.close()
})

test('a pool that was closed takes no more jobs, and starts no thread for them', async () => {
  await using room = await ingestRoom()
  const path = room.write('large', Buffer.alloc(17 * MIB))
  const pool = lazyPool(room.options, 2)
  await pool.close()
  try {
    await pool.run(digestJob(path))
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), 'closed')
  }
})

test('a pool that never worked ends with no pack, and one that is closed with work put off just ends', async () => {
  await using room = await ingestRoom()
  const idle = lazyPool(room.options, 2)
  assert.equal(await idle.finish([]), { packs: [], mixed: false })
  await idle.close()
  const pool = lazyPool(room.options, 2)
  const path = `${room.layout.tmp}/file`
  void pool.run(writing(path))
  await pool.close()
  await turn()
  assert.not.ok(fs.existsSync(path))
})

test.run()
