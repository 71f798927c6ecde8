import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../src/store/io/io.ts'
import type { Backend } from '../../src/sync/backend.ts'
import { FileBackend } from '../../src/sync/backends/file.ts'
import { HttpBackend } from '../../src/sync/backends/http.ts'
import { MemoryBackend } from '../../src/sync/backends/memory.ts'
import { readOnly } from '../../src/sync/backends/read-only.ts'
import { retrying } from '../../src/sync/backends/retrying.ts'
import { singleWriter } from '../../src/sync/backends/single-writer.ts'
import { probe } from '../../src/sync/probe.ts'
import { bytesSource } from '../../src/sync/source.ts'
import { rejects } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { fileServer } from './file-server.ts'
import { type Fault, hostileProxy } from './hostile-proxy.ts'

const test = suite('probe')

for (const conditions of ['atomic', 'refuses', 'ignores', 'racy'] as const) {
  test(`a server whose conditions are ${conditions} is told as what it is`, async () => {
    await using server = await fileServer({}, { conditions })
    await using backend = new HttpBackend(server.url, { env: {} })
    assert.equal(await probe(retrying(backend)), { verdict: conditions, left: [] })
    assert.is(server.files.size, 0)
    assert.ok(server.asked.length <= 60, `${server.asked.length} requests`)
  })
}

test('folders and memory are atomic', async () => {
  await using dir = await temporaryDirectory()
  const io = createIo({ durability: 'process' })
  for (const backend of [new FileBackend(dir.path, { io }), new MemoryBackend()]) {
    assert.is((await probe(backend)).verdict, 'atomic')
  }
})

test('who looks before it writes is no substitute for a condition', async () => {
  await using server = await fileServer({}, { conditions: 'ignores' })
  await using backend = new HttpBackend(server.url, { env: {} })
  assert.is((await probe(singleWriter(backend))).verdict, 'racy')
})

test('a server that keeps another body than the winner’s is racy', async () => {
  const inner = new MemoryBackend()
  let count = 0
  const treacherous: Backend = {
    ...retrying(inner),
    async putIfAbsent(name, source) {
      const answer = await inner.putIfAbsent(name, source)
      if (count++ > 20 && answer === 'exists') await inner.put(name, source)
      return answer
    },
  }
  assert.is((await probe(treacherous)).verdict, 'racy')
})

test('lost answers and servers that fail now and then change no verdict', async () => {
  const faults: readonly Fault[] = [
    { kind: 'lose' },
    { kind: 'status', status: 409 },
    { kind: 'drop', bytes: 0 },
    { kind: 'status', status: 503 },
  ]
  await using server = await fileServer()
  await using proxy = await hostileProxy(server.url, (n) =>
    n % 3 === 0 ? faults[(n / 3) % 4] : undefined,
  )
  await using backend = new HttpBackend(proxy.url, { env: {} })
  const patient = retrying(backend, { pause: 1, attempts: 20 })
  assert.equal(await probe(patient), { verdict: 'atomic', left: [] })
})

test('without an answer there is no verdict', async () => {
  await rejects(probe(readOnly(new MemoryBackend())), 'ERR_READ_ONLY')
  for (const [fault, code] of [
    [{ kind: 'status', status: 403 }, 'ERR_REMOTE_DENIED'],
    [{ kind: 'status', status: 412 }, 'ERR_REMOTE_DENIED'],
    [{ kind: 'status', status: 503 }, 'ERR_REMOTE_UNREACHABLE'],
    [{ kind: 'html' }, 'ERR_REMOTE_UNREACHABLE'],
  ] as const) {
    await using server = await fileServer()
    await using proxy = await hostileProxy(server.url, () => fault)
    await using backend = new HttpBackend(proxy.url, { env: {} })
    await rejects(probe(retrying(backend, { pause: 1 })), code)
  }
})

test('what the remote does not let go is told', async () => {
  const inner = new MemoryBackend()
  const keeping: Backend = { ...retrying(inner), delete: readOnly(inner).delete }
  const { verdict, left } = await probe(keeping)
  assert.is(verdict, 'atomic')
  assert.is(left.length, 5)
  for (const name of left) {
    assert.match(name, /^probe\/[0-9a-f]{32}$/)
    assert.is(await inner.putIfAbsent(name, bytesSource('')), 'exists')
  }
})

test.run()
