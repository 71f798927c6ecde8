/** Segments and folding, stopped at every call they make, also together with the power. */
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Fault } from '../../../src/store/io/faults.ts'
import { bytesSurvive, chance, namesSurvive, nothingSurvives } from '../../../src/store/io/power.ts'
import { operationPath } from '../../../src/store/layout.ts'
import { foldOperations } from '../../../src/store/log/folding.ts'
import { type CrashPoint, forEachCall, type Matrix } from '../../support/crash.ts'
import { seededRandom } from '../../support/random.ts'
import { contentOf, removeIndexFiles, storeIn, temporaryStore } from '../index/temporary-store.ts'
import {
  commitMany,
  commitOne,
  emptyNumbers,
  folding,
  nameOf,
  segmentNames,
} from './short-segments.ts'

const test = suite('folding, stopped')

const FAULTS: readonly Fault[] = [
  { do: 'die', when: 'before' },
  { do: 'die', when: 'after' },
  { do: 'fail', code: 'EIO' },
  { do: 'fail', code: 'ENOSPC' },
  { do: 'fail', code: 'EROFS', lasting: true },
  { do: 'short', next: 'ENOSPC' },
]
const LOSSES = {
  nothing: nothingSurvives,
  names: namesSurvive,
  bytes: bytesSurvive,
  some: chance(seededRandom(1).next),
  others: chance(seededRandom(2).next),
}
/** A moment at which everything is old. */
const later = (): number => Date.now() + 1000
const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'

test('a commit that ends a segment is there or not, and the segment whole or not at all', async () => {
  const { points } = await forEachCall({
    ...matrixFrom(15),
    run: async (directory) => {
      const store = storeIn(join(directory, '.artifacts'))
      using index = store.open()
      await commitOne(store, index)
    },
    check: async (directory, point, error) => {
      await checkStore(directory, point, error === undefined ? 16 : 15, 16)
    },
  })
  assert.ok(points >= 40)
})

test('folding loses nothing, wherever it ends', async () => {
  const { points } = await forEachCall({
    ...matrixFrom(22),
    run: fold,
    check: (directory, point) => checkStore(directory, point, 22, 22),
  })
  assert.ok(points >= 40)
})

test('writing segments that are missing, and folding into them, loses nothing', async () => {
  const { points } = await forEachCall({
    ...matrixFrom(22, { withSegments: false }),
    run: fold,
    check: (directory, point) => checkStore(directory, point, 22, 22),
  })
  assert.ok(points >= 40)
})

/** Starts from a store with so many operations. */
function matrixFrom(
  count: number,
  { withSegments } = { withSegments: true },
): Pick<Matrix, 'prepare' | 'faults' | 'losses' | 'untracked' | 'sample'> {
  return {
    prepare: async (directory) => {
      await using made = await temporaryStore()
      using index = made.open()
      await commitMany(made, index, count)
      index.close()
      removeIndexFiles(made)
      const missing = withSegments ? [] : segmentNames(made)
      for (const name of missing) rmSync(join(made.layout.log, name))
      cpSync(made.layout.root, join(directory, '.artifacts'), { recursive: true })
    },
    faults: FAULTS,
    losses: LOSSES,
    untracked: (path) => /[/]index/.test(path),
    ...(isFull ? {} : { sample: { points: 40, seed: 7 } }),
  }
}

function fold(directory: string): void {
  const store = storeIn(join(directory, '.artifacts'))
  using index = store.open()
  foldOperations(folding(store, index), { grace: 0, now: later(), keep: 2 })
}

/** The store opens with its own index and without, nothing is lost, and what was left undone is done by the next. */
async function checkStore(
  directory: string,
  { power }: CrashPoint,
  least: number,
  most: number,
): Promise<void> {
  const store = storeIn(join(directory, '.artifacts'))
  using index = store.open()
  const { applied } = index.refresh()
  assert.ok(least <= applied && applied <= most, `${applied} operations`)
  if (power === undefined) assert.ok(existsSync(operationPath(store.layout, least)))
  for (let n = 1; n <= applied; n++) assert.ok(existsSync(operationPath(store.layout, n)), `${n}`)
  const content = contentOf(index)
  index.close()
  removeIndexFiles(store)

  using anew = store.open()
  assert.equal(contentOf(anew), content)
  await commitMany(store, anew, 24 - applied)
  const { problems } = foldOperations(folding(store, anew), {
    grace: 0,
    now: later(),
    keep: 0,
  })
  assert.equal(problems, [])
  assert.equal(segmentNames(store), [nameOf(1, 16), nameOf(17, 20), nameOf(21, 24)])
  assert.is(emptyNumbers(store).length, 24)
  const whole = contentOf(anew)
  anew.close()
  removeIndexFiles(store)
  using last = store.open()
  assert.equal(contentOf(last), whole)
  assert.ok(readFileSync(operationPath(store.layout, 1)).length === 0)
}

test.run()
