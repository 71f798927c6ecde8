/** What is there already is not stored again. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../support/random.ts'
import { packBytes, workspace } from './workspace.ts'

const test = suite('dedup')
const MIB = 1 << 20

test('two artifacts with the same data store it once', async () => {
  await using ws = await workspace()
  const { store } = ws
  const random = seededRandom(1)
  const files = Array.from({ length: 200 }, (_, index) => [`f${index}`, random.bytes(5000)])
  const dir = ws.write('data', { ...Object.fromEntries(files), large: random.bytes(6 * MIB) })
  await store.commit([dir], { name: 'one' })
  const before = packBytes(ws)
  const second = await store.commit([dir], { name: 'two' })
  assert.ok(second.created)
  assert.is(second.reusedBytes, second.bytes)
  // The same files in other places: their entries are new, their content is not.
  const third = await store.commit([dir], { name: 'three', as: 'elsewhere' })
  assert.is(third.reusedBytes, third.bytes)
  const added = packBytes(ws) - before
  assert.ok(added < 200 * 100, `${added} bytes`)
})

test('equal files of one commit are stored once', async () => {
  await using ws = await workspace()
  const random = seededRandom(2)
  const small = random.bytes(50_000)
  const large = random.bytes(5 * MIB)
  for (const jobs of [0, 4]) {
    const copies = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        `s${index}`,
        Buffer.concat([Buffer.of(jobs), small]),
      ]),
    )
    const halves = { one: large, two: large, three: Buffer.concat([large, large]) }
    const before = packBytes(ws)
    const dir = ws.write(`data-${jobs}`, { ...copies, ...(jobs === 4 ? halves : {}) })
    await ws.store.commit([dir], { jobs })
    const added = packBytes(ws) - before
    const once = small.length + (jobs === 4 ? large.length : 0)
    assert.ok(added < once * 1.05 + 20_000, `${added} of ${once} bytes with ${jobs} threads`)
  }
})

test('a few bytes put into the middle of a large file cost a few chunks', async () => {
  await using ws = await workspace()
  const { store } = ws
  const bytes = seededRandom(3).bytes(100_000_000)
  const dir = ws.write('data', { large: bytes })
  await store.commit([dir])
  const edits = [
    [
      'inserted',
      Buffer.concat([
        bytes.subarray(0, 50_000_001),
        Buffer.from('a few bytes'),
        bytes.subarray(50_000_001),
      ]),
    ],
    ['removed', Buffer.concat([bytes.subarray(0, 20_000_000), bytes.subarray(20_000_100)])],
    ['in front', Buffer.concat([Buffer.from('x'), bytes])],
    ['appended', Buffer.concat([bytes, Buffer.from('x')])],
  ] as const
  for (const [name, edited] of edits) {
    const before = packBytes(ws)
    fs.writeFileSync(join(dir, 'large'), edited)
    const { created, storedBytes, reusedBytes } = await store.commit([dir])
    assert.ok(created)
    const added = packBytes(ws) - before
    assert.is(added, storedBytes)
    assert.ok(added < MIB, `${name}: ${added} bytes`)
    assert.ok(reusedBytes > edited.length - MIB, `${name}: ${reusedBytes} reused`)
  }
  assert.ok((await store.verify('data')).ok)
})

test('a sparse file costs next to nothing, and comes back sparse', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', { sparse: '' })
  const path = join(dir, 'sparse')
  fs.truncateSync(path, 64 * MIB)
  const fd = fs.openSync(path, 'r+')
  fs.writeSync(fd, 'something', 40 * MIB)
  fs.closeSync(fd)
  const { storedBytes } = await store.commit([dir])
  assert.ok(storedBytes < 20_000, `${storedBytes} bytes`)
  await store.checkout('data', ws.at('copy'))
  execFileSync('cmp', [path, ws.at('copy/sparse')])
  const { blocks } = fs.statSync(ws.at('copy/sparse'))
  assert.ok(blocks * 512 < MIB, `${blocks} blocks`)
})

test.run()
