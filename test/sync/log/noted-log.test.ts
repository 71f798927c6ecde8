import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../../src/store/io/io.ts'
import { encodeOperation } from '../../../src/store/log/operation.ts'
import { note, notedRecords, readNoted } from '../../../src/sync/log/noted-log.ts'
import { sampleArtifact, sampleId, sampleOperation } from '../../store/log/samples.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('noted log')
const io = createIo({ durability: 'process' })
const START = sampleId('format')
const RECORDS = recordsOf(12)

test('what was noted is read again, from the first operation to the last', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'remotes/x/log.jsonl')
  assert.equal(await readNoted(path, START), { n: 0, hash: START, length: 0 })
  for (const [from, to] of [
    [0, 5],
    [5, 6],
    [6, 6],
    [6, 12],
  ]) {
    const noted = await readNoted(path, START)
    assert.is(noted.n, from)
    note(io, path, noted, RECORDS.slice(from, to))
  }
  const all: Buffer[] = []
  for await (const { bytes } of notedRecords(path, { n: 0, hash: START, length: 0 }))
    all.push(bytes)
  assert.equal(all, RECORDS)
  const { length } = await readNoted(path, START)
  assert.is(length, readFileSync(path).length)
})

test('a file that was torn anywhere counts up to its last whole operation, and is mended', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'log.jsonl')
  const whole = Buffer.concat(RECORDS)
  for (let length = 0; length < whole.length; length += 97) {
    for (const rest of [Buffer.alloc(0), Buffer.alloc(300), Buffer.from('\n{}\n\n')]) {
      writeFileSync(path, Buffer.concat([whole.subarray(0, length), rest]))
      const noted = await readNoted(path, START)
      assert.ok(noted.length <= length && length - noted.length < 1000)
      note(io, path, noted, RECORDS.slice(noted.n))
      assert.is((await readNoted(path, START)).n, 12)
    }
  }
  truncateSync(path, 0)
  assert.is((await readNoted(path, START)).n, 0)
})

test('two that note the same at once, one more than the other, leave what the log is', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'log.jsonl')
  note(io, path, await readNoted(path, START), RECORDS.slice(0, 3))
  const [one, other] = [await readNoted(path, START), await readNoted(path, START)]
  note(io, path, one, RECORDS.slice(3, 12))
  note(io, path, other, RECORDS.slice(3, 5))
  assert.is((await readNoted(path, START)).n, 12)
})

test('operations of another log are none', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'log.jsonl')
  note(io, path, { n: 0, hash: START, length: 0 }, RECORDS)
  assert.is((await readNoted(path, sampleId('another format'))).n, 0)
  writeFileSync(path, Buffer.concat([...RECORDS.slice(0, 4), ...RECORDS.slice(5)]))
  assert.is((await readNoted(path, START)).n, 4)
})

test.run()

function recordsOf(count: number): Buffer[] {
  const records: Buffer[] = []
  let prev: string = START
  for (let n = 1; n <= count; n++) {
    const artifact = sampleArtifact(n)
    const create = {
      kind: 'artifact.create',
      artifact,
      project: 'p',
      name: `a${n}`,
      type: 't',
    } as const
    const { bytes, hash } = encodeOperation(sampleOperation(n, prev, [create]))
    records.push(bytes)
    prev = hash
  }
  return records
}
