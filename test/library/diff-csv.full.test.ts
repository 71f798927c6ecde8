/** 500 MB of CSV with 100 changed rows: not slower than three times reading both, in bounded memory. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../src/index.ts'
import { seededRandom } from '../support/random.ts'
import { temporaryDirectory } from '../support/temp.ts'
import type { LargeDiff } from './large-diff.ts'

const test = suite('a large table')

const ROWS = 5_000_000
const CHANGED = new Set(Array.from({ length: 100 }, (_, i) => Math.floor((i + 0.5) * (ROWS / 100))))

/** Ends of rows that no compression makes small. */
function tails(): string[] {
  const random = seededRandom(5)
  return Array.from({ length: 200_000 }, () => {
    const text = random.bytes(48).toString('base64')
    return `,"city, ${random.integer(0, 500)}",${random.integer(0, 1e6) / 1000},${text}\n`
  })
}

function write(
  file: string,
  ends: readonly string[],
  edit: (row: number, end: string) => string,
): void {
  const fd = openSync(file, 'w')
  let held = 'id,city,score,note\n'
  for (let row = 0; row < ROWS; row++) {
    held += `${row}${edit(row, ends[(row * 7919) % ends.length] as string)}`
    if (held.length < 1 << 22) continue
    writeSync(fd, held)
    held = ''
  }
  writeSync(fd, held)
  closeSync(fd)
}

test('100 changed rows of 500 MB are found by key', async () => {
  await using directory = await temporaryDirectory()
  const { path } = directory
  const { store } = await Store.init(path)
  mkdirSync(join(path, 'data'))
  const file = join(path, 'data/t.csv')
  const ends = tails()
  write(file, ends, (_, end) => end)
  await store.commit([join(path, 'data')], { name: 'x' })
  write(file, ends, (row, end) => (CHANGED.has(row) ? end.replace(/,[\d.]+,/, ',-1,') : end))
  await store.commit([join(path, 'data')], { name: 'x' })
  store.close()
  assert.ok(statSync(file).size > 450e6, `${statSync(file).size} bytes`)
  const script = join(import.meta.dirname, 'large-diff.js')
  const child = spawnSync(process.execPath, [script, store.root, 't.csv', 'yes', 'id'], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  assert.is(child.status, 0, child.stderr)
  const { reading, comparing, memory, contents } = JSON.parse(child.stdout) as LargeDiff
  process.stdout.write(
    `note: read in ${Math.round(reading)} ms, compared in ${Math.round(comparing)} ms, ${Math.round(memory / 1e6)} MB\n`,
  )
  if (contents?.kind !== 'table') throw new Error(contents?.kind)
  assert.equal(contents.rows, { before: ROWS, after: ROWS })
  assert.equal([contents.added, contents.removed, contents.changed], [0, 0, 100])
  assert.equal(
    contents.changes.map((change) => change.kind === 'changed' && Number(change.key['id'])),
    [...CHANGED],
  )
  assert.ok(comparing < 3 * reading)
  assert.ok(memory < 300e6)
})

test.run()
