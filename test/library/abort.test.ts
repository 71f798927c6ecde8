/** A command that is told to stop leaves the store as it was, and nothing behind. */
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Progress } from '../../src/index.ts'
import { readTree } from '../support/files.ts'
import { seededRandom } from '../support/random.ts'
import { storedFiles, type Workspace, workspace } from './workspace.ts'

const test = suite('abort')
const MIB = 1 << 20

/** Stops at the report of progress with this number, from 1. `calls` is how many there were. */
function stopAt(number: number): {
  readonly signal: AbortSignal
  readonly reason: Error
  readonly onProgress: (progress: Progress) => void
  readonly calls: () => number
} {
  const abort = new AbortController()
  const reason = new Error(`stopped at report ${number}`)
  let calls = 0
  return {
    signal: abort.signal,
    reason,
    onProgress: () => {
      if (++calls === number) abort.abort(reason)
    },
    calls: () => calls,
  }
}

/** True when it was stopped, false when it came to its end before that. */
async function isStopped(work: Promise<unknown>, reason: Error): Promise<boolean> {
  try {
    await work
    return false
  } catch (error) {
    assert.is(error, reason, String(error))
    return true
  }
}

/** Threads that have not ended. */
function threads(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
}

/** Content that takes several reports to read: more than what pays for threads. */
function growSource(ws: Workspace): string {
  const random = seededRandom(1)
  const small = Object.fromEntries(
    Array.from({ length: 600 }, (_, index) => [`small/${index}`, random.bytes(2000)]),
  )
  return ws.write('data', { ...small, large: random.bytes(12 * MIB), other: random.bytes(5 * MIB) })
}

for (const jobs of [0, 2]) {
  test(`a commit with ${jobs} threads stops wherever it is, and can be run again`, async () => {
    await using ws = await workspace()
    const { store } = ws
    await store.commit([ws.write('before', { a: 'a'.repeat(1000) })])
    const dir = growSource(ws)
    const before = storedFiles(ws)
    let stopped = 0
    for (const number of [1, 2, 4, 8, 16]) {
      const stop = stopAt(number)
      const { signal, onProgress, reason } = stop
      const options = { name: 'stopped', jobs, signal, onProgress }
      if (!(await isStopped(store.commit([dir], options), reason))) break
      stopped++
      assert.equal(storedFiles(ws), before, `stopped at report ${number}`)
      assert.equal(
        store.artifacts().map(({ name }) => name),
        ['before'],
      )
      assert.is(threads(), 0, `stopped at report ${number}`)
    }
    assert.ok(stopped >= 3, `${stopped} stops`)
    const { version } = await store.commit([dir], { name: 'stopped', jobs })
    assert.is(version, 'v0')
    assert.ok((await store.verify('stopped')).ok)
    assert.is(threads(), 0)
  })

  test(`a checkout with ${jobs} threads stops wherever it is, and can be run again`, async () => {
    await using ws = await workspace()
    const { store } = ws
    const dir = growSource(ws)
    await store.commit([dir])
    const expected = readTree(dir)
    const copy = ws.at('copy')
    const before = fs.readdirSync(ws.path).sort()
    let stopped = 0
    for (const number of [1, 2, 4]) {
      const { signal, onProgress, reason } = stopAt(number)
      if (!(await isStopped(store.checkout('data', copy, { jobs, signal, onProgress }), reason)))
        break
      stopped++
      assert.equal(fs.readdirSync(ws.path).sort(), before, 'a new directory is there whole or not')
      assert.equal(fs.readdirSync(`${store.root}/tmp`), [])
      assert.is(threads(), 0)
    }
    assert.ok(stopped >= 3, `${stopped} stops`)

    // In a directory that exists, each file is the old one or the new one.
    await store.checkout('data', copy)
    const old = { large: 'old', other: 'old', 'small/7': 'old' }
    ws.write('copy', old)
    for (const number of [1, 2]) {
      const { signal, onProgress, reason } = stopAt(number)
      const options = { jobs, signal, onProgress, force: true }
      await isStopped(store.checkout('data', copy, options), reason)
      for (const [path, item] of Object.entries(readTree(copy))) {
        assert.ok(item === 'old' || item === expected[path], path)
      }
      assert.equal(fs.readdirSync(ws.path).sort(), [...before, 'copy'].sort())
      assert.equal(fs.readdirSync(`${store.root}/tmp`), [])
    }
    await store.checkout('data', copy, { force: true })
    assert.equal(readTree(copy), expected)
  })
}

test('comparing and verifying stop as well', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = growSource(ws)
  await store.commit([dir])
  // Every file has to be read again.
  for (const path of fs.readdirSync(`${dir}/small`)) fs.utimesSync(`${dir}/small/${path}`, 1, 1)
  fs.utimesSync(`${dir}/large`, 1, 1)
  const work = [
    (options: object) => store.diff({ ref: 'data' }, { dir }, options),
    (options: object) => store.status(dir, options),
    (options: object) => store.verify('data', options),
    (options: object) => store.verify('data', { dir, ...options }),
  ]
  for (const [index, run] of work.entries()) {
    const { signal, onProgress, reason } = stopAt(1)
    assert.ok(await isStopped(run({ signal, onProgress }), reason), `call ${index}`)
    assert.is(threads(), 0)
  }
})

test('a signal that was given before the start lets nothing begin', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', { a: 'a' })
  const before = storedFiles(ws)
  const reason = new Error('never')
  const signal = AbortSignal.abort(reason)
  assert.ok(await isStopped(store.commit([dir], { signal }), reason))
  assert.equal(storedFiles(ws), before)
  await store.commit([dir])
  assert.ok(await isStopped(store.checkout('data', ws.at('copy'), { signal }), reason))
  assert.not.ok(fs.existsSync(ws.at('copy')))
})

test.run()
