/** Against a real server, Ceph's object gateway; left out where there is none. */
import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readEnvironment } from '../../../src/cli/io.ts'
import { type Backend, readAll } from '../../../src/sync/backend.ts'
import { limited } from '../../../src/sync/backends/limited.ts'
import { observed } from '../../../src/sync/backends/observed.ts'
import { retrying } from '../../../src/sync/backends/retrying.ts'
import { S3Backend } from '../../../src/sync/backends/s3.ts'
import { probe } from '../../../src/sync/probe.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { call, run } from '../../cli/call.ts'
import { workspaceWith } from '../../cli/workspace.ts'
import { rejects } from '../../support/rejects.ts'
import { adminOf } from '../../support/s3/admin.ts'
import { type Rgw, startRgw } from '../../support/s3/rgw.ts'
import { web } from '../../support/web.ts'
import { conformance, listAll, type Subject } from '../conformance.ts'
import { type Fault, hostileProxy } from '../hostile-proxy.ts'
import { CERTIFICATE, tlsRelay, tunnel } from '../net/tunnel.ts'

const suiteOf = suite('s3 backend')
const server = await startRgw()
const test = server === undefined ? suiteOf.skip : suiteOf
const rgw = server as Rgw
const BUCKET = 'remotes'
if (server !== undefined) await adminOf(server).makeBucket(BUCKET)
let remotes = 0

if (server !== undefined) {
  conformance(suiteOf, inBucket('s3'))
  conformance(
    suiteOf,
    inBucket('s3, wrapped', (inner) => observed(limited(retrying(inner), 8), {})),
  )
}

test('a probe finds it atomic', async () => {
  await using backend = await open()
  assert.equal(await probe(retrying(backend)), { verdict: 'atomic', left: [] })
  assert.equal(await listAll(backend, 'probe/'), [])
})

test('a person is told that several machines can push, and what the bucket allows', async () => {
  const cwd = await workspaceWith()
  const environment = readEnvironment(rgw.env)
  const said = await run(['remote', 'add', 'origin', newAddress()], { cwd, environment })
  assert.match(said, /store +none yet/)
  assert.match(said, /pushing +any number of machines at a time \(atomic\)/)
  assert.match(said, /deleting +allowed/)
  assert.match(said, /clock +as here/)
  const nobody = readEnvironment({ ...rgw.env, AWS_SECRET_ACCESS_KEY: 'hunter2' })
  const refused = await call(['remote', 'check'], { cwd, environment: nobody })
  assert.is(refused.code, 21)
  assert.not.match(refused.stdout + refused.stderr, 'hunter2')
  const missing = await call(['remote', 'add', 'x', 's3://no-such-bucket/x'], { cwd, environment })
  assert.is(missing.code, 0)
  assert.match(missing.stderr, 'There is no bucket "no-such-bucket"')
})

test('eight writers make eighty operations, each once, and none is missing', async () => {
  const address = newAddress()
  const own = await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      await using bare = await S3Backend.open(address, { env: rgw.env })
      const backend = retrying(bare)
      const names: string[] = []
      for (let n = 1; names.length < 10; n++) {
        const name = `log/${String(n).padStart(12, '0')}.json`
        const body = bytesSource(`${writer} ${n}`)
        if ((await backend.putIfAbsent(name, body)) === 'created') names.push(name)
      }
      return names
    }),
  )
  await using backend = await S3Backend.open(address, { env: rgw.env })
  const listed = (await listAll(backend, 'log/')).map(({ name }) => name)
  assert.equal(own.flat().sort(), listed)
  assert.is(listed.at(-1), 'log/000000000080.json')
})

test('answers that get lost, and servers that fail, change nothing', async () => {
  const faults: readonly Fault[] = [
    { kind: 'lose' },
    { kind: 'status', status: 409 },
    { kind: 'drop', bytes: 20_000 },
    { kind: 'status', status: 503 },
    { kind: 'cut', bytes: 1000 },
  ]
  await using proxy = await hostileProxy(`${rgw.url}/`, (n) =>
    n % 2 === 0 ? faults[(n / 2) % 5] : undefined,
  )
  const env = { ...rgw.env, AWS_ENDPOINT_URL_S3: proxy.url }
  await using bare = await S3Backend.open(newAddress(), { env })
  const backend = retrying(bare, { pause: 1, attempts: 10 })
  for (let i = 0; i < 10; i++) {
    const bytes = randomBytes(50_000)
    const name = `packs/${i}.pack`
    assert.is(await backend.head(name), undefined)
    assert.is(await backend.putIfAbsent(name, bytesSource(bytes)), 'created')
    assert.is(await backend.putIfAbsent(name, bytesSource('x')), 'exists')
    assert.ok(bytes.equals(await readAll(backend, name, { most: 1e6 })))
  }
  assert.is((await listAll(backend, 'packs/')).length, 10)
})

test('everything goes through a proxy and under a certificate of one’s own, where these are named', async () => {
  await using site = await tlsRelay(Number(new URL(rgw.url).port))
  const asked: string[] = []
  await using proxy = await tunnel(site.port, (request) => {
    asked.push(`${request.url} ${JSON.stringify(request.headers)}`)
    return 200
  })
  const env = {
    ...rgw.env,
    AWS_ENDPOINT_URL_S3: 'https://example.test',
    AWS_CA_BUNDLE: CERTIFICATE,
    HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
  }
  await using backend = await S3Backend.open(newAddress(), { env })
  assert.equal(await probe(retrying(backend)), { verdict: 'atomic', left: [] })
  const bytes = randomBytes(3_000_000)
  await backend.put('packs/a.pack', bytesSource(bytes))
  assert.ok(bytes.equals(await readAll(backend, 'packs/a.pack', { most: 1e7 })))
  assert.ok(asked.length > 0)
  for (const each of asked) assert.match(each, /^example\.test:443 \{"host":"example\.test:443"/)
  await using direct = await S3Backend.open(newAddress(), {
    env: { ...env, NO_PROXY: '.test' },
  })
  await rejects(direct.head('format.json'), 'ERR_REMOTE_UNREACHABLE')
})

test('a clock that is hours off is no hindrance', async () => {
  for (const hours of [-5, 5]) {
    const now = (): number => Date.now() + hours * 3_600_000
    await using backend = await S3Backend.open(newAddress(), { env: rgw.env, now })
    assert.is(await backend.head('format.json'), undefined)
    assert.is(await backend.putIfAbsent('format.json', bytesSource('x')), 'created')
    assert.is((await readAll(backend, 'format.json', { most: 10 })).toString(), 'x')
  }
})

test('a missing bucket and a wrong key are no empty remote', async () => {
  await using nowhere = await S3Backend.open('s3://no-such-bucket/x', { env: rgw.env })
  const wrong = { ...rgw.env, AWS_SECRET_ACCESS_KEY: 'wrong-secret' }
  await using stranger = await S3Backend.open(newAddress(), { env: wrong })
  await using nobody = await S3Backend.open(newAddress(), {
    env: { AWS_ENDPOINT_URL_S3: rgw.url, HOME: rgw.env['HOME'] },
  })
  for (const backend of [nowhere, stranger, nobody]) {
    for (const ask of [
      () => backend.get('format.json'),
      () => backend.head('format.json'),
      () => backend.putIfAbsent('format.json', bytesSource('x')),
      () => backend.put('format.json', bytesSource('x')),
      () => backend.delete('format.json'),
      () => listAll(backend, 'log/'),
    ]) {
      const error = await rejects(ask(), 'ERR_REMOTE_DENIED')
      assert.not(JSON.stringify([error.message, error]).includes('wrong-secret'))
    }
  }
})

suiteOf('servers without conditional writes are told by their word', async () => {
  for (const [status, code] of [
    [501, 'NotImplemented'],
    [400, 'InvalidArgument'],
  ] as const) {
    const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>A header</Message></Error>`
    const stored = new Map<string, Buffer>()
    await using s3 = await web()
    s3.pages.get = () => async (request, response) => {
      const pieces: Buffer[] = []
      for await (const piece of request) pieces.push(piece)
      if (request.headers['if-none-match'] === '*') {
        response.writeHead(status, { 'content-length': body.length }).end(body)
        return
      }
      if (request.method === 'PUT') stored.set(request.url ?? '', Buffer.concat(pieces))
      response.writeHead(200, { 'content-length': 0 }).end()
    }
    const env = { AWS_ENDPOINT_URL_S3: s3.url, HOME: '/nonexistent' }
    await using backend = await S3Backend.open('s3://bucket/x', { env })
    const error = await rejects(
      backend.putIfAbsent('format.json', bytesSource('x')),
      'ERR_UNSUPPORTED',
    )
    assert.match(error.message, code)
    assert.is((await probe(backend)).verdict, 'refuses')
    assert.is(stored.size, 1)
  }
})

suiteOf('addresses with anything but a bucket and a plain prefix are refused', async () => {
  for (const bad of [
    's3://',
    's3:///x',
    's3://b/x?y',
    's3://b/../x',
    's3://b/x\ny',
    'https://b/x',
  ]) {
    await rejects(S3Backend.open(bad, { env: {} }), 'ERR_USAGE')
  }
  const { address } = await S3Backend.open('s3://bucket/a/b/', { env: { HOME: '/nonexistent' } })
  assert.is(address, 's3://bucket/a/b/')
})

suiteOf('the server goes down', async () => {
  await server?.[Symbol.asyncDispose]()
})

suiteOf.run()

function newAddress(): string {
  return `s3://${BUCKET}/remote-${remotes++}`
}

function open(): Promise<S3Backend> {
  return S3Backend.open(newAddress(), { env: rgw.env })
}

function inBucket(name: string, wrap: (inner: Backend) => Backend = (inner) => inner): Subject {
  return {
    name,
    async open(files) {
      const inner = await open()
      const filling = limited(retrying(inner), 16)
      await Promise.all(
        Object.entries(files).map(([each, bytes]) => filling.put(each, bytesSource(bytes))),
      )
      return { backend: wrap(inner), [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose]() }
    },
  }
}
