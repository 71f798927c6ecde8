import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Backend } from '../../../src/sync/backend.ts'
import { MemoryBackend } from '../../../src/sync/backends/memory.ts'
import { observed } from '../../../src/sync/backends/observed.ts'
import { operationName } from '../../../src/sync/log/names.ts'
import { findTip } from '../../../src/sync/log/tip.ts'
import { bytesSource } from '../../../src/sync/source.ts'

const test = suite('tip of a remote log')

const HASH = 'a'.repeat(64)

async function remoteWith(count: number): Promise<Backend> {
  const backend = new MemoryBackend()
  for (let n = 1; n <= count; n++) {
    await backend.put(operationName(n), bytesSource(`{}\n${HASH}\n`))
  }
  return backend
}

function say(backend: Backend, latest: string): Promise<void> {
  return backend.put('latest.json', bytesSource(latest))
}

test('it is found with few requests, whatever the remote says about it', async () => {
  for (const count of [0, 1, 2, 3, 7, 8, 9, 100, 257]) {
    for (const said of [
      undefined,
      'nonsense',
      `{"n":${count},"hash":"${HASH}"}`,
      `{"n":${Math.floor(count / 2)},"hash":"${HASH}"}`,
      `{"n":${count + 5},"hash":"${HASH}"}`,
      `{"n":${count},"hash":"${'b'.repeat(64)}"}`,
      `{"n":9007199254740991,"hash":"${HASH}"}`,
    ]) {
      const inner = await remoteWith(count)
      if (said !== undefined) await say(inner, said)
      let asked = 0
      const backend = observed(inner, { onRequest: () => asked++ })
      assert.is(await findTip(backend), count, `${count}: ${said}`)
      assert.ok(asked <= 2 * Math.log2(count + 1) + 5, `${asked} requests for ${count}: ${said}`)
    }
  }
})

test('one that has every number asked for has an end all the same', async () => {
  const inner = new MemoryBackend()
  const endless: Backend = { ...observed(inner, {}), head: async () => ({ size: 1 }) }
  assert.is(await findTip(endless), 999_999_999_999)
})

test.run()
