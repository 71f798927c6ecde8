import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { layoutOf } from '../../../src/store/layout.ts'
import { HttpBackend } from '../../../src/sync/backends/http.ts'
import { addToken, listTokens, removeToken } from '../../../src/sync/serve/tokens.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { rejects, throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { ask, put, rawly, type ServedStore, servedStore, serveRoot } from './serving.ts'

const test = suite('serve, access')
const PROBE = `probe/${'a'.repeat(32)}`

test('a token is for what its scope says, from the moment it is made until it is given up', async () => {
  await using served = await servedStore()
  const place = placeOf(served)
  assert.is((await ask(`${served.url}format.json`)).status, 200)
  const reader = addToken(place, 'reader', 'read')
  const writer = addToken(place, 'writer', 'write')
  const format = `${served.url}format.json`
  assert.is((await ask(format)).status, 401)
  assert.match((await ask(format)).headers.get('www-authenticate') ?? '', 'Bearer')
  for (const wrong of ['x', `${reader}x`, reader.slice(0, -1), '', reader.toUpperCase()]) {
    assert.is((await ask(format, bearer(wrong))).status, 401, wrong)
  }
  assert.is((await ask(format, { headers: { authorization: `Basic ${reader}` } })).status, 401)
  const basic = Buffer.from(`anybody:${reader}`).toString('base64')
  assert.is((await ask(format, { headers: { authorization: `Basic ${basic}` } })).status, 200)
  assert.is((await ask(format, bearer(reader))).status, 200)
  assert.match((await ask(format, bearer(reader))).headers.get('cache-control') ?? '', 'private')
  const refused = await put(served.url + PROBE, 'x', bearer(reader).headers)
  assert.is(refused.status, 403)
  const remove = { method: 'DELETE', ...bearer(reader) }
  assert.is((await ask(served.url + PROBE, remove)).status, 403)
  assert.is((await put(served.url + PROBE, 'x', bearer(writer).headers)).status, 201)
  removeToken(place, 'writer')
  assert.is((await put(served.url + PROBE, 'x', bearer(writer).headers)).status, 401)
  removeToken(place, 'reader')
  // Who has asked for tokens once does not open the store to all by taking the last one back.
  assert.is((await ask(format)).status, 401)
})

test('the client of remotes sends its token, and says what is denied', async () => {
  await using served = await servedStore()
  const token = addToken(placeOf(served), 'reader', 'read')
  await using backend = new HttpBackend(served.url, { env: {}, token })
  assert.ok(((await backend.head('format.json'))?.size ?? 0) > 100)
  const error = await rejects(backend.put(PROBE, bytesSource('x')), 'ERR_REMOTE_DENIED')
  assert.match(error.message, '403 The token "reader" is for reading alone')
  assert.not(JSON.stringify([error, error.message]).includes(token))
  await rejects(served.backend.head('format.json'), 'ERR_REMOTE_DENIED')
})

test('a token is kept as a hash, in a file that no request reaches and nobody else reads', async () => {
  await using served = await servedStore()
  const token = addToken(placeOf(served), 'ci', 'write')
  assert.match(token, /^artifacts_[A-Za-z0-9_-]{43}$/)
  const path = layoutOf(served.root).serveTokens
  assert.not(readFileSync(path, 'utf8').includes(token.slice(10)))
  assert.is(statSync(path).mode & 0o777, 0o600)
  assert.is((await ask(`${served.url}serve-tokens.json`, bearer(token))).status, 404)
  assert.equal(
    listTokens(placeOf(served)).map(({ name, scope }) => [name, scope]),
    [['ci', 'write']],
  )
  throwsCode(() => addToken(placeOf(served), 'ci', 'read'), 'ERR_EXISTS')
  throwsCode(() => addToken(placeOf(served), '../x', 'read'), 'ERR_INVALID_NAME')
  throwsCode(() => removeToken(placeOf(served), 'other'), 'ERR_NOT_FOUND')
})

test('wrong tokens are answered more slowly than they can be tried', async () => {
  await using served = await servedStore({ limits: { wrongTokens: 3 } })
  const token = addToken(placeOf(served), 'ci', 'read')
  const url = `${served.url}latest.json`
  const statuses: number[] = []
  for (let i = 0; i < 5; i++) statuses.push((await ask(url, bearer(`wrong-${i}`))).status)
  assert.equal(statuses, [401, 401, 401, 429, 429])
  const last = await ask(url, bearer('wrong'))
  assert.ok(Number(last.headers.get('retry-after')) > 0)
  assert.is((await ask(url, bearer(token))).status, 200)
})

test('without tokens only this machine is listened to, unless it is said', async () => {
  await using directory = await temporaryDirectory()
  const { store } = await Store.init(directory.path)
  const { root } = store
  for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
    const error = await rejects(serveRoot(root, { host }), 'ERR_USAGE')
    assert.match(error.message, host)
  }
  const open = await serveRoot(root, { host: '0.0.0.0', allowAnonymous: true })
  const url = open.url.replace('0.0.0.0', '127.0.0.1')
  assert.is((await ask(`${url}format.json`)).status, 200)
  await open.stop()
  addToken({ io: createIo({ durability: 'process' }), layout: layoutOf(root) }, 'ci', 'read')
  const closed = await serveRoot(root, { host: '0.0.0.0' })
  assert.is((await ask(`${closed.url.replace('0.0.0.0', '127.0.0.1')}format.json`)).status, 401)
  await closed.stop()
  store.close()
})

test('where there are tokens, those without one may read if that is said, and never write', async () => {
  await using served = await servedStore({ allowAnonymous: true })
  const token = addToken(placeOf(served), 'ci', 'write')
  assert.is((await ask(`${served.url}format.json`)).status, 200)
  assert.is((await put(served.url + PROBE, 'x')).status, 401)
  assert.is((await put(served.url + PROBE, 'x', bearer(token).headers)).status, 201)
})

test('a page that gives its own name the address of this machine is not answered', async () => {
  await using served = await servedStore()
  for (const [host, status] of [
    ['evil.example', 421],
    ['evil.example:80', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['localhost', 200],
    ['localhost:1234', 200],
    ['127.0.0.1:99', 200],
    ['[::1]:99', 200],
  ] as const) {
    const text = `GET /format.json HTTP/1.1\r\nHost: ${host}\r\n\r\n`
    assert.match(await rawly(served.url, text), `HTTP/1.1 ${status}`, host)
  }
})

test('health is told to everybody, and nothing else with it', async () => {
  await using served = await servedStore()
  addToken(placeOf(served), 'ci', 'read')
  const { status, text } = await ask(`${served.url}health`)
  assert.equal([status, text], [200, '{"status":"ok"}\n'])
  assert.is((await ask(`${served.url}health`, { method: 'PUT', body: 'x' })).status, 401)
})

test('a store that is served to be read takes nothing', async () => {
  await using served = await servedStore({ readOnly: true })
  assert.is((await put(served.url + PROBE, 'x')).status, 405)
  assert.is((await ask(served.url + PROBE, { method: 'DELETE' })).status, 405)
  await rejects(served.backend.put('latest.json', bytesSource('x')), 'ERR_READ_ONLY')
})

test('with a certificate, the server speaks HTTPS', async () => {
  await using directory = await temporaryDirectory()
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(directory.path, name)) as [
    string,
    string,
  ]
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const named = ['-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert]
  execFileSync('openssl', [...made, ...named], { stdio: 'ignore' })
  await using served = await servedStore({ tlsCert: cert, tlsKey: key })
  assert.match(served.url, /^https:/)
  const status = await new Promise((resolve, reject) => {
    const options = { ca: readFileSync(cert), servername: 'localhost' }
    request(`${served.url}format.json`, options, (answer) => resolve(answer.statusCode))
      .on('error', reject)
      .end()
  })
  assert.is(status, 200)
  await rejects(serveRoot(served.root, { tlsCert: cert }), 'ERR_USAGE')
  await rejects(serveRoot(served.root, { tlsCert: cert, tlsKey: '/none' }), 'ERR_UNREADABLE')
  await rejects(
    serveRoot(served.root, { tlsCert: cert, tlsKey: layoutOf(served.root).format }),
    'ERR_CONFIG',
  )
})

test('a port that is taken is an error that says so', async () => {
  await using served = await servedStore()
  const port = Number(new URL(served.url).port)
  await rejects(serveRoot(served.root, { port }), 'ERR_IN_USE')
})

test.run()

function bearer(token: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${token}` } }
}

function placeOf({ root }: ServedStore): Parameters<typeof listTokens>[0] {
  return { io: createIo({ durability: 'process' }), layout: layoutOf(root) }
}
