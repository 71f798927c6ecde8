/** Compares two versions in a process of its own, and says what that took: see `diff-*.full.test.ts`. */
import { readFileSync } from 'node:fs'
import type { ContentDifference } from '../../src/index.ts'
import { Store } from '../../src/index.ts'

export interface LargeDiff {
  /** Milliseconds that reading both files takes, and comparing them. */
  readonly reading: number
  readonly comparing: number
  /** Bytes that were read while they were compared, by the kernel's count. */
  readonly bytesRead: number
  /** Bytes of memory at the most. */
  readonly memory: number
  readonly contents: ContentDifference | undefined
}

const [root = '', path = '', doesRead, ...keys] = process.argv.slice(2)
const store = await Store.open({ store: root })
let begun = performance.now()
if (doesRead === 'yes') {
  for (const ref of ['x:v0', 'x:v1']) for (const _ of store.read(ref, path));
}
const reading = performance.now() - begun
begun = performance.now()
const before = readSoFar()
let contents: ContentDifference | undefined
const diff = await store.diff({ ref: 'x:v0' }, { ref: 'x:v1' })
for await (const change of diff.contents({ keys })) contents = change.contents
const comparing = performance.now() - begun
const bytesRead = readSoFar() - before
const memory = process.resourceUsage().maxRSS * 1024
store.close()
const result: LargeDiff = { reading, comparing, bytesRead, memory, contents }
process.stdout.write(JSON.stringify(result))

function readSoFar(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}
