/** Twenty processes that read copies of more versions than the cache may hold. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { listCache } from '../../../src/store/cache/local-copy.ts'
import { openStore } from '../../../src/store/open.ts'
import { workspace } from '../../library/workspace.ts'
import { seededRandom } from '../../support/random.ts'
import type { ReaderReport } from './cache-reader.ts'

const test = suite('cache, many readers')
const READER = fileURLToPath(new URL('cache-reader.js', import.meta.url))
const READERS = 20
const VERSIONS = 8
const SIZE = 60_000
const KEEP_MS = 1000
const START_MS = 4000
const RUN_MS = 9000

test('no file that was handed out disappears or changes while the bound is exceeded', async () => {
  await using space = await workspace()
  space.store.settings.set('durability', 'process')
  const random = seededRandom(3)
  const common = random.bytes(SIZE)
  for (let n = 0; n < VERSIONS; n++) {
    fs.rmSync(space.at('data'), { recursive: true, force: true })
    const files = [common, random.bytes(SIZE), random.bytes(SIZE)]
    const data = space.write('data', {
      ...Object.fromEntries(files.map((bytes) => [`${nameOf(bytes)}.bin`, bytes])),
      [`${nameOf(String(n))}.txt`]: String(n),
    })
    await space.store.commit([data], { name: 'bike', jobs: 0 })
  }
  const begin = Date.now() + START_MS
  // Room for two versions; eight are read.
  const bound = 5 * SIZE
  const args = [space.store.root, space.at('cache'), KEEP_MS, bound, begin, begin + RUN_MS]
  const reports = await Promise.all(Array.from({ length: READERS }, () => report(args.map(String))))
  assert.equal(
    reports.flatMap(({ problems }) => problems),
    [],
  )
  const sum = (of: (each: ReaderReport) => number): number =>
    reports.reduce((total, each) => total + of(each), 0)
  assert.ok(sum(({ given }) => given) > READERS * 3, 'the readers read')
  assert.ok(sum(({ made }) => made) > VERSIONS, 'copies went, and were made again')
  const opened = await openStore({ root: space.store.root, tool: 'test/1' })
  const { bytes, copies } = listCache(opened, { directory: space.at('cache') })
  opened.close()
  assert.ok(copies.length < VERSIONS && bytes < VERSIONS * 2 * SIZE, `${copies.length} copies`)
  assert.ok(copies.every(({ altered }) => altered === 0))
  assert.equal(fs.readdirSync(space.at('cache/tmp')), [])
})

function nameOf(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
}

function report(args: readonly string[]): Promise<ReaderReport> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [READER, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pieces: Buffer[] = []
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code !== 0) reject(new Error(`a reader ended with ${code}`))
      else resolve(JSON.parse(Buffer.concat(pieces).toString()) as ReaderReport)
    })
  })
}

test.run()
