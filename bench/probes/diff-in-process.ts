/** Run by `diff-200k` with the path of a store: compares data:v0 with data:v1 and prints the times as JSON. */
import { Store } from '../../src/index.ts'

export interface DiffTimes {
  /** Milliseconds from opening the store to the whole answer. */
  readonly first: number
  readonly later: readonly number[]
  readonly changes: number
}

const LATER_RUNS = 20

const start = performance.now()
const store = await Store.open({ store: process.argv[2] ?? '.artifacts' })
const { changes } = await store.diff({ ref: 'data:v0' }, { ref: 'data:v1' })
const first = performance.now() - start
const later: number[] = []
for (let run = 0; run < LATER_RUNS; run++) {
  const again = performance.now()
  await store.diff({ ref: 'data:v0' }, { ref: 'data:v1' })
  later.push(performance.now() - again)
}
store.close()
const times: DiffTimes = { first, later, changes: changes.length }
process.stdout.write(`${JSON.stringify(times)}\n`)
