import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Backend, readAll } from '../../src/sync/backend.ts'
import { MemoryBackend } from '../../src/sync/backends/memory.ts'
import { observed } from '../../src/sync/backends/observed.ts'
import { packName, putPack } from '../../src/sync/put-pack.ts'
import { bytesSource } from '../../src/sync/source.ts'
import { sampleId } from '../store/log/samples.ts'
import { rejects } from '../support/rejects.ts'

const test = suite('put pack')
const ID = sampleId('pack')
const bytes = randomBytes(1000)

test('a pack is sent once, and found the next time', async () => {
  const asked: string[] = []
  const backend = observed(new MemoryBackend(), { onRequest: (kind) => asked.push(kind) })
  assert.is(await putPack(backend, ID, bytesSource(bytes)), 'put')
  assert.equal(asked, ['putIfAbsent'])
  assert.is(await putPack(backend, ID, bytesSource(bytes)), 'there')
  assert.equal(asked, ['putIfAbsent', 'putIfAbsent', 'head'])
})

test('what a server kept of a broken upload is replaced', async () => {
  const backend = new MemoryBackend()
  await backend.put(packName(ID), bytesSource(bytes.subarray(0, 300)))
  assert.is(await putPack(backend, ID, bytesSource(bytes)), 'put')
  assert.ok(bytes.equals(await readAll(backend, packName(ID), { most: 1000 })))
})

test('a remote that does not keep what it is given is no place for a pack', async () => {
  const inner = new MemoryBackend()
  await inner.put(packName(ID), bytesSource('cut'))
  const forgetful: Backend = {
    address: inner.address,
    get: (name) => inner.get(name),
    head: (name) => inner.head(name),
    putIfAbsent: (name, source) => inner.putIfAbsent(name, source),
    put: async () => {},
    list: (folder) => inner.list(folder),
    delete: (name) => inner.delete(name),
    [Symbol.asyncDispose]: async () => {},
  }
  const error = await rejects(putPack(forgetful, ID, bytesSource(bytes)), 'ERR_REMOTE_CHANGED')
  assert.match(error.message, '3 bytes after 1000')
})

test.run()
