import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HttpBackend } from '../../../src/sync/backends/http.ts'
import { retrying } from '../../../src/sync/backends/retrying.ts'
import { Network, readText } from '../../../src/sync/net/network.ts'
import { proxyFor } from '../../../src/sync/net/proxy.ts'
import { probe } from '../../../src/sync/probe.ts'
import { rejects } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { fileServer } from '../file-server.ts'
import {
  CERTIFICATE,
  EXAMPLE,
  LOOPBACK_CERTIFICATE,
  listening,
  tlsRelay,
  tunnel,
} from './tunnel.ts'

const test = suite('proxy')

const through = (url: string, env: Record<string, string>): string | undefined =>
  proxyFor(new URL(url), env)?.href

test('the variables say which proxy, by the scheme of the URL', () => {
  const env = { http_proxy: 'plain:1', HTTPS_PROXY: 'http://secure:2', ALL_PROXY: 'http://all:3' }
  assert.is(through('http://a.org/', env), 'http://plain:1/')
  assert.is(through('https://a.org/', env), 'http://secure:2/')
  assert.is(through('https://a.org/', { all_proxy: 'http://all:3' }), 'http://all:3/')
  assert.is(through('https://a.org/', {}), undefined)
  assert.throws(
    () => through('https://a.org/', { all_proxy: 'socks5://all:3' }),
    /no http or https/,
  )
})

test('this machine, and what no_proxy lists, is asked directly', () => {
  const env = { all_proxy: 'http://p:1', no_proxy: 'a.org, .b.org,*.c.org,d.org:8080' }
  for (const url of [
    'http://127.0.0.1/',
    'http://localhost:9/',
    'http://[::1]/',
    'https://a.org/',
  ]) {
    assert.is(through(url, env), undefined, url)
  }
  for (const url of [
    'http://x.a.org/',
    'http://x.b.org/',
    'http://x.c.org/',
    'http://d.org:8080/',
  ]) {
    assert.is(through(url, env), undefined, url)
  }
  for (const url of ['http://aa.org/', 'http://d.org/', 'http://a.org.evil/']) {
    assert.is(through(url, env), 'http://p:1/', url)
  }
  assert.is(through('http://x.y/', { ...env, no_proxy: '*' }), undefined)
})

test('no_proxy lists addresses and networks, too, and what tells a machine who it is is asked directly', () => {
  const env = { all_proxy: 'http://p:1', no_proxy: '10.0.0.0/8, 192.168.1.7 fd00::/8,B.org' }
  for (const url of [
    'http://10.1.2.3/',
    'http://192.168.1.7:9000/',
    'http://[fd00::1]/',
    'http://169.254.169.254/',
    'https://b.org/',
  ]) {
    assert.is(through(url, env), undefined, url)
  }
  for (const url of ['http://11.1.2.3/', 'http://192.168.1.70/', 'http://[fe00::1]/']) {
    assert.is(through(url, env), 'http://p:1/', url)
  }
  for (const nonsense of ['10.0.0.0/99', '/', '10.0.0.0/x']) {
    assert.is(through('http://10.0.0.1/', { ...env, no_proxy: nonsense }), 'http://p:1/')
  }
})

test('http goes to the proxy with its whole URL, and with what the proxy wants to know', async () => {
  const seen: unknown[] = []
  await using proxy = await listening(
    createServer((request, response) => {
      const { host, 'proxy-authorization': who } = request.headers
      seen.push([request.url, host, who])
      response.end('by proxy')
    }),
  )
  const env = { http_proxy: `http://me:pass%20word@127.0.0.1:${proxy.port}` }
  using network = new Network({ trusted: [], env })
  const answer = await network.request(new URL('http://example.test/a?b=1'))
  assert.is(await readText(answer, 100), 'by proxy')
  const who = `Basic ${Buffer.from('me:pass word').toString('base64')}`
  assert.equal(seen, [['http://example.test/a?b=1', 'example.test', who]])
  await rejects(network.request(new URL('http://169.254.169.254/')), 'ERR_REMOTE_DENIED')
})

test('https goes through it unseen, to a host whose certificate a file makes trusted', async () => {
  await using site = await listening(
    createTlsServer(EXAMPLE, (_, response) => response.end('secret')),
  )
  const asked: (string | undefined)[] = []
  let status = 200
  await using proxy = await tunnel(site.port, (request) => {
    asked.push(request.url)
    return status
  })
  const url = new URL('https://example.test/a')
  const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, ARTIFACTS_CA_BUNDLE: CERTIFICATE }
  using network = new Network({ trusted: [], env })
  assert.is(await readText(await network.request(url), 100), 'secret')
  assert.equal(asked, ['example.test:443'])
  using careful = new Network({ trusted: [], env: { HTTPS_PROXY: env.HTTPS_PROXY }, pause: 1 })
  const untrusted = await rejects(careful.request(url), 'ERR_REMOTE_UNREACHABLE')
  assert.match(untrusted.hint ?? '', 'ARTIFACTS_CA_BUNDLE')
  status = 407
  using unknown = new Network({ trusted: [], env, pause: 1 })
  const refused = await rejects(unknown.request(url), 'ERR_REMOTE_UNREACHABLE')
  assert.match(refused.message, 'answers 407')
  assert.match(refused.hint ?? '', 'https_proxy=http://USER:PASSWORD@')
})

test('a proxy that is busy is asked again', async () => {
  await using site = await listening(
    createTlsServer(EXAMPLE, (_, response) => response.end('secret')),
  )
  const answers = [503, 502]
  await using proxy = await tunnel(site.port, () => answers.shift() ?? 200)
  const env = { https_proxy: `http://127.0.0.1:${proxy.port}`, ARTIFACTS_CA_BUNDLE: CERTIFICATE }
  using network = new Network({ trusted: [], env, pause: 1 })
  const answer = await network.request(new URL('https://example.test/a'))
  assert.is(await readText(answer, 100), 'secret')
  assert.equal(answers, [])
})

test('a proxy that is spoken to in https is known by the same certificates', async () => {
  await using dir = await temporaryDirectory()
  const both = join(dir.path, 'ca.pem')
  writeFileSync(both, readFileSync(CERTIFICATE) + readFileSync(LOOPBACK_CERTIFICATE, 'utf8'))
  await using site = await listening(
    createTlsServer(EXAMPLE, (_, response) => response.end('secret')),
  )
  await using proxy = await tunnel(site.port, () => 200, { isSecure: true })
  const https_proxy = `https://127.0.0.1:${proxy.port}`
  const url = new URL('https://example.test/a')
  using network = new Network({ trusted: [], env: { https_proxy, AWS_CA_BUNDLE: both } })
  assert.is(await readText(await network.request(url), 100), 'secret')
  const half = { https_proxy, AWS_CA_BUNDLE: CERTIFICATE }
  using careful = new Network({ trusted: [], env: half, pause: 1 })
  await rejects(careful.request(url), 'ERR_REMOTE_UNREACHABLE')
})

test('all requests of a remote go through the proxy, which learns nothing of them but the host', async () => {
  await using files = await fileServer({}, { token: 'hunter2' })
  await using site = await tlsRelay(Number(new URL(files.url).port))
  const seen: string[] = []
  await using proxy = await tunnel(site.port, (request) => {
    seen.push(`${request.url} ${JSON.stringify(request.headers)}`)
    return 200
  })
  const env = { https_proxy: `http://127.0.0.1:${proxy.port}`, SSL_CERT_FILE: CERTIFICATE }
  const authorization = 'Bearer hunter2'
  await using backend = new HttpBackend('https://example.test/base/', { env, authorization })
  assert.is((await probe(retrying(backend))).verdict, 'atomic')
  assert.ok(files.asked.length > 30)
  assert.ok(seen.length >= 1 && seen.length < files.asked.length)
  for (const each of seen) {
    assert.match(each, /^example\.test:443 /)
    assert.not.match(each, 'hunter2')
  }
})

for (const what of ['a proxy', 'a server without TLS'] as const) {
  test(`${what} that takes a connection and says nothing is given up`, async () => {
    await using silent = await listening(createTcpServer())
    const at = `127.0.0.1:${silent.port}`
    const env: Record<string, string> = what === 'a proxy' ? { https_proxy: `http://${at}` } : {}
    using network = new Network({ trusted: [at], env, pause: 1, attempts: 2, connectTimeout: 200 })
    const url = what === 'a proxy' ? 'https://example.test/' : `https://${at}/`
    const before = performance.now()
    const error = await rejects(network.request(new URL(url)), 'ERR_REMOTE_UNREACHABLE')
    assert.match(error.message, 'does not answer')
    assert.ok(performance.now() - before < 5000)
  })
}

test.run()
