/**
 * A process that asks for copies and reads them for as long as they are promised: `node cache-reader.js ROOT CACHE KEEP
 * BOUND BEGIN END`. Prints how many it was given, how many of them were made anew, and everything that was not as promised.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { copyKey } from '../../../src/store/cache/copy.ts'
import { localCopy } from '../../../src/store/cache/local-copy.ts'
import { openStore } from '../../../src/store/open.ts'
import { nodeReader } from '../../../src/store/opened.ts'
import { entries } from '../../../src/store/tree/cursor.ts'

export interface ReaderReport {
  readonly given: number
  readonly made: number
  readonly problems: readonly string[]
}

const [root = '', directory = '', ...numbers] = process.argv.slice(2)
const [keep = 0, maxBytes = 0, begin = 0, end = 0] = numbers.map(Number)

const opened = await openStore({ root, tool: 'test/1' })
const { state } = opened.index
const versions = state.artifacts().flatMap(({ id }) => state.versions(id))
const read = nodeReader(opened)
const problems: string[] = []
let given = 0
let made = 0

await setTimeout(Math.max(0, begin - Date.now()))
while (Date.now() < end) {
  // Each version is read for longer than a copy stays that nobody reads; whenever a new one comes, an old one must go.
  const slot = Math.floor((Date.now() - begin) / keep)
  const n = (slot + (given % 3)) % versions.length
  const version = versions[n]
  if (version === undefined) throw new Error('no versions')
  const tree = version.object.root
  const wanted = {
    key: copyKey('version', tree),
    label: `v${n}`,
    digest: tree,
    entries: () => entries(read, tree),
  }
  const asked = Date.now()
  const { path, cached } = await localCopy(opened, { directory, maxBytes, keep }, wanted)
  given++
  if (!cached) made++
  const until = Math.min(asked + keep, Date.now() + 150)
  do {
    const problem = problemOf(path, String(n))
    // What is over the time is not promised any more.
    if (problem !== undefined && Date.now() < asked + keep) {
      problems.push(`${Date.now() - asked} ms after v${n} was asked for: ${problem}`)
    }
    await setTimeout(5)
  } while (Date.now() < until)
}
opened.close()
process.stdout.write(JSON.stringify({ given, made, problems } satisfies ReaderReport))

/** Every file says by its name what it should hold. */
function problemOf(path: string, version: string): string | undefined {
  try {
    const names = fs.readdirSync(path)
    if (names.length !== 4) return `has ${names.length} files`
    for (const name of names) {
      const hash = createHash('sha256')
        .update(fs.readFileSync(join(path, name)))
        .digest('hex')
      if (!name.startsWith(hash.slice(0, 16))) return `"${name}" has other bytes`
    }
    return fs.readFileSync(
      join(path, names.find((name) => name.endsWith('.txt')) ?? ''),
      'utf8',
    ) === version
      ? undefined
      : 'is another version'
  } catch (error) {
    return String(error)
  }
}
