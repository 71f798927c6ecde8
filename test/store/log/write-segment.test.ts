import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DeadError, installFaults, watchCalls } from '../../../src/store/io/faults.ts'
import { intercept } from '../../../src/store/io/intercept.ts'
import { operationPath, segmentPath } from '../../../src/store/layout.ts'
import { checkSegment } from '../../../src/store/log/segment.ts'
import { segmentsEndingWith, writeSegment } from '../../../src/store/log/write-segment.ts'
import { canHappen } from '../../support/crash.ts'
import { throwsCode } from '../../support/rejects.ts'
import { temporaryStore } from '../index/temporary-store.ts'
import {
  commitMany,
  commitOne,
  emptyOperations,
  folding,
  makeSegment,
  nameOf,
  SIZES,
  segmentNames,
  strayNames,
} from './short-segments.ts'

const test = suite('write segment')

test('segments of 256 and of 16,384 operations end where their size divides the number', () => {
  assert.equal(segmentsEndingWith(255), [])
  assert.equal(segmentsEndingWith(256), [{ first: 1, last: 256 }])
  assert.equal(segmentsEndingWith(512), [{ first: 257, last: 512 }])
  assert.equal(segmentsEndingWith(16_384), [
    { first: 16_129, last: 16_384 },
    { first: 1, last: 16_384 },
  ])
  assert.equal(segmentsEndingWith(0), [])
})

test('whoever commits the last operation of a segment writes it', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 3)
  assert.equal(segmentNames(store), [])
  await commitMany(store, index, 30)
  const small = [1, 5, 9, 13, 17, 21, 25, 29].map((first) => nameOf(first, first + 3))
  assert.equal(segmentNames(store), [...small, nameOf(1, 16), nameOf(17, 32)].sort())
  for (const [first, last] of [
    [5, 8],
    [17, 32],
  ] as const) {
    const path = segmentPath(store.layout, { first, last })
    checkSegment({ first, last, path }, (n) => index.state.operation(n)?.hash)
    const bytes = readFileSync(path)
    rmSync(path)
    assert.equal(readFileSync(makeSegment(store, { first, last })), bytes)
  }
  assert.equal(strayNames(store), [])
})

test('the same bytes whoever writes it, and from whatever', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 16)
  const range = { first: 1, last: 16 }
  const path = segmentPath(store.layout, range)
  const bytes = readFileSync(path)
  const again = (): void => {
    rmSync(path)
    assert.ok(writeSegment(folding(store, index), range))
    assert.equal(readFileSync(path), bytes)
  }
  again()
  assert.not.ok(writeSegment(folding(store, index), range))
  emptyOperations(store, [1, 2, 3, 4, 9, 12])
  again()
  rmSync(segmentPath(store.layout, { first: 5, last: 8 }))
  again()
  truncateSync(operationPath(store.layout, 13), 10)
  again()
})

test('only the last operation of a segment pays for it', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const syncs: string[] = []
  for (let n = 1; n <= 9; n++) {
    const watched = watchCalls()
    await commitOne(store, index)
    const kinds = watched.stop().map(({ kind }) => kind)
    syncs.push(kinds.filter((kind) => kind.startsWith('fsync')).join())
  }
  const plain = 'fsync,fsyncDirectory'
  const last = 'fsync,fsyncDirectory,fsync'
  assert.equal(syncs, [plain, plain, plain, last, plain, plain, plain, last, plain])
})

test('is durable before it has its name', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 3)
  const watched = watchCalls()
  await commitOne(store, index)
  const calls = watched.stop()
  const end = calls.findIndex(({ kind }) => kind === 'fsyncDirectory')
  assert.equal(
    calls.slice(end).map(({ kind }) => kind),
    ['fsyncDirectory', 'unlink', 'open', 'write', 'fsync', 'close', 'link', 'unlink'],
  )
})

test('a commit stands although its segment cannot be written', async () => {
  for (const kind of ['open', 'write', 'fsync', 'close', 'link'] as const) {
    await using store = await temporaryStore()
    using index = store.open()
    await commitMany(store, index, 3)
    assert.ok(canHappen({ do: 'fail', code: 'EIO' }, kind))
    using faults = installFaults({ at: 2, kinds: [kind], fault: { do: 'fail', code: 'EIO' } })
    const { operation } = await commitOne(store, index)
    assert.ok(faults.fired, kind)
    faults.reset()
    assert.is(operation, 4)
    assert.equal(segmentNames(store), [])
    assert.equal(strayNames(store), [])
    await commitOne(store, index)
    assert.is(index.refresh().applied, 5)
  }
})

test('a simulated death while a segment is written is no failure to be forgiven', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 3)
  using faults = installFaults({
    at: 2,
    kinds: ['write'],
    fault: { do: 'die', when: 'before' },
  })
  const error = await commitOne(store, index).catch((e: unknown) => e)
  assert.ok(error instanceof DeadError)
  faults.reset()
  assert.is(index.refresh().applied, 4)
})

test('an operation that is not what the index knows gets into no segment', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 4)
  const path = segmentPath(store.layout, { first: 1, last: 4 })
  rmSync(path)
  const damaged = operationPath(store.layout, 2)
  const bytes = readFileSync(damaged)
  writeFileSync(damaged, 'nonsense')
  const log = folding(store, index)
  const error = throwsCode(() => writeSegment(log, { first: 1, last: 4 }), 'ERR_DAMAGED')
  assert.match(error.message, damaged)
  assert.not.ok(existsSync(path))
  writeFileSync(damaged, bytes)
  rmSync(operationPath(store.layout, 3))
  throwsCode(() => writeSegment(log, { first: 1, last: 4 }), 'ERR_DAMAGED')
  throwsCode(() => writeSegment(log, { first: 5, last: 8 }), 'ERR_DAMAGED')
  assert.equal(strayNames(store), [])
})

test('where there are no hard links it is renamed', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const stop = intercept({
    before({ kind }) {
      if (kind === 'link') throw Object.assign(new Error('EPERM'), { code: 'EPERM', errno: -1 })
    },
  })
  await commitMany(store, index, 4)
  stop()
  assert.equal(segmentNames(store), [nameOf(1, 4)])
  assert.equal(strayNames(store), [])
  const path = segmentPath(store.layout, { first: 1, last: 4 })
  checkSegment({ first: 1, last: 4, path }, (n) => index.state.operation(n)?.hash)
})

test('a process that wakes late changes nothing', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  using other = store.open()
  await commitMany(store, index, 3)
  let links = 0
  const stop = intercept({
    before({ kind, to }) {
      if (kind !== 'link' || !to?.endsWith('.jsonl') || links++ > 0) return
      // Just before the segment gets its name, another process has written it.
      other.refresh()
      assert.ok(writeSegment(folding(store, other), { first: 1, last: 4 }))
    },
  })
  await commitOne(store, index)
  stop()
  assert.is(links, 2)
  assert.equal(segmentNames(store), [nameOf(1, SIZES.small)])
  assert.equal(strayNames(store), [])
})

test.run()
