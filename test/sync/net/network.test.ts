import { createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isOffline, refusal, unreachable } from '../../../src/sync/net/failures.ts'
import { Network, readText } from '../../../src/sync/net/network.ts'
import { rejects } from '../../support/rejects.ts'
import { web } from '../../support/web.ts'
import { listening } from './tunnel.ts'

const test = suite('network')

function network(...trusted: readonly string[]): Network {
  return new Network({ trusted, env: {}, pause: 1, connectTimeout: 2000, idleTimeout: 300 })
}

test('a host on this machine is not asked unless it was named', async () => {
  await using site = await web({ '/a': { body: 'a' } })
  using strict = network()
  const error = await rejects(strict.request(new URL(`${site.url}/a`)), 'ERR_REMOTE_DENIED')
  assert.match(error.hint ?? '', `references.hosts ${site.host}`)
  assert.equal(site.asked, [])
  using open = network(site.host)
  assert.is(await readText(await open.request(new URL(`${site.url}/a`)), 10), 'a')
})

test('what counts is the address that a name leads to', async () => {
  await using site = await web({ '/a': { body: 'a' } })
  const byName = new URL(`${site.url.replace('127.0.0.1', 'localhost')}/a`)
  using strict = network()
  await rejects(strict.request(byName), 'ERR_REMOTE_DENIED')
  assert.equal(site.asked, [])
  using open = network('localhost')
  assert.is((await open.request(byName)).status, 200)
})

test('other ways to write an address lead to the same refusal', async () => {
  using strict = network()
  for (const host of ['2130706433', '0x7f.0.0.1', '0177.1', '[::1]', '[::ffff:127.0.0.1]']) {
    await rejects(strict.request(new URL(`http://${host}:9/`)), 'ERR_REMOTE_DENIED')
  }
})

test('a redirect leads no further than the request itself might go', async () => {
  await using inner = await web({ '/secret': { body: 's' } })
  await using outer = await web({
    '/here': { status: 302, headers: { location: '/there' } },
    '/there': { body: 'there' },
    '/in': { status: 302, headers: { location: `${inner.url}/secret` } },
    '/file': { status: 302, headers: { location: 'file:///etc/passwd' } },
    '/loop': { status: 302, headers: { location: '/loop' } },
  })
  using net = network(outer.host)
  const answer = await net.request(new URL(`${outer.url}/here`))
  assert.is(await readText(answer, 10), 'there')
  assert.is(answer.url.pathname, '/there')
  await rejects(net.request(new URL(`${outer.url}/in`)), 'ERR_REMOTE_DENIED')
  assert.equal(inner.asked, [])
  await rejects(net.request(new URL(`${outer.url}/file`)), 'ERR_REMOTE_DENIED')
  await rejects(net.request(new URL(`${outer.url}/loop`)), 'ERR_REMOTE_DENIED')
})

test('credentials go to no other origin than the one they are for', async () => {
  await using other = await web({ '/there': { body: 'there' } })
  await using first = await web({
    '/out': { status: 302, headers: { location: `${other.url}/there` } },
    '/in': { status: 302, headers: { location: '/there' } },
    '/there': { body: 'there' },
  })
  using net = network(first.host, other.host)
  const headers = { Authorization: 'Bearer secret', Cookie: 'secret', accept: 'text/plain' }
  await readText(await net.request(new URL(`${first.url}/out`), { headers }), 10)
  assert.not(JSON.stringify(other.received[0]?.headers).includes('secret'))
  assert.is(other.received[0]?.headers.accept, 'text/plain')
  await readText(await net.request(new URL(`${first.url}/in`), { headers }), 10)
  assert.is(first.received.at(-1)?.headers.authorization, 'Bearer secret')
})

test('a body in pieces is sent whole, again for each attempt, and its own failure is told as it is', async () => {
  const bodies: string[] = []
  await using site = await web({
    '/a': async (request, response) => {
      const pieces: Buffer[] = []
      for await (const piece of request) pieces.push(piece as Buffer)
      bodies.push(Buffer.concat(pieces).toString())
      response.writeHead(bodies.length === 1 ? 503 : 200, { 'content-length': 0 }).end()
    },
  })
  using net = network(site.host)
  const shared = Buffer.alloc(3)
  const body = {
    size: 9,
    *pieces() {
      for (const text of ['abc', 'def', 'ghi']) {
        shared.write(text)
        yield shared
      }
    },
  }
  const url = new URL(`${site.url}/a`)
  assert.is((await net.request(url, { method: 'PUT', body })).status, 200)
  assert.equal(bodies, ['abcdefghi', 'abcdefghi'])
  const failing = {
    size: 9,
    *pieces() {
      yield shared
      throw Object.assign(new Error('the disk is gone'), { code: 'EIO' })
    },
  }
  const outcome = await net.request(url, { method: 'PUT', body: failing }).catch(String)
  assert.is(outcome, 'Error: the disk is gone')
})

test('a server that fails for a moment is asked again, one that goes on failing is given up', async () => {
  await using site = await web()
  let left = 2
  site.pages.set('/shaky', (request, response) => {
    if (left-- > 0) request.socket.destroy()
    else response.end('well')
  })
  site.pages.set('/busy', { status: 503, headers: { 'retry-after': '0' } })
  using net = network(site.host)
  assert.is(await readText(await net.request(new URL(`${site.url}/shaky`)), 10), 'well')
  assert.is(site.asked.length, 3)
  assert.is((await net.request(new URL(`${site.url}/busy`))).status, 503)
  assert.is(site.asked.length, 3 + 5)
})

test('a server that says nothing more is not waited for', async () => {
  await using site = await web({
    '/silent': () => {},
    '/stalls': (_, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('12345')
    },
  })
  using net = network(site.host)
  await rejects(net.request(new URL(`${site.url}/silent`)), 'ERR_REMOTE_UNREACHABLE')
  const answer = await net.request(new URL(`${site.url}/stalls`))
  await rejects(readText(answer, 100), 'ERR_REMOTE_UNREACHABLE')
})

test('a server that takes no more of what is sent is not waited for', async () => {
  await using deaf = await listening(createServer((socket) => socket.pause()))
  const at = `127.0.0.1:${deaf.port}`
  using net = network(at)
  const body = {
    size: 64 << 20,
    *pieces() {
      for (let i = 0; i < 64; i++) yield Buffer.alloc(1 << 20)
    },
  }
  const before = performance.now()
  const request = { method: 'PUT', body } as const
  await rejects(net.request(new URL(`http://${at}/`), request), 'ERR_REMOTE_UNREACHABLE')
  assert.ok(performance.now() - before < 20_000)
})

test('an answer longer than it may be is not read to its end', async () => {
  await using site = await web({ '/long': { body: 'x'.repeat(1000) } })
  using net = network(site.host)
  await rejects(readText(await net.request(new URL(`${site.url}/long`)), 999), 'ERR_REMOTE_DENIED')
})

test('aborting rejects with the reason of the signal', async () => {
  await using site = await web({ '/silent': () => {} })
  using net = network(site.host)
  const reason = new Error('enough')
  const url = new URL(`${site.url}/silent`)
  const seen = await net.request(url, { signal: AbortSignal.abort(reason) }).catch((error) => error)
  assert.is(seen, reason)
})

test('nobody listening is told from no network', async () => {
  using net = network('127.0.0.1')
  await using site = await web()
  const url = new URL(site.url)
  await site[Symbol.asyncDispose]()
  const error = await rejects(net.request(url), 'ERR_REMOTE_UNREACHABLE')
  assert.match(error.message, 'nothing listens there')
  assert.not.ok(isOffline(error))
  const without = Object.assign(new Error('x'), { code: 'ENETUNREACH' })
  assert.ok(isOffline(unreachable(url, without)))
})

test('no message holds the user, the password or the query of a URL', () => {
  const url = new URL('https://user:pass@host/path?X-Amz-Signature=abc')
  const error = refusal(url, 403, 'Forbidden')
  assert.not.match(JSON.stringify(error), /user|pass|abc/)
  assert.match(error.message, 'https://host/path')
})

test.run()
