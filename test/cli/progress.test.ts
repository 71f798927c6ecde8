import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Io } from '../../src/cli/io.ts'
import { progressLine } from '../../src/cli/progress.ts'
import type { Progress } from '../../src/types.ts'

const test = suite('progress')

/** A stderr whose clock is set by hand. */
function clocked(
  terminal: boolean,
  columns = 80,
): { io: Io; notes: string[]; at: (time: number) => void } {
  const notes: string[] = []
  let now = 0
  const io = {
    note: (text: string) => notes.push(text),
    now: () => now,
    terminal: { stdout: terminal, stderr: terminal, columns },
  } as unknown as Io
  return {
    io,
    notes,
    at: (time) => {
      now = time
    },
  }
}

const HALF: Progress = {
  phase: 'read',
  files: 5,
  bytes: 50_000,
  total: { files: 10, bytes: 100_000 },
}

test('short work shows nothing', () => {
  const { io, notes, at } = clocked(true)
  const line = progressLine(io, { quiet: false, json: false })
  for (let time = 0; time < 300; time += 10) {
    at(time)
    line.report(HALF)
  }
  line.clear()
  assert.equal(notes, [])
})

test('a terminal gets one line, drawn at most ten times a second, and taken away', () => {
  const { io, notes, at } = clocked(true)
  const line = progressLine(io, { quiet: false, json: false })
  for (let time = 0; time < 1300; time += 1) {
    at(time)
    line.report(HALF)
  }
  assert.is(notes.length, 10)
  assert.is(notes[0], '\r\x1b[KReading: 50 %, 5 of 10 files, 50 kB of 100 kB, 167 kB/s')
  line.clear()
  line.clear()
  assert.is(notes.length, 11)
  assert.is(notes.at(-1), '\r\x1b[K')
})

test('after a while it tells what is left of the time', () => {
  const { io, notes, at } = clocked(true)
  const line = progressLine(io, { quiet: false, json: false })
  at(10_000)
  line.report({ phase: 'send', files: 0, bytes: 250_000, total: { files: 0, bytes: 1_000_000 } })
  assert.is(notes[0], '\r\x1b[KSending: 25 %, 250 kB of 1.0 MB, 25 kB/s, 30 s left')
})

test('the line is never wider than the terminal', () => {
  const { io, notes, at } = clocked(true, 20)
  const line = progressLine(io, { quiet: false, json: false })
  at(1000)
  line.report(HALF)
  assert.is(notes[0], '\r\x1b[KReading: 50 %, 5 of')
})

test('elsewhere a plain line comes every ten seconds', () => {
  const { io, notes, at } = clocked(false)
  const line = progressLine(io, { quiet: false, json: false })
  for (let time = 0; time <= 30_000; time += 100) {
    at(time)
    line.report({ phase: 'scan', files: time, bytes: 0 })
  }
  line.clear()
  assert.equal(notes, [
    'Scanning: 10,000 files\n',
    'Scanning: 20,000 files\n',
    'Scanning: 30,000 files\n',
  ])
})

test('with --json a plain line is an object', () => {
  const { io, notes, at } = clocked(true)
  const line = progressLine(io, { quiet: false, json: true })
  at(10_000)
  line.report(HALF)
  assert.equal(JSON.parse(notes.join('')), { type: 'progress', ...HALF })
})

test('with --quiet there is none', () => {
  const { io, notes, at } = clocked(true)
  const line = progressLine(io, { quiet: true, json: false })
  at(60_000)
  line.report(HALF)
  line.clear()
  assert.equal(notes, [])
})

test.run()
