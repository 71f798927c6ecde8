import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { routeOf } from '../../../src/sync/serve/routes.ts'
import { writeTree } from '../../support/files.ts'
import { ask, type ServedStore, servedStore, sha256 } from './serving.ts'

const test = suite('serve, single files')
const LARGE = randomBytes(900_000)
const run = promisify(execFile)

test('a file of a version comes whole, with its hash for a name', async () => {
  await using served = await withFiles()
  for (const [path, bytes] of [
    ['data/large.bin', LARGE],
    ['small.csv', Buffer.from('a,b\n1,2\n')],
    ['middle.txt', Buffer.from('middle '.repeat(100))],
    ['empty', Buffer.alloc(0)],
    ['with space/ü?#%.txt', Buffer.from('odd')],
  ] as const) {
    const encoded = path.split('/').map(encodeURIComponent).join('/')
    const answer = await fetch(`${served.url}files/bike:latest/${encoded}`)
    assert.is(answer.status, 200, path)
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes), path)
    assert.is(answer.headers.get('etag'), `"${sha256(bytes)}"`)
    assert.is(answer.headers.get('content-length'), String(bytes.length))
    const head = await ask(`${served.url}files/bike:latest/${encoded}`, { method: 'HEAD' })
    assert.is(head.headers.get('content-length'), String(bytes.length))
  }
})

test('any part of a file can be asked for, by all forms of a range', async () => {
  await using served = await withFiles()
  const url = `${served.url}files/bike:v0/data/large.bin`
  const last = LARGE.length - 1
  for (const [range, start, end] of [
    ['0-0', 0, 1],
    ['0-', 0, LARGE.length],
    [`0-${last + 50}`, 0, LARGE.length],
    ['100000-499999', 100_000, 500_000],
    [`${last}-`, last, last + 1],
    ['-1', last, last + 1],
    ['-300000', LARGE.length - 300_000, LARGE.length],
    ['-9999999', 0, LARGE.length],
  ] as const) {
    const answer = await fetch(url, { headers: { range: `bytes=${range}` } })
    assert.is(answer.status, 206, range)
    assert.is(answer.headers.get('content-range'), `bytes ${start}-${end - 1}/${LARGE.length}`)
    const bytes = Buffer.from(await answer.arrayBuffer())
    assert.ok(bytes.equals(LARGE.subarray(start, end)), range)
  }
  for (const range of [`bytes=${last + 1}-`, 'bytes=-0']) {
    const answer = await ask(url, { headers: { range } })
    assert.is(answer.status, 416, range)
    assert.is(answer.headers.get('content-range'), `bytes */${LARGE.length}`)
  }
  for (const range of ['bytes=5-1', 'bytes=1-2,5-6', 'lines=1-2', 'bytes=a-b', 'bytes=-']) {
    assert.is((await ask(url, { headers: { range } })).status, 200, range)
  }
  const stale = { range: 'bytes=0-4', 'if-range': '"other"' }
  assert.is((await ask(url, { headers: stale })).status, 200)
})

test('what has not changed is not sent again', async () => {
  await using served = await withFiles()
  const url = `${served.url}files/bike/small.csv`
  const etag = (await ask(url)).headers.get('etag') ?? ''
  for (const tag of [etag, `"x", ${etag}`, `W/${etag}`, '*']) {
    const answer = await ask(url, { headers: { 'if-none-match': tag } })
    assert.equal([answer.status, answer.text], [304, ''], tag)
  }
  assert.is((await ask(url, { headers: { 'if-none-match': '"x"' } })).status, 200)
})

test('what a ref means may change, and what an id names does not', async () => {
  await using served = await withFiles()
  const { id } = served.store.version('bike:v0')
  const cache = async (ref: string): Promise<string | null> =>
    (await ask(`${served.url}files/${ref}/small.csv`)).headers.get('cache-control')
  assert.match((await cache(`@${id}`)) ?? '', 'immutable')
  assert.is(await cache(`@${id.slice(0, 8)}`), 'no-cache')
  assert.is(await cache('bike:v0'), 'no-cache')
  const answer = await ask(`${served.url}files/bike:best/small.csv`)
  assert.is(answer.headers.get('x-artifacts-version'), id)
})

test('what is not there is 404, and what is no ref 400', async () => {
  await using served = await withFiles()
  for (const [path, status] of [
    ['bike:v0/none', 404],
    ['bike:v0/data', 404],
    ['bike:v0/link', 404],
    ['bike:v9/small.csv', 404],
    ['none/small.csv', 404],
    ['bike:v0/', 404],
    ['bike:v0', 404],
    ['bike:v00/small.csv', 400],
    ['b%20ke:v0/small.csv', 400],
    ['bike:v0/..%2Fsmall.csv', 404],
    ['bike:v0/data/../small.csv', 200],
  ] as const) {
    const { status: got } = await ask(`${served.url}files/${path}`)
    assert.is(got, status, path)
  }
})

test('nothing in a store acts on the origin of its server', async () => {
  await using served = await withFiles()
  for (const path of ['page.html', 'picture.svg', 'x.js', 'x.xml', 'x.xhtml', 'x']) {
    const { headers } = await ask(`${served.url}files/bike/${path}`)
    assert.is(headers.get('content-type'), 'application/octet-stream', path)
    assert.match(headers.get('content-disposition') ?? '', /^attachment/)
    assert.is(headers.get('x-content-type-options'), 'nosniff')
    assert.match(headers.get('content-security-policy') ?? '', 'sandbox')
  }
  const { headers } = await ask(`${served.url}files/bike/small.csv`)
  assert.is(headers.get('content-type'), 'text/csv; charset=utf-8')
  assert.is(headers.get('access-control-allow-origin'), null)
})

test('curl goes on with a download that broke off', async () => {
  await using served = await withFiles()
  const url = `${served.url}files/bike:v0/data/large.bin`
  const options = { maxBuffer: 1e7, encoding: 'buffer' } as const
  const part = await run('curl', ['-s', '-r', '0-299999', url], options)
  const rest = await run('curl', ['-s', '-C', '300000', url], options)
  assert.ok(Buffer.concat([part.stdout, rest.stdout]).equals(LARGE))
})

test('a ref is one part of the address, or ends with its version', () => {
  const routes: Record<string, [ref: string, path: string]> = {
    'bike/x/y': ['bike', 'x/y'],
    'bike:v3/x': ['bike:v3', 'x'],
    'bike%3Av3/x': ['bike:v3', 'x'],
    'team/bike:best/x': ['team/bike:best', 'x'],
    'me/team/bike:best/x': ['me/team/bike:best', 'x'],
    'team%2Fbike/x': ['team/bike', 'x'],
    '@abcdef/x/y': ['@abcdef', 'x/y'],
    'bike@abcdef/x': ['bike@abcdef', 'x'],
    'bike/a/b/c:d': ['bike', 'a/b/c:d'],
    'bike:latest/c:d/e': ['bike:latest', 'c:d/e'],
    'bike:best~1/x': ['bike:best~1', 'x'],
  }
  for (const [address, [ref, path]] of Object.entries(routes)) {
    assert.equal(routeOf(`/files/${address}`), { kind: 'entry', ref, path }, address)
  }
})

test.run()

/** `bike:v0`, which is `best` too. */
async function withFiles(): Promise<ServedStore> {
  const served = await servedStore()
  const { store } = served
  const data = `${store.workspace}/files`
  writeTree(data, {
    'data/large.bin': LARGE,
    'small.csv': 'a,b\n1,2\n',
    'middle.txt': 'middle '.repeat(100),
    empty: '',
    'with space/ü?#%.txt': 'odd',
    link: { symlink: 'small.csv' },
    'page.html': '<script>steal()</script>',
    'picture.svg': '<svg onload="steal()"/>',
    'x.js': 'steal()',
    'x.xml': '<x/>',
    'x.xhtml': '<x/>',
    x: '<html><script>steal()</script>',
  })
  await store.commit([data], { name: 'bike', aliases: ['best'], jobs: 0 })
  return served
}
