/** The log in all its forms: files of their own, empty ones, and segments of two sizes. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ExamineReport, examine } from '../../../src/store/fsck/examine.ts'
import { repair } from '../../../src/store/fsck/repair.ts'
import { operationPath, segmentPath } from '../../../src/store/layout.ts'
import { type Store, temporaryStore } from '../index/temporary-store.ts'
import { emptyOperations, makeSegment, writeOperations } from '../log/short-segments.ts'

const test = suite('check-log')

/** Twenty operations, segments of 1–4 … 13–16 and 1–16; the first twelve are only in segments. */
async function foldedStore(): Promise<Awaited<ReturnType<typeof temporaryStore>>> {
  const store = await temporaryStore()
  writeOperations(store, 20)
  for (const first of [1, 5, 9, 13]) makeSegment(store, { first, last: first + 3 })
  makeSegment(store, { first: 1, last: 16 })
  emptyOperations(store, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  rmSync(`${store.layout.tmp}/empty`)
  return store
}

test('a log that is folded is sound', async () => {
  await using store = await foldedStore()
  const { problems, steps } = await look(store)
  assert.equal(problems, [])
  assert.equal(steps[1]?.counts, { operations: 20, segments: 5 })
})

test('a segment with any damage is named, and written anew from the others', async () => {
  await using store = await foldedStore()
  for (const [first, last] of [
    [5, 8],
    [13, 16],
    [1, 16],
  ] as const) {
    const path = segmentPath(store.layout, { first, last })
    const good = readFileSync(path)
    for (const damage of damages(good)) {
      writeFileSync(path, damage)
      assert.equal(filesIn(await look(store)), [path.slice(store.layout.root.length + 1)])
      const report = await mend(store)
      assert.equal(report.problems, [])
      assert.ok(readFileSync(path).equals(good))
    }
  }
})

test('an operation that is damaged or gone is brought back from a segment', async () => {
  await using store = await foldedStore()
  const path = operationPath(store.layout, 14)
  const good = readFileSync(path)
  for (const damage of damages(good)) {
    writeFileSync(path, damage)
    const report = await look(store)
    assert.equal(filesIn(report), ['log/000000000014.json'])
    assert.match(report.problems[0]?.message ?? '', 'a segment has what it held')
    assert.equal((await mend(store)).problems, [])
    assert.ok(readFileSync(path).equals(good))
  }
  // Its number must not become free again.
  const folded = operationPath(store.layout, 3)
  rmSync(folded)
  assert.equal(filesIn(await look(store)), ['log/000000000003.json'])
  assert.equal((await mend(store)).problems, [])
})

test('operations that are in no segment any more are named, each once', async () => {
  await using store = await foldedStore()
  rmSync(segmentPath(store.layout, { first: 1, last: 16 }))
  rmSync(segmentPath(store.layout, { first: 5, last: 8 }))
  const report = await look(store)
  assert.equal(
    filesIn(report),
    [5, 6, 7, 8].map((n) => `log/00000000000${n}.json`),
  )
  assert.is(report.steps[1]?.counts['operations'], 16)
  assert.equal(filesIn(await mend(store)), filesIn(report))
})

test('a flipped bit in the only segment that holds an operation is put right', async () => {
  await using store = await foldedStore()
  rmSync(segmentPath(store.layout, { first: 1, last: 16 }))
  const path = segmentPath(store.layout, { first: 9, last: 12 })
  const good = readFileSync(path)
  for (const at of [40, good.length >> 1, good.length - 5]) {
    writeFileSync(path, flipped(good, at))
    assert.ok(filesIn(await look(store)).some((file) => path.endsWith(file)))
    assert.equal((await mend(store)).problems, [], `at ${at}`)
    assert.ok(readFileSync(path).equals(good))
  }
})

/** One bit, an end that is missing, bytes that are too many, nothing but zeros. */
function damages(good: Buffer): Buffer[] {
  return [
    flipped(good, good.length >> 1),
    good.subarray(0, good.length - 10),
    Buffer.concat([good, Buffer.from('x')]),
    Buffer.alloc(good.length),
  ]
}

function flipped(good: Buffer, at: number): Buffer {
  const bytes = Buffer.from(good)
  bytes[at] = (bytes[at] as number) ^ 1
  return bytes
}

function look({ io, layout }: Store): Promise<ExamineReport> {
  return examine({ io, layout, project: 'p', data: 0, jobs: 0 })
}

function mend({ io, layout }: Store): ReturnType<typeof repair> {
  return repair({ io, layout, project: 'p', data: 0, jobs: 0, tool: 'artifacts/test' })
}

function filesIn({ problems }: { readonly problems: ExamineReport['problems'] }): string[] {
  return problems.map(({ file }) => file ?? '')
}

test.run()
