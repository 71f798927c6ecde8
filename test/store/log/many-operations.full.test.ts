/** A log of 10,000 operations: what one more costs, what opening costs, and how many files there are. */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { foldOperations } from '../../../src/store/log/folding.ts'
import {
  commitTo,
  contentOf,
  removeIndexFiles,
  type Store,
  temporaryStore,
} from '../index/temporary-store.ts'
import { sampleObject } from './samples.ts'
import { emptyNumbers, segmentNames } from './short-segments.ts'

const test = suite('many operations')
const COUNT = 10_000

test('10,000 commits cost the same each, and leave few files', async () => {
  await using store = await temporaryStore('process')
  const seconds: number[] = []
  let openingFew = 0
  let index = store.open()
  for (let i = 0; i < COUNT; i++) {
    if (i === 100) {
      index.close()
      openingFew = openingTime(store)
      index = store.open()
    }
    const start = performance.now()
    await commitTo(store, index, 'bike', sampleObject(i, i))
    seconds.push(performance.now() - start)
  }
  const content = contentOf(index)
  const first = median(seconds.slice(0, 1000))
  const last = median(seconds.slice(-1000))
  assert.ok(last < 1.3 * first, `the last commits took ${last} ms, the first ${first} ms`)
  assert.is(segmentNames(store).length, Math.floor(COUNT / 256))

  const fold = { ...store, index }
  const { folded, problems } = foldOperations(fold, { grace: 0, now: Date.now() + 1 })
  assert.equal(problems, [])
  assert.is(folded, COUNT - 1000)
  index.close()
  assert.is(emptyNumbers(store).length, folded)
  assert.ok(inodesIn(store.layout.log) < 1100)

  const openingMany = openingTime(store)
  assert.ok(openingMany < 1.5 * openingFew, `opens in ${openingMany} ms, before ${openingFew} ms`)

  removeIndexFiles(store)
  using rebuilt = store.open()
  assert.equal(contentOf(rebuilt), content)
})

/** Milliseconds. */
function openingTime(store: Store): number {
  return median(
    Array.from({ length: 50 }, () => {
      const start = performance.now()
      store.open().close()
      return performance.now() - start
    }),
  )
}

function inodesIn(directory: string): number {
  const inodes = readdirSync(directory).map((name) => lstatSync(join(directory, name)).ino)
  return new Set(inodes).size
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

test.run()
