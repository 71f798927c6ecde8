import { existsSync, lstatSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoreIndex } from '../../../src/store/index/store-index.ts'
import { installFaults, watchCalls } from '../../../src/store/io/faults.ts'
import { intercept } from '../../../src/store/io/intercept.ts'
import { operationPath, segmentPath } from '../../../src/store/layout.ts'
import {
  type FoldOptions,
  type FoldReport,
  foldOperations,
  KEEP_OPERATIONS,
} from '../../../src/store/log/folding.ts'
import {
  contentOf,
  removeIndexFiles,
  type Store,
  temporaryStore,
} from '../index/temporary-store.ts'
import {
  commitMany,
  commitOne,
  emptyNumbers,
  folding,
  makeSegment,
  nameOf,
  segmentNames,
  strayNames,
  writeOperation,
} from './short-segments.ts'

const test = suite('folding')

test('keeps the newest operations, and those that are young', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 14)
  const before = contentOf(index)
  assert.is(fold(store, index).folded, 0)
  assert.is(fold(store, index, { keep: 0, grace: 60_000 }).folded, 0)
  assert.is(fold(store, index, { keep: 0, grace: 0, now: Date.now() - 60_000 }).folded, 0)
  assert.equal(emptyNumbers(store), [])

  assert.is(fold(store, index, { keep: 8 }).folded, 6)
  assert.equal(emptyNumbers(store), [1, 2, 3, 4, 5, 6])
  assert.is(fold(store, index, { keep: 0 }).folded, 6)
  assert.equal(emptyNumbers(store), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  assert.is(fold(store, index, { keep: 0 }).folded, 0)
  assert.equal(strayNames(store), [])
  assertSameAnew(store, before)
})

test('goes by the time of each operation', async () => {
  await using store = await temporaryStore()
  // A second apart, the first at 12:00:01.
  let prev = store.identity.hash
  for (let n = 1; n <= 8; n++) prev = writeOperation(store, n, prev)
  using index = store.open()
  const now = Date.UTC(2026, 10, 20, 12, 0, 10)
  assert.is(fold(store, index, { keep: 0, grace: 6000, now }).folded, 4)
  assert.is(fold(store, index, { keep: 0, grace: 5000, now }).folded, 1)
  assert.equal(emptyNumbers(store), [1, 2, 3, 4, 5])
})

test('keeps 1,000 if nobody says otherwise', async () => {
  assert.is(KEEP_OPERATIONS, 1000)
})

test('uses one inode a segment', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 12)
  fold(store, index, { keep: 0 })
  const inodes = Array.from({ length: 12 }, (_, i) => statSync(operationPath(store.layout, i + 1)))
  assert.is(new Set(inodes.map(({ ino }) => ino)).size, 3)
  assert.ok(inodes.every(({ nlink }) => nlink === 4))
})

test('needs no hard links', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 8)
  const before = contentOf(index)
  for (const code of ['EPERM', 'EMLINK']) {
    const stop = intercept({
      before({ kind }) {
        if (kind === 'link') throw Object.assign(new Error(code), { code, errno: -1 })
      },
    })
    assert.is(fold(store, index, { keep: code === 'EPERM' ? 4 : 0 }).folded, 4)
    stop()
  }
  assert.equal(strayNames(store), [])
  assertSameAnew(store, before)
})

test('writes segments that are missing, small and large', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 35)
  const before = segmentNames(store)
  const bytes = before.map((name) => readFileSync(`${store.layout.log}/${name}`))
  for (const name of before) rmSync(`${store.layout.log}/${name}`)
  assert.is(fold(store, index).written, before.length)
  // The small ones inside large ones are gone again.
  const left = [nameOf(1, 16), nameOf(17, 32)]
  assert.equal(segmentNames(store), left)
  for (const name of left) {
    assert.equal(readFileSync(`${store.layout.log}/${name}`), bytes[before.indexOf(name)])
  }
})

test('removes small segments for which there is a large one, but only then', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 22)
  const before = contentOf(index)
  const { removed, written } = fold(store, index)
  assert.equal({ removed, written }, { removed: 4, written: 0 })
  assert.equal(segmentNames(store), [nameOf(1, 16), nameOf(17, 20)])
  fold(store, index, { keep: 0 })
  assert.equal(emptyNumbers(store).length, 20)
  assertSameAnew(store, before)
})

test('syncs every segment and the directory before anything goes', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 18)
  const watched = watchCalls()
  fold(store, index, { keep: 0 })
  const calls = watched.stop()
  const firstGoing = calls.findIndex(({ kind }) => kind === 'rename')
  const syncs = calls.filter(({ kind }) => kind.startsWith('fsync'))
  assert.equal(
    syncs.map(({ kind, path }) => [kind, path]),
    [
      ['fsyncDirectory', store.layout.log],
      ['fsync', segmentPath(store.layout, { first: 1, last: 16 })],
      ['fsyncDirectory', store.layout.log],
    ],
  )
  assert.ok(calls.indexOf(syncs.at(-1) as (typeof calls)[number]) < firstGoing)
  const unlinked = calls.findIndex(({ kind, path }) => kind === 'unlink' && path.endsWith('.jsonl'))
  assert.ok(unlinked > firstGoing)
})

test('folds nothing where a sync fails', async () => {
  for (let at = 1; ; at++) {
    await using store = await temporaryStore()
    using index = store.open()
    await commitMany(store, index, 18)
    using faults = installFaults({
      at,
      kinds: ['fsync', 'fsyncDirectory'],
      fault: { do: 'fail', code: 'EIO' },
    })
    if (at === 4) {
      assert.is(fold(store, index, { keep: 0 }).folded, 16)
      assert.not.ok(faults.fired)
      break
    }
    assert.throws(() => fold(store, index, { keep: 0 }), /EIO/)
    assert.equal(emptyNumbers(store), [])
    assert.is(segmentNames(store).length, 5)
  }
})

test('folds nothing into a segment that is damaged, and names it', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 12)
  const path = segmentPath(store.layout, { first: 5, last: 8 })
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, -1))
  const { problems, folded } = fold(store, index, { keep: 0 })
  assert.is(folded, 8)
  assert.equal(emptyNumbers(store), [1, 2, 3, 4, 9, 10, 11, 12])
  assert.is(problems.length, 1)
  assert.match(problems[0]?.message ?? '', path)
  writeFileSync(path, bytes)
  assert.is(fold(store, index, { keep: 0 }).folded, 4)
})

test('removes no small segment for a large one that is damaged', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 16)
  const large = segmentPath(store.layout, { first: 1, last: 16 })
  writeFileSync(large, readFileSync(large).subarray(0, -70))
  const { problems, removed } = fold(store, index, { keep: 0 })
  assert.is(removed, 0)
  assert.match(problems[0]?.message ?? '', large)
  assert.is(segmentNames(store).length, 5)
})

test('writes no segment of operations that are damaged, and names them', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 8)
  for (const name of segmentNames(store)) rmSync(`${store.layout.log}/${name}`)
  writeFileSync(operationPath(store.layout, 6), 'nonsense')
  const { problems, written, folded } = fold(store, index, { keep: 0 })
  assert.equal({ written, folded }, { written: 1, folded: 4 })
  assert.match(problems[0]?.message ?? '', operationPath(store.layout, 6))
  assert.equal(strayNames(store), [])
})

test('gives a name that was lost back, so that nobody takes the number', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 8)
  const before = contentOf(index)
  rmSync(operationPath(store.layout, 2))
  rmSync(operationPath(store.layout, 7))
  fold(store, index, { keep: 0 })
  assert.equal(emptyNumbers(store), [1, 2, 3, 4, 5, 6, 7, 8])
  assertSameAnew(store, before)
})

test('a writer that slept while operations were folded away plans anew', async () => {
  await using store = await temporaryStore()
  using here = store.open()
  using there = store.open()
  await commitMany(store, there, 2)
  let slept = false
  const stop = intercept({
    before({ kind, to }) {
      if (kind !== 'link' || slept) return
      slept = true
      assert.is(to, operationPath(store.layout, 3))
      // Both the operation it builds on and the number it wants are folded away meanwhile.
      for (let i = 0; i < 14; i++) commitOne(store, there).catch(assert.unreachable)
      assert.is(there.refresh().applied, 16)
      assert.is(fold(store, there, { keep: 0 }).folded, 16)
    },
  })
  const { operation, outcome } = await commitOne(store, here)
  stop()
  assert.equal({ operation, outcome }, { operation: 17, outcome: 'a17' })
  assert.is(segmentNames(store).length, 1)
  assertSameAnew(store, contentOf(here))
})

test('a writer whose base was folded away builds on it, if nobody was quicker', async () => {
  await using store = await temporaryStore()
  using here = store.open()
  using there = store.open()
  await commitMany(store, there, 8)
  let slept = false
  const stop = intercept({
    before({ kind }) {
      if (kind !== 'link' || slept) return
      slept = true
      there.refresh()
      assert.is(fold(store, there, { keep: 0 }).folded, 8)
    },
  })
  const { operation } = await commitOne(store, here)
  stop()
  assert.ok(slept)
  assert.is(operation, 9)
  assertSameAnew(store, contentOf(here))
})

test('an index that is far behind goes on through segments', async () => {
  await using store = await temporaryStore()
  {
    using index = store.open()
    await commitMany(store, index, 3)
  }
  const database = join(store.layout.root, readFileSync(store.layout.index, 'utf8').trim())
  const older = readFileSync(database)
  using index = store.open()
  await commitMany(store, index, 15)
  fold(store, index, { keep: 0 })
  const content = contentOf(index)
  index.close()
  writeFileSync(database, older)
  using behind = store.open()
  assert.equal(contentOf(behind), content)
  assert.equal(store.notices, [])
})

test('an index whose newest operation is folded away is as good as before', async () => {
  await using store = await temporaryStore()
  {
    using index = store.open()
    await commitMany(store, index, 8)
    assert.is(fold(store, index, { keep: 0 }).folded, 8)
  }
  using index = store.open()
  assert.is(index.refresh().applied, 8)
  assert.equal(store.notices, [])
})

test('two that fold at once do no harm', async () => {
  await using store = await temporaryStore()
  using here = store.open()
  using there = store.open()
  await commitMany(store, here, 22)
  const before = contentOf(here)
  let calls = 0
  const stop = intercept({
    before({ kind }) {
      if ((kind !== 'rename' && kind !== 'unlink' && kind !== 'open') || ++calls % 7 !== 0) return
      if (calls < 100) fold(store, there, { keep: 20 - Math.min(20, calls) })
    },
  })
  fold(store, here, { keep: 0 })
  stop()
  assert.ok(calls > 20)
  assert.is(emptyNumbers(store).length, 20)
  assert.equal(segmentNames(store), [nameOf(1, 16), nameOf(17, 20)])
  assert.equal(strayNames(store), [])
  assertSameAnew(store, before)
})

test('a segment beyond what this program understands is left alone', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 6)
  const path = makeSegment(store, { first: 3, last: 6 })
  const renamed = segmentPath(store.layout, { first: 5, last: 8 })
  writeFileSync(renamed, readFileSync(path))
  rmSync(path)
  const { problems } = fold(store, index, { keep: 0 })
  assert.equal(problems, [])
  assert.ok(existsSync(renamed))
  assert.equal(emptyNumbers(store), [1, 2, 3, 4])
})

test('leaves the mode and owner of a name as a new file has them', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitMany(store, index, 5)
  fold(store, index, { keep: 0 })
  const [folded, plain] = [1, 5].map((n) => lstatSync(operationPath(store.layout, n)))
  assert.is(folded?.mode, plain?.mode)
  assert.is(folded?.uid, plain?.uid)
})

/** By default everything is old, and the newest 1,000 stay. */
function fold(store: Store, index: StoreIndex, options: Partial<FoldOptions> = {}): FoldReport {
  return foldOperations(folding(store, index), { grace: 0, now: Date.now() + 1, ...options })
}

/** The log, read from its beginning, says what it said before. */
function assertSameAnew(store: Store, content: unknown): void {
  removeIndexFiles(store)
  using index = store.open()
  assert.equal(contentOf(index), content)
}

test.run()
