/** A commit that is told to stop leaves the store as it was, and nothing behind. */
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { growSource, isStopped, stopAt, threads } from './stops.ts'
import { storedFiles, workspace } from './workspace.ts'

const test = suite('abort')

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
}

test('a commit does not wait for standard input that never ends', async () => {
  await using ws = await workspace()
  const before = storedFiles(ws)
  const abort = new AbortController()
  const { signal } = abort
  const reason = new Error('enough')
  async function* stdin(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('some')
    setImmediate(() => abort.abort(reason))
    await new Promise(() => {})
  }
  const options = { name: 'n', as: 'a', stdin: stdin(), signal }
  assert.ok(await isStopped(ws.store.commit(['-'], options), reason))
  assert.equal(storedFiles(ws), before)
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
