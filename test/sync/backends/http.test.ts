import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Backend } from '../../../src/sync/backend.ts'
import { readAll } from '../../../src/sync/backend.ts'
import { HttpBackend } from '../../../src/sync/backends/http.ts'
import { limited } from '../../../src/sync/backends/limited.ts'
import { observed } from '../../../src/sync/backends/observed.ts'
import { retrying } from '../../../src/sync/backends/retrying.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { rejects, throwsCode } from '../../support/rejects.ts'
import { web } from '../../support/web.ts'
import { conformance, listAll, type Subject } from '../conformance.ts'
import { fileServer, type ServerOptions } from '../file-server.ts'
import { hostileProxy } from '../hostile-proxy.ts'

const test = suite('http backend')
const files = { 'packs/a.pack': Buffer.alloc(200_000, 'a') }

conformance(test, behind('http'))
conformance(test, behind('http, wrapped', {}, wrap))
conformance(test, { ...behind('http, static', { isStatic: true }), writes: false, lists: false })
conformance(test, {
  ...behind('http, static, no ranges', { isStatic: true, ranges: false }, wrap),
  writes: false,
  lists: false,
})

test('nothing but absence is taken for absence', async () => {
  for (const [fault, code] of [
    [{ kind: 'status', status: 401 }, 'ERR_REMOTE_DENIED'],
    [{ kind: 'status', status: 403 }, 'ERR_REMOTE_DENIED'],
    [{ kind: 'status', status: 500 }, 'ERR_REMOTE_UNREACHABLE'],
    [{ kind: 'status', status: 503 }, 'ERR_REMOTE_UNREACHABLE'],
    [{ kind: 'html' }, 'ERR_REMOTE_UNREACHABLE'],
    [{ kind: 'cut', bytes: 0 }, 'ERR_REMOTE_UNREACHABLE'],
  ] as const) {
    await using server = await fileServer(files)
    await using proxy = await hostileProxy(server.url, () => fault)
    await using backend = new HttpBackend(proxy.url, { env: {} })
    for (const name of ['packs/a.pack', 'packs/b.pack']) {
      await rejects(backend.get(name), code)
      await rejects(backend.head(name), code)
      await rejects(backend.putIfAbsent(name, bytesSource('x')), code)
      await rejects(backend.put(name, bytesSource('x')), code)
      await rejects(backend.delete(name), code)
    }
    assert.equal([...server.files.keys()], ['packs/a.pack'])
  }
})

test('a part that is shorter than was asked for is refused, whatever the server says', async () => {
  await using server = await fileServer(files)
  await using proxy = await hostileProxy(server.url, () => ({ kind: 'truncate', bytes: 100 }))
  await using backend = new HttpBackend(proxy.url, { env: {} })
  const range = { start: 50, end: 1000 }
  const error = await rejects(backend.get('packs/a.pack', { range }), 'ERR_REMOTE_UNREACHABLE')
  assert.match(error.message, 'another part')
})

test('a connection on which nothing comes any more is given up', async () => {
  await using server = await fileServer(files)
  await using proxy = await hostileProxy(server.url, (n) =>
    n === 0 ? { kind: 'stall', bytes: 70_000 } : undefined,
  )
  const options = { env: {}, idleTimeout: 150 }
  await using bare = new HttpBackend(proxy.url, options)
  await rejects(readAll(bare, 'packs/a.pack', { most: 1e6 }), 'ERR_REMOTE_UNREACHABLE')
  assert.is((await readAll(bare, 'packs/a.pack', { most: 1e6 })).length, 200_000)
})

test('the token is sent to the remote, and to no other origin', async () => {
  await using server = await fileServer(files, { token: 'secret-token' })
  await using backend = new HttpBackend(server.url, { env: {}, token: 'secret-token' })
  assert.is((await readAll(backend, 'packs/a.pack', { most: 1e6 })).length, 200_000)
  await using stranger = new HttpBackend(server.url, { env: {}, token: 'other-token' })
  const error = await rejects(stranger.get('packs/a.pack'), 'ERR_REMOTE_DENIED')
  assert.not(JSON.stringify([error.message, error]).includes('other-token'))

  await using other = await web({ '/packs/a.pack': { body: 'elsewhere' } })
  const found = { status: 302, headers: { location: `${other.url}/packs/a.pack` } }
  await using first = await web({ '/packs/a.pack': found })
  await using moved = new HttpBackend(first.url, { env: {}, token: 'secret-token' })
  await rejects(moved.get('packs/a.pack'), 'ERR_REMOTE_DENIED')
  assert.is(other.received.length, 0)
  const same = { status: 307, headers: { location: '/packs/b.pack' } }
  first.pages.set('/packs/a.pack', same).set('/packs/b.pack', { body: 'here' })
  assert.is(String(await readAll(moved, 'packs/a.pack', { most: 10 })), 'here')
  assert.is(first.received.at(-1)?.headers.authorization, 'Bearer secret-token')
})

test('who is not known is told how to say it, and apart from whose token is not accepted', async () => {
  await using server = await fileServer(files, { token: 'secret-token' })
  await using nobody = new HttpBackend(server.url, { env: {} })
  const unknown = await rejects(nobody.head('format.json'), 'ERR_REMOTE_DENIED')
  assert.match(unknown.hint ?? '', 'export ARTIFACTS_TOKEN=TOKEN')
  await using other = new HttpBackend(server.url, { env: {}, token: 'another-token' })
  for (const refused of [other.head('format.json'), other.putIfAbsent('a', bytesSource('a'))]) {
    const error = await rejects(refused, 'ERR_REMOTE_DENIED')
    assert.match(error.hint ?? '', 'does not accept the token')
    assert.not.match(JSON.stringify(error), 'another-token')
  }
})

test('an empty answer to what was written is none of a login, whatever it is called', async () => {
  const page = { 'content-type': 'text/html; charset=UTF-8' }
  await using server = await web({ '/latest.json': { headers: page } })
  await using backend = new HttpBackend(server.url, { env: {} })
  await backend.put('latest.json', bytesSource('1'))
  assert.is(await backend.putIfAbsent('latest.json', bytesSource('1')), 'created')
  await backend.delete('latest.json')
})

test('a redirect of what is written is an error that names the new address', async () => {
  const to = { status: 307, headers: { location: 'https://user:pass@new.example/x?sig=abc' } }
  await using moved = await web({ '/latest.json': to })
  await using backend = new HttpBackend(moved.url, { env: {} })
  for (const ask of [
    () => backend.put('latest.json', bytesSource('1')),
    () => backend.delete('latest.json'),
  ]) {
    const error = await rejects(ask(), 'ERR_REMOTE_DENIED')
    assert.match(error.message, 'https://new.example/x')
    assert.not.match(error.message, /pass|sig/)
  }
})

test('an address with a password, a query or another scheme is refused before anything is asked', () => {
  for (const bad of [
    'https://u:secret@host/',
    'https://host/?token=secret',
    'https://host/#x',
    'ftp://host/',
    'host',
  ]) {
    const error = throwsCode(() => new HttpBackend(bad, { env: {} }), 'ERR_USAGE')
    assert.not.match(error.message, /secret/)
  }
  assert.is(new HttpBackend('https://host/base', { env: {} }).address, 'https://host/base/')
})

test('a list of names that lead elsewhere, go back or have no end is refused', async () => {
  const json = { 'content-type': 'application/json' }
  const listed = (...names: string[]): string =>
    JSON.stringify({
      files: names.map((name) => ({ name, size: 1, modified: '2026-01-01T00:00:00Z' })),
      more: true,
    })
  const bodies = [
    '[]',
    '{',
    listed('packs/../x'),
    listed('log/1'),
    listed('packs/b', 'packs/a'),
    listed(),
  ]
  for (const body of bodies) {
    await using server = await web({ '/packs/': { body, headers: json } })
    await using backend = new HttpBackend(server.url, { env: {} })
    await rejects(listAll(backend, 'packs/'), 'ERR_DAMAGED')
  }
  await using endless = await web({ '/packs/': { body: listed('packs/a'), headers: json } })
  await using backend = new HttpBackend(endless.url, { env: {} })
  await rejects(listAll(backend, 'packs/'), 'ERR_DAMAGED')
  await using plain = await web({ '/packs/': { body: '<a>index of</a>' } })
  await using simple = new HttpBackend(plain.url, { env: {} })
  await rejects(listAll(simple, 'packs/'), 'ERR_UNSUPPORTED')
})

test('an answer before the whole body was sent is heard, and spoils no later request', async () => {
  await using server = await web({
    '/packs/a.pack': (_, response) => void response.writeHead(412).end(),
    '/latest.json': { body: 'fine' },
  })
  await using backend = new HttpBackend(server.url, { env: {}, connections: 1 })
  for (let i = 0; i < 5; i++) {
    const source = bytesSource(Buffer.alloc(20_000_000))
    assert.is(await retrying(backend, { pause: 1 }).putIfAbsent('packs/a.pack', source), 'exists')
    assert.is(String(await readAll(backend, 'latest.json', { most: 10 })), 'fine')
  }
})

test('what is encoded or of unknown length is refused', async () => {
  await using server = await web({
    '/packs/a': { body: 'x', headers: { 'content-encoding': 'gzip' } },
    '/packs/b': (_, response) => {
      response.write('x')
      response.end('y')
    },
  })
  await using backend = new HttpBackend(server.url, { env: {} })
  await rejects(backend.get('packs/a'), 'ERR_REMOTE_UNREACHABLE')
  await rejects(backend.get('packs/b'), 'ERR_REMOTE_UNREACHABLE')
})

test.run()

function behind(
  name: string,
  options: ServerOptions = {},
  wrapped: (inner: Backend) => Backend = (inner) => inner,
): Subject {
  return {
    name,
    async open(contents) {
      const server = await fileServer(contents, options)
      const inner = new HttpBackend(server.url, { env: {} })
      return {
        backend: wrapped(inner),
        async [Symbol.asyncDispose]() {
          await inner[Symbol.asyncDispose]()
          await server[Symbol.asyncDispose]()
        },
      }
    },
  }
}

function wrap(inner: Backend): Backend {
  return observed(limited(retrying(inner, { pause: 5 }), 8), {})
}
