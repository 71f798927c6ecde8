/** A command that is told to stop leaves each file old or new, and nothing behind. */
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTree } from '../support/files.ts'
import { growSource, isStopped, stopAt, threads } from './stops.ts'
import { workspace } from './workspace.ts'

const test = suite('abort-checkout')

for (const jobs of [0, 2]) {
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

test.run()
