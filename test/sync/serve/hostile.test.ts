import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { packName } from '../../../src/sync/put-pack.ts'
import { ask, put, rawly, type ServedStore, servedStore, sha256, sourceStore } from './serving.ts'

const test = suite('serve, hostile clients')

test('no address leads out of what is served', async () => {
  await using served = await servedStore()
  writeFileSync(join(served.store.workspace, 'secret'), 'SECRET')
  const ways = [
    '/../secret',
    '/packs/../../secret',
    '/packs/..%2f..%2fsecret',
    '/packs/%2e%2e/%2e%2e/secret',
    '/packs/%252e%252e%252fsecret',
    '/packs/..\\..\\secret',
    '//secret',
    '/./secret',
    '/log/../serve-tokens.json',
    '/serve-tokens.json',
    '/config.json',
    '/index',
    '/format.json%00',
    '/format.json%2f..%2fconfig.json',
    '/packs/%c0%ae%c0%ae/secret',
    '/files/..%2f..%2fsecret/x',
    '/files/bike/..%2f..%2fsecret',
    '/files/bike:latest/%00',
    '/files/%/x',
    '/files/',
    '/packs/',
    '/log/?list&after=../',
    '/tmp/?list',
    '/?list',
    'http://127.0.0.1/secret',
    '/ü',
  ]
  for (const way of ways) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const length =
        method === 'PUT'
          ? `Content-Length: 1\r\nX-Content-SHA256: ${sha256(Buffer.from('x'))}\r\n`
          : ''
      const head = `${method} ${way} HTTP/1.1\r\nHost: localhost\r\n${length}Connection: close\r\n\r\n`
      const answer = await rawly(served.url, method === 'PUT' ? `${head}x` : head, /^$/)
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
      const isList = way.startsWith('/log/?list') && method === 'GET'
      assert.ok(
        isList ? status === 200 : status >= 400 && status < 500,
        `${method} ${way}: ${answer}`,
      )
      assert.not.match(answer, /SECRET/)
    }
  }
  assert.equal(served.errors, [])
})

test('a body without a length, or with two, is not read', async () => {
  await using served = await servedStore()
  const name = `PUT /probe/${'0'.repeat(32)} HTTP/1.1\r\nHost: localhost\r\nX-Content-SHA256: ${sha256(Buffer.from('x'))}\r\n`
  const chunked = 'Transfer-Encoding: chunked\r\n'
  const x = '1\r\nx\r\n0\r\n\r\n'
  assert.match(await rawly(served.url, `${name}${chunked}\r\n${x}`), /^HTTP\/1.1 411/)
  assert.match(await rawly(served.url, `${name}\r\n`), /^HTTP\/1.1 411/)
  for (const both of [
    `Content-Length: 1\r\n${chunked}`,
    `${chunked}Content-Length: 1\r\n`,
    'Content-Length: 1\r\nContent-Length: 2\r\n',
    'Content-Length: -1\r\n',
    'Content-Length: 1e3\r\n',
  ]) {
    assert.match(await rawly(served.url, `${name}${both}\r\n${x}`), /^HTTP\/1.1 400/, both)
  }
  assert.match(await rawly(served.url, `${name}X: ${'y'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1.1 4/)
  assert.is((await served.backend.head(`probe/${'0'.repeat(32)}`))?.size, undefined)
})

test('more than is taken is refused before it is sent', async () => {
  await using served = await servedStore()
  for (const [name, most] of [
    [packName(sha256(Buffer.from('a')) as never), 67_108_864],
    ['log/000000000001.json', 16_777_216 + 66],
    [`probe/${'1'.repeat(32)}`, 65_536],
    ['latest.json', 65_536],
  ] as const) {
    const head = `PUT /${name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${most + 1}\r\nX-Content-SHA256: ${'0'.repeat(64)}\r\n\r\n`
    assert.match(await rawly(served.url, head), /^HTTP\/1.1 413/, name)
  }
})

test('a body is what its hash says, and a pack what its name says', async () => {
  await using source = await sourceStore()
  await using served = await servedStore()
  const { packs } = source.push(await source.commit({ a: 'x'.repeat(5000), b: randomBytes(9000) }))
  const [id = '', bytes = Buffer.alloc(0)] = [...packs][0] ?? []
  const url = `${served.url}packs/${id}.pack`
  assert.is((await put(url, bytes, { 'x-content-sha256': '0'.repeat(64) })).status, 400)
  assert.is((await put(url, bytes, { 'x-content-sha256': 'none' })).status, 400)
  assert.is((await put(url, bytes, { 'content-encoding': 'gzip' })).status, 400)
  assert.is((await put(url, bytes, { 'if-none-match': '"x"' })).status, 400)
  const other = `${served.url}packs/${'0'.repeat(64)}.pack`
  assert.match((await put(other, bytes)).text, 'not the one of that name')
  for (const at of [0, 9, 30, Math.floor(bytes.length / 2), bytes.length - 60, bytes.length - 3]) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    const { status } = await put(url, changed)
    assert.is(status, 400, `byte ${at} of ${bytes.length}`)
  }
  for (const wrong of [
    bytes.subarray(0, -1),
    Buffer.concat([bytes, Buffer.of(0)]),
    Buffer.alloc(0),
  ]) {
    assert.is((await put(url, wrong)).status, 400)
  }
  assert.equal(packsIn(served), [])
  assert.is((await put(url, bytes)).status, 201)
  assert.is((await put(url, bytes)).status, 412)
  assert.equal(packsIn(served), [`${id}.pack`])
})

test('a pack is never replaced by another, and a broken one by the whole one', async () => {
  await using source = await sourceStore()
  await using served = await servedStore()
  const { packs } = source.push(await source.commit({ b: randomBytes(9000) }))
  const [id = '', bytes = Buffer.alloc(0)] = [...packs][0] ?? []
  const url = `${served.url}packs/${id}.pack`
  const path = join(served.root, 'packs', `${id}.pack`)
  const headers = { 'x-content-sha256': sha256(bytes) }
  const again = (): ReturnType<typeof ask> => ask(url, { method: 'PUT', body: bytes, headers })
  assert.is((await again()).status, 201)
  writeFileSync(path, bytes.subarray(0, 100))
  assert.is((await put(url, bytes)).status, 412)
  assert.is((await again()).status, 201)
  assert.ok(readFileSync(path).equals(bytes))
  const other = Buffer.alloc(bytes.length, 'x')
  const wrong = { 'x-content-sha256': sha256(other) }
  await ask(url, { method: 'PUT', body: other, headers: wrong })
  assert.ok(readFileSync(path).equals(bytes))
})

test('bytes between the records of a pack, which nobody would look at, are refused', async () => {
  await using source = await sourceStore()
  await using served = await servedStore()
  const { packs } = source.push(await source.commit({ b: randomBytes(9000) }))
  const [bytes = Buffer.alloc(0)] = packs.values()
  const table = bytes.readUInt32LE(bytes.length - 24)
  const trailer = Buffer.from(bytes.subarray(-24))
  trailer.writeUInt32LE(table + 7, 0)
  const hiding = Buffer.concat([
    bytes.subarray(0, table),
    Buffer.from('contra!'),
    bytes.subarray(table, -24),
    trailer,
  ])
  const id = sha256(bytes.subarray(table, -24))
  assert.match((await put(`${served.url}packs/${id}.pack`, hiding)).text, 'belong to no record')
})

test('a body that trickles or stalls is cut, and leaves nothing behind', async () => {
  await using served = await servedStore({ limits: { idleBody: 150, slowestBody: 1000 } })
  const head = `PUT /packs/${'0'.repeat(64)}.pack HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\nX-Content-SHA256: ${'0'.repeat(64)}\r\n\r\n`
  const begun = Date.now()
  assert.is(await rawly(served.url, `${head}begin`, /never/), '')
  assert.ok(Date.now() - begun < 5000)
  await sleep(20)
  assert.equal(readdirSync(join(served.root, 'tmp')), [])
  assert.equal(
    await rawly(served.url, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n').then((text) =>
      text.slice(9, 12),
    ),
    '404',
  )
})

test('who goes away in the middle of a body leaves nothing behind', async () => {
  await using served = await servedStore()
  const head = `PUT /packs/${'0'.repeat(64)}.pack HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\nX-Content-SHA256: ${'0'.repeat(64)}\r\n`
  await rawly(served.url, `${head}Expect: 100-continue\r\n\r\n${'x'.repeat(1000)}`, /100 Continue/)
  for (let i = 0; i < 100 && readdirSync(join(served.root, 'tmp')).length > 0; i++) await sleep(20)
  assert.equal(readdirSync(join(served.root, 'tmp')), [])
  assert.equal(served.errors, [])
})

test('nothing is removed from afar, and nothing is put under other names', async () => {
  await using source = await sourceStore()
  await using served = await servedStore()
  const { packs } = source.push(await source.commit({ b: randomBytes(900) }))
  const [id = '', bytes = Buffer.alloc(0)] = [...packs][0] ?? []
  await put(`${served.url}packs/${id}.pack`, bytes)
  for (const name of [`packs/${id}.pack`, 'format.json', 'latest.json', 'log/000000000001.json']) {
    assert.is((await ask(served.url + name, { method: 'DELETE' })).status, 403, name)
  }
  for (const name of [
    'serve-tokens.json',
    'x',
    'packs/x.pack',
    'log/000000000000.json',
    'log/000000000001-000000000256.jsonl',
  ]) {
    const { status } = await put(served.url + name, 'x')
    assert.is(status, 403, name)
    assert.not.ok(existsSync(join(served.root, name)))
  }
  assert.is((await put(`${served.url}format.json`, 'x')).status, 412)
  assert.is((await put(`${served.url}format.json`, 'x', { 'if-none-match': '' })).status, 400)
  assert.is((await ask(`${served.url}format.json`, { method: 'POST', body: 'x' })).status, 405)
  assert.is((await ask(`${served.url}format.json`, { method: 'OPTIONS' })).status, 405)
  assert.equal(packsIn(served), [`${id}.pack`])
})

test('more uploads than are borne at once are asked to come again', async () => {
  await using served = await servedStore({ limits: { uploads: 1, stop: 50 } })
  const head = `PUT /packs/${'0'.repeat(64)}.pack HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\nX-Content-SHA256: ${'0'.repeat(64)}\r\n`
  const first = rawly(served.url, `${head}Expect: 100-continue\r\n\r\n`, /never/)
  await sleep(100)
  const second = await put(`${served.url}latest.json`, 'x')
  assert.is(second.status, 503)
  assert.is(second.headers.get('retry-after'), '1')
  await served.stop()
  await first
})

test.run()

function packsIn({ root }: ServedStore): string[] {
  return readdirSync(join(root, 'packs'))
}
