import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { resolve } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Network, readText } from '../../../src/sync/net/network.ts'
import { proxyFor } from '../../../src/sync/net/proxy.ts'
import { rejects } from '../../support/rejects.ts'

const test = suite('proxy')

/** For `example.test`, for a hundred years. */
const CERTIFICATE = resolve('test/support/tls/cert.pem')
const KEY = resolve('test/support/tls/key.pem')

interface Listening extends AsyncDisposable {
  readonly port: number
}

async function listen(server: Server): Promise<Listening> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

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

test('http goes to the proxy with its whole URL, and with what the proxy wants to know', async () => {
  const seen: unknown[] = []
  await using proxy = await listen(
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
  const tls = { cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }
  await using site = await listen(createTlsServer(tls, (_, response) => response.end('secret')))
  const asked: (string | undefined)[] = []
  let refuses = false
  const server = createServer()
  server.on('connect', (request, socket) => {
    asked.push(request.url)
    if (refuses) {
      socket.end('HTTP/1.1 407 Who are you\r\n\r\n')
      return
    }
    const onward = connect(site.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    socket.on('error', () => onward.destroy())
    onward.on('error', () => socket.destroy())
    server.once('close', () => socket.destroy())
  })
  await using proxy = await listen(server)
  const url = new URL('https://example.test/a')
  const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, ARTIFACTS_CA_BUNDLE: CERTIFICATE }
  using network = new Network({ trusted: [], env })
  assert.is(await readText(await network.request(url), 100), 'secret')
  assert.equal(asked, ['example.test:443'])
  using careful = new Network({ trusted: [], env: { HTTPS_PROXY: env.HTTPS_PROXY }, pause: 1 })
  const untrusted = await rejects(careful.request(url), 'ERR_REMOTE_UNREACHABLE')
  assert.match(untrusted.hint ?? '', 'ARTIFACTS_CA_BUNDLE')
  refuses = true
  using unknown = new Network({ trusted: [], env, pause: 1 })
  const refused = await rejects(unknown.request(url), 'ERR_REMOTE_UNREACHABLE')
  assert.match(refused.message, 'answers 407')
})

test.run()
