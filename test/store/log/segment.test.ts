import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeOperation } from '../../../src/store/log/operation.ts'
import {
  checkSegment,
  hashOfRecord,
  isSound,
  type Segment,
  SegmentCursor,
} from '../../../src/store/log/segment.ts'
import { throwsCode } from '../../support/rejects.ts'
import { type Store, temporaryStore } from '../index/temporary-store.ts'
import { makeSegment, writeOperation, writeOperations } from './short-segments.ts'

const test = suite('segment')

test('holds the files of its operations, which are read in order or by number', async () => {
  await using store = await temporaryStore()
  const { segment, hashes, files } = segmentOf(store, 5, 8)
  {
    using cursor = new SegmentCursor(segment)
    for (let n = 5; n <= 8; n++) {
      assert.is(cursor.next, n)
      assert.equal(cursor.read(n), files[n - 5])
    }
  }
  for (let n = 5; n <= 8; n++) {
    using cursor = new SegmentCursor(segment)
    const entry = decodeOperation(cursor.read(n), { n, prev: hashes[n - 1], path: '' })
    assert.is(entry.hash, hashes[n])
  }
  checkSegment(segment, (n) => hashes[n])
  assert.ok(isSound(segment))
})

test('is read through a buffer that is shorter than its lines', async () => {
  await using store = await temporaryStore()
  const lines = [10, 1_000_000, 3_000_000, 5, 262_144].map((length, i) =>
    Buffer.from(`${String(i).repeat(length)}\n${'f'.repeat(64)}\n`),
  )
  const segment = { first: 1, last: lines.length, path: `${store.layout.log}/x` }
  writeFileSync(segment.path, Buffer.concat(lines))
  using cursor = new SegmentCursor(segment)
  for (const [i, line] of lines.entries()) assert.ok(cursor.read(i + 1).equals(line))
  using last = new SegmentCursor(segment)
  assert.ok(last.read(5).equals(lines[4] as Buffer))
})

test('is damaged wherever it is cut', async () => {
  await using store = await temporaryStore('process')
  const { segment, hashes } = segmentOf(store, 1, 2)
  const { length } = readFileSync(segment.path)
  for (let size = length - 1; size >= 0; size--) {
    truncateSync(segment.path, size)
    const error = throwsCode(() => checkSegment(segment, (n) => hashes[n]), 'ERR_DAMAGED')
    assert.match(error.message, segment.path)
    assert.not.ok(isSound(segment))
  }
})

test('is damaged whichever bit is flipped', async () => {
  await using store = await temporaryStore('process')
  const { segment, hashes } = segmentOf(store, 1, 2)
  const good = readFileSync(segment.path)
  for (let i = 0; i < good.length; i++) {
    const bad = Buffer.from(good)
    bad[i] = (bad[i] as number) ^ (1 << (i % 8))
    writeFileSync(segment.path, bad)
    throwsCode(() => checkSegment(segment, (n) => hashes[n]), 'ERR_DAMAGED')
    assert.not.ok(isSound(segment), `byte ${i}`)
  }
})

test('is damaged when more follows', async () => {
  await using store = await temporaryStore()
  const { segment, hashes, files } = segmentOf(store, 1, 3)
  for (const more of [Buffer.from('\n'), files[0] as Buffer]) {
    writeFileSync(segment.path, Buffer.concat([...files, more]))
    const error = throwsCode(() => checkSegment(segment, (n) => hashes[n]), 'ERR_DAMAGED')
    assert.match(error.message, 'does not end with operation 3')
    assert.not.ok(isSound(segment))
  }
})

test('is refused without reading all of it when a line has no end', async () => {
  await using store = await temporaryStore()
  const { segment, files } = segmentOf(store, 1, 3)
  for (const before of [0, 1, 2]) {
    writeFileSync(segment.path, Buffer.concat(files.slice(0, before)))
    truncateSync(segment.path, 2 ** 40)
    throwsCode(() => checkSegment(segment, () => ''), 'ERR_DAMAGED')
  }
  const [line = ''] = (files[0] as Buffer).toString().split('\n')
  writeFileSync(segment.path, `${line}\n`)
  truncateSync(segment.path, 2 ** 40)
  using cursor = new SegmentCursor(segment)
  throwsCode(() => cursor.read(1), 'ERR_DAMAGED')
})

test('is damaged when it has the place of another one, or is no file', async () => {
  await using store = await temporaryStore()
  const { segment, hashes } = segmentOf(store, 1, 4)
  const { segment: other } = segmentOf(store, 5, 8)
  writeFileSync(segment.path, readFileSync(other.path))
  throwsCode(() => checkSegment(segment, (n) => hashes[n]), 'ERR_DAMAGED')
  assert.not.ok(isSound(segment))
  const directory = { ...segment, path: store.layout.log }
  const error = throwsCode(() => checkSegment(directory, (n) => hashes[n]), 'ERR_DAMAGED')
  assert.match(error.message, 'cannot be read')
})

test('is not sound when its operations do not follow each other', async () => {
  await using store = await temporaryStore()
  const hashes = writeOperations(store, 4)
  writeOperation(store, 2, hashes[1] ?? '', 'other')
  const segment = { first: 1, last: 4, path: makeSegment(store, { first: 1, last: 4 }) }
  assert.not.ok(isSound(segment))
  const begin = { first: 3, last: 4, path: makeSegment(store, { first: 3, last: 4 }) }
  assert.ok(isSound(begin))
})

test('does not hold what nobody knows', async () => {
  await using store = await temporaryStore()
  const { segment, hashes } = segmentOf(store, 1, 4)
  throwsCode(() => checkSegment(segment, (n) => (n === 4 ? undefined : hashes[n])), 'ERR_DAMAGED')
})

test('says that it is gone as the system does', async () => {
  await using store = await temporaryStore()
  const { segment } = segmentOf(store, 1, 4)
  rmSync(segment.path)
  assert.throws(() => new SegmentCursor(segment), /ENOENT/)
})

test('knows the hash of an operation only when it bears the right one', () => {
  assert.is(hashOfRecord(Buffer.from('')), undefined)
  assert.is(hashOfRecord(Buffer.from(`{}\n${'0'.repeat(64)}\n`)), undefined)
})

/** Writes operations from 1 on, and a segment of some of them. */
function segmentOf(
  store: Store,
  first: number,
  last: number,
): { segment: Segment; hashes: string[]; files: Buffer[] } {
  const hashes = writeOperations(store, last)
  const path = makeSegment(store, { first, last })
  const files = Array.from({ length: last - first + 1 }, (_, i) => {
    const name = `${String(first + i).padStart(12, '0')}.json`
    return readFileSync(`${store.layout.log}/${name}`)
  })
  return { segment: { first, last, path }, hashes, files }
}

test.run()
