import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../src/store/io/io.ts'
import { readAll } from '../../src/sync/backend.ts'
import { type OpenBackendOptions, openBackend } from '../../src/sync/open-backend.ts'
import { bytesSource } from '../../src/sync/source.ts'
import { rejects } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { writeBundle } from './bundles.ts'
import { fileServer } from './file-server.ts'
import { hostileProxy } from './hostile-proxy.ts'

const test = suite('open backend')
const options: OpenBackendOptions = {
  io: createIo({ durability: 'process' }),
  env: { HOME: '/none' },
}

test('folders, bundles, buckets and servers are told by their addresses', async () => {
  await using dir = await temporaryDirectory()
  const bundle = await writeBundle(join(dir.path, 'x.tar'), { 'format.json': Buffer.from('x') })
  const folder = join(dir.path, 'remote')
  for (const [address, shown] of [
    [folder, `${pathToFileURL(folder).href}/`],
    [pathToFileURL(folder).href, `${pathToFileURL(folder).href}/`],
    [bundle, `${pathToFileURL(bundle).href}/`],
    ['s3://bucket/x', 's3://bucket/x/'],
    ['https://host/x', 'https://host/x/'],
  ] as const) {
    await using backend = await openBackend(address, options)
    assert.is(backend.address, shown)
  }
  for (const bad of ['', 'x', './x', 'ftp://host', 'file://host/x', 's3:bucket']) {
    await rejects(openBackend(bad, options), 'ERR_USAGE')
  }
})

test('requests are counted as they are made, and bytes once', async () => {
  await using server = await fileServer({}, { token: 'secret' })
  await using proxy = await hostileProxy(server.url, (n) =>
    n % 2 === 1 ? { kind: 'drop', bytes: 1000 } : undefined,
  )
  const requests: string[] = []
  let sent = 0
  let received = 0
  await using backend = await openBackend(proxy.url, {
    ...options,
    authorization: 'Bearer secret',
    onRequest: (kind, name) => requests.push(`${kind} ${name}`),
    onSent: (bytes) => {
      sent += bytes
    },
    onReceived: (bytes) => {
      received += bytes
    },
  })
  await backend.putIfAbsent('packs/a', bytesSource(Buffer.alloc(50_000)))
  assert.is((await readAll(backend, 'packs/a', { most: 1e6 })).length, 50_000)
  assert.is(sent, 50_000)
  assert.is(received, 50_000)
  assert.is(requests.length, proxy.count())
  assert.ok(requests.length > 2)
})

test('no more requests run at once than there are jobs', async () => {
  let running = 0
  let most = 0
  await using server = await fileServer({ 'packs/a': Buffer.alloc(300_000) })
  await using backend = await openBackend(server.url, { ...options, jobs: 3 })
  const read = async (): Promise<void> => {
    const { bytes } = await backend.get('packs/a')
    running++
    most = Math.max(most, running)
    for await (const _ of bytes) await new Promise((resolve) => setTimeout(resolve, 1))
    running--
  }
  await Promise.all(Array.from({ length: 12 }, read))
  assert.ok(most >= 2 && most <= 3, `${most} at once`)
})

test('a single writer looks before it writes', async () => {
  await using server = await fileServer({}, { conditions: 'refuses' })
  await using plain = await openBackend(server.url, options)
  await rejects(plain.putIfAbsent('log/1', bytesSource('1')), 'ERR_UNSUPPORTED')
  await using alone = await openBackend(server.url, { ...options, isSingleWriter: true })
  assert.is(await alone.putIfAbsent('log/1', bytesSource('1')), 'created')
  assert.is(await alone.putIfAbsent('log/1', bytesSource('2')), 'exists')
  assert.is(String(server.files.get('log/1')), '1')
})

test.run()
