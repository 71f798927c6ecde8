import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { operationPath, segmentPath } from '../../../src/store/layout.ts'
import { LogReader } from '../../../src/store/log/log-reader.ts'
import { throwsCode } from '../../support/rejects.ts'
import {
  contentOf,
  removeIndexFiles,
  type Store,
  temporaryStore,
} from '../index/temporary-store.ts'
import {
  emptyOperations,
  makeSegment,
  nameOf,
  writeOperation,
  writeOperations,
} from './short-segments.ts'

const test = suite('log reader')
const WAYS = [{ wholeLog: false }, { wholeLog: true }]

test('reads the same from files, from segments, and from any mixture of both', async () => {
  await fc.assert(
    fc.asyncProperty(mixture, async ({ count, segments, empties, start }) => {
      await using store = await temporaryStore('process')
      const hashes = writeOperations(store, count)
      const ranges = segments
        .map(([k, size]) => ({ first: k * size + 1, last: (k + 1) * size }))
        .filter(({ last }) => last <= count)
      for (const range of ranges) makeSegment(store, range)
      const folded = [...new Set(empties)].filter((n) =>
        ranges.some(({ first, last }) => first <= n && n <= last),
      )
      emptyOperations(store, folded)
      for (const way of WAYS) {
        using reader = new LogReader(store.layout, way)
        for (let n = Math.min(start, count); n <= count; n++) {
          assert.ok(reader.has(n))
          assert.is(reader.read(n, hashes[n - 1])?.hash, hashes[n])
          assert.ok(reader.bears(n, hashes[n] ?? ''))
          assert.not.ok(reader.bears(n, hashes[n - 1] ?? ''))
        }
        assert.not.ok(reader.has(count + 1))
        assert.is(reader.read(count + 1, hashes[count]), undefined)
        // Also out of order.
        for (const n of folded) assert.is(reader.read(n, hashes[n - 1])?.hash, hashes[n])
      }
    }),
    { numRuns: 60 },
  )
})

test('brings an index to the same state from any mixture, at once and by and by', async () => {
  await fc.assert(
    fc.asyncProperty(mixture, async ({ count, segments, empties, start }) => {
      await using store = await temporaryStore('process')
      writeOperations(store, Math.min(start, count))
      using early = store.open()
      writeOperations(store, count)
      using plain = store.open()
      const expected = contentOf(plain)
      plain.close()
      const ranges = segments
        .map(([k, size]) => ({ first: k * size + 1, last: (k + 1) * size }))
        .filter(({ last }) => last <= count)
      for (const range of ranges) makeSegment(store, range)
      emptyOperations(
        store,
        [...new Set(empties)].filter((n) =>
          ranges.some(({ first, last }) => first <= n && n <= last),
        ),
      )
      early.refresh()
      assert.equal(contentOf(early), expected)
      early.close()
      removeIndexFiles(store)
      using rebuilt = store.open()
      assert.equal(contentOf(rebuilt), expected)
    }),
    { numRuns: 15 },
  )
})

test('an empty file that is in no segment is damage, and named', async () => {
  await using store = await temporaryStore()
  const hashes = writeOperations(store, 6)
  makeSegment(store, { first: 1, last: 4 })
  emptyOperations(store, [5])
  for (const way of WAYS) {
    using reader = new LogReader(store.layout, way)
    const error = throwsCode(() => reader.read(5, hashes[4]), 'ERR_DAMAGED')
    assert.match(error.message, operationPath(store.layout, 5))
    assert.match(error.message, 'no segment holds it')
  }
})

test('a file that is damaged is read in its segment, whatever is wrong with it', async () => {
  await using store = await temporaryStore()
  const hashes = writeOperations(store, 8)
  makeSegment(store, { first: 1, last: 4 })
  truncateSync(operationPath(store.layout, 2), 100)
  writeFileSync(operationPath(store.layout, 3), 'nonsense')
  writeOperation(store, 4, hashes[3] ?? '', 'other')
  writeFileSync(operationPath(store.layout, 6), 'nonsense')
  using whole = new LogReader(store.layout, { wholeLog: true })
  for (const n of [1, 2, 3, 4, 5]) assert.is(whole.read(n, hashes[n - 1])?.hash, hashes[n])
  for (const n of [1, 2, 3]) {
    using reader = new LogReader(store.layout)
    assert.is(reader.read(n, hashes[n - 1])?.hash, hashes[n])
    assert.ok(reader.bears(n, hashes[n] ?? ''))
  }
  const error = throwsCode(() => whole.read(6, hashes[5]), 'ERR_DAMAGED')
  assert.match(error.message, operationPath(store.layout, 6))
})

test('a file that is lost is read in its segment, by whoever reads the whole log', async () => {
  await using store = await temporaryStore()
  const hashes = writeOperations(store, 6)
  makeSegment(store, { first: 1, last: 4 })
  for (const n of [1, 2, 4]) rmSync(operationPath(store.layout, n))
  using index = store.open()
  assert.is(index.refresh().applied, 6)
  using reader = new LogReader(store.layout)
  assert.ok(reader.bears(4, hashes[4] ?? ''))
})

test('a damaged segment is named where nothing else has the operation, and else not needed', async () => {
  const harms: readonly ((path: string, other: string) => void)[] = [
    (path) => flip(path, 0.7),
    (path) => truncateSync(path, Math.floor(readFileSync(path).length * 0.6)),
    (path) => truncateSync(path, 0),
    (path, other) => writeFileSync(path, readFileSync(other)),
    (path) => writeFileSync(path, Buffer.alloc(5000)),
  ]
  for (const [i, harm] of harms.entries()) {
    for (const way of WAYS) {
      await using store = await temporaryStore()
      const hashes = writeOperations(store, 10)
      const path = makeSegment(store, { first: 1, last: 4 })
      harm(path, makeSegment(store, { first: 5, last: 8 }))
      readAll(store, hashes, way)

      emptyOperations(store, [1, 2, 3, 4])
      const error = throwsCode(() => readAll(store, hashes, way), 'ERR_DAMAGED')
      assert.match(error.message, path, `harm ${i}`)
    }
  }
})

test('smaller segments and files stand in for a large one that is damaged', async () => {
  for (const way of WAYS) {
    await using store = await temporaryStore()
    const hashes = writeOperations(store, 16)
    const large = makeSegment(store, { first: 1, last: 16 })
    makeSegment(store, { first: 1, last: 4 })
    const small = makeSegment(store, { first: 9, last: 12 })
    flip(large, 0.6)
    emptyOperations(store, [1, 2, 3, 4, 9, 10, 11, 12])
    readAll(store, hashes, way)
    rmSync(small)
    assert.match(throwsCode(() => readAll(store, hashes, way), 'ERR_DAMAGED').message, large)
  }
})

test('two sound segments that disagree are damage, and both are named', async () => {
  await using store = await temporaryStore()
  const hashes = writeOperations(store, 16)
  const large = makeSegment(store, { first: 1, last: 16 })
  const files = readFileSync(operationPath(store.layout, 8))
  writeOperation(store, 8, hashes[7] ?? '', 'other')
  const small = makeSegment(store, { first: 5, last: 8 })
  writeFileSync(operationPath(store.layout, 8), files)
  const error = throwsCode(() => store.open(), 'ERR_DAMAGED')
  assert.match(error.message, large)
  assert.match(error.message, small)

  // One that is no log at all disagrees with nothing.
  truncateSync(small, 1000)
  using index = store.open()
  assert.is(index.refresh().applied, 16)
})

test('a segment that forks from what follows it is damage', async () => {
  await using store = await temporaryStore()
  const hashes = writeOperations(store, 6)
  const [file4, file3] = [4, 3].map((n) => readFileSync(operationPath(store.layout, n)))
  const other = writeOperation(store, 3, hashes[2] ?? '', 'other')
  writeOperation(store, 4, other)
  const path = makeSegment(store, { first: 1, last: 4 })
  writeFileSync(operationPath(store.layout, 4), file4 ?? '')
  writeFileSync(operationPath(store.layout, 3), file3 ?? '')
  const error = throwsCode(() => store.open(), 'ERR_DAMAGED')
  assert.match(error.message, operationPath(store.layout, 5))
  rmSync(path)
  using index = store.open()
  assert.is(index.refresh().applied, 6)
})

test('waits for a segment that is seen late', async () => {
  await using store = await temporaryStore()
  const hashes = writeOperations(store, 4)
  const path = makeSegment(store, { first: 1, last: 4 })
  renameSync(path, `${path}.late`)
  emptyOperations(store, [1, 2, 3, 4])
  for (const way of WAYS) {
    const worker = renameLater(`${path}.late`, path)
    await worker.started
    using reader = new LogReader(store.layout, way)
    assert.is(reader.read(2, hashes[1])?.hash, hashes[2])
    assert.is(await worker.done, 0)
    renameSync(path, `${path}.late`)
  }
})

test('goes on in a large segment when the small one it knew is gone', async () => {
  for (const way of WAYS) {
    await using store = await temporaryStore()
    const hashes = writeOperations(store, 16)
    const small = [1, 5, 9, 13].map((first) => makeSegment(store, { first, last: first + 3 }))
    using reader = new LogReader(store.layout, way)
    const read = (n: number): void => assert.is(reader.read(n, hashes[n - 1])?.hash, hashes[n])
    const large = makeSegment(store, { first: 1, last: 16 })
    renameSync(large, `${large}.later`)
    emptyOperations(
      store,
      Array.from({ length: 16 }, (_, i) => i + 1),
    )
    for (let n = 1; n <= 6; n++) read(n)
    renameSync(`${large}.later`, large)
    for (const path of small) rmSync(path)
    for (let n = 7; n <= 16; n++) read(n)
  }
})

test('says which bytes an operation has, and no others', async () => {
  await using store = await temporaryStore()
  const hashes = writeOperations(store, 4)
  const file = readFileSync(operationPath(store.layout, 3))
  makeSegment(store, { first: 1, last: 4 })
  for (const way of WAYS) {
    using reader = new LogReader(store.layout, way)
    assert.equal(reader.bytes(3, hashes[3] ?? ''), file)
    throwsCode(() => reader.bytes(3, hashes[2] ?? ''), 'ERR_DAMAGED')
    assert.is(reader.bytes(5, ''), undefined)
  }
})

test('takes only names of segments for segments', async () => {
  assert.is(nameOf(1, 256), '000000000001-000000000256.jsonl')
  await using store = await temporaryStore()
  const hashes = writeOperations(store, 4)
  const path = makeSegment(store, { first: 1, last: 4 })
  const { layout } = store
  renameSync(path, segmentPath(layout, { first: 1, last: 4 }).replace('.jsonl', '.json'))
  emptyOperations(store, [1])
  using reader = new LogReader(layout, { wholeLog: true })
  throwsCode(() => reader.read(1, hashes[0]), 'ERR_DAMAGED')
})

/** Where the operations of a log may stand: how many there are, segments as (number, size), and empty files. */
const mixture = fc.record({
  count: fc.integer({ min: 1, max: 40 }),
  segments: fc.uniqueArray(
    fc.oneof(
      fc.tuple(fc.nat(9), fc.constant(4)),
      fc.tuple(fc.nat(1), fc.constant(16)),
      fc.tuple(fc.nat(1), fc.constant(32)),
    ),
    { selector: (segment) => segment.join(), maxLength: 12 },
  ),
  empties: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }),
  start: fc.integer({ min: 1, max: 40 }),
})

function readAll(store: Store, hashes: readonly string[], way: { wholeLog: boolean }): void {
  using reader = new LogReader(store.layout, way)
  for (let n = 1; n < hashes.length; n++) {
    assert.is(reader.read(n, hashes[n - 1])?.hash, hashes[n])
  }
}

/** Flips a bit somewhere in the file. */
function flip(path: string, where: number): void {
  const bytes = readFileSync(path)
  const at = Math.floor(bytes.length * where)
  bytes[at] = (bytes[at] as number) ^ 1
  writeFileSync(path, bytes)
}

/** Renames a file while this thread waits. */
function renameLater(from: string, to: string): { started: Promise<void>; done: Promise<number> } {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    parentPort.postMessage('started')
    setTimeout(() => require('node:fs').renameSync(workerData.from, workerData.to), 60)`
  const worker = new Worker(code, { eval: true, workerData: { from, to } })
  const done = new Promise<number>((resolve, reject) => {
    worker.on('exit', resolve)
    worker.on('error', reject)
  })
  const started = new Promise<void>((resolve) => worker.once('message', () => resolve()))
  return { started, done }
}

test.run()
