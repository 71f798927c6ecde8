import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../../src/store/io/io.ts'
import { type Layout, layoutOf } from '../../../src/store/layout.ts'
import { type FileClock, granularityOf, readClock } from '../../../src/store/workspace/clock.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('clock')
const io = createIo({ durability: 'process' })

function storeIn(directory: string): Layout {
  const layout = layoutOf(directory)
  fs.mkdirSync(layout.tmp)
  return layout
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

function isSettled(clock: FileClock, path: string): boolean {
  const { mtimeMs, ctimeMs, dev } = fs.lstatSync(path)
  return clock.isSettled(mtimeMs, ctimeMs, dev)
}

test('a file is settled when it is older than the clock by more than a tick', async () => {
  await using temporary = await temporaryDirectory()
  const layout = storeIn(temporary.path)
  const path = join(temporary.path, 'file')
  // On a busy machine a tick can pass between the two.
  let early = readClock(io, layout)
  for (let attempt = 0; attempt < 100; attempt++) {
    fs.writeFileSync(path, 'x')
    early = readClock(io, layout)
    if (early.now - fs.lstatSync(path).mtimeMs < early.granularity / 2) break
  }
  assert.not(isSettled(early, path))
  sleep(early.granularity + 30)
  assert.not(isSettled(early, path), 'a clock stands still')
  assert.ok(isSettled(readClock(io, layout), path))
  fs.utimesSync(path, 1, 1)
  assert.not(isSettled(readClock(io, layout), path), 'the change time counts too')
})

test('a file from the future is never settled', async () => {
  await using temporary = await temporaryDirectory()
  const clock = readClock(io, storeIn(temporary.path))
  const { dev } = fs.lstatSync(temporary.path)
  const [past, future] = [clock.now - 10_000, clock.now + 3_600_000]
  assert.ok(clock.isSettled(past, past, dev))
  assert.not(clock.isSettled(future, past, dev))
  assert.not(clock.isSettled(past, future, dev))
})

test('files on other devices are held against the system clock by a wide margin', async () => {
  await using temporary = await temporaryDirectory()
  const clock = readClock(io, storeIn(temporary.path))
  const { dev } = fs.lstatSync(temporary.path)
  const recent = clock.now - 1000
  assert.ok(clock.isSettled(recent, recent, dev))
  assert.not(clock.isSettled(recent, recent, dev + 1))
  assert.ok(clock.isSettled(clock.now - 5000, clock.now - 5000, dev + 1))
})

test('where nothing can be written, or on a network, the margin is wide', async () => {
  await using temporary = await temporaryDirectory()
  const layout = layoutOf(temporary.path)
  const clock = readClock(io, layout)
  assert.is(clock.granularity, 3000)
  assert.ok(Math.abs(clock.now - Date.now()) < 1000)
  fs.mkdirSync(layout.tmp)
  assert.is(readClock(io, layout, true).granularity, 3000)
  assert.ok(readClock(io, layout).granularity < 3000)
})

test('leaves nothing behind', async () => {
  await using temporary = await temporaryDirectory()
  const layout = storeIn(temporary.path)
  readClock(io, layout)
  assert.equal(fs.readdirSync(layout.tmp), [])
})

test('tells the length of a tick from a time', () => {
  assert.is(granularityOf(1_700_000_000_123_456_789n), 20)
  assert.is(granularityOf(1_700_000_001_010_000_000n), 20)
  assert.is(granularityOf(1_700_000_001_000_000_000n), 1100)
  assert.is(granularityOf(1_700_000_002_000_000_000n), 2100)
})

test.run()
