/** Real HTTP through a proxy that misbehaves at chosen requests. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Backend, readAll } from '../../../src/sync/backend.ts'
import { HttpBackend } from '../../../src/sync/backends/http.ts'
import { MemoryBackend } from '../../../src/sync/backends/memory.ts'
import { observed } from '../../../src/sync/backends/observed.ts'
import { type RetryOptions, retrying } from '../../../src/sync/backends/retrying.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { rejects } from '../../support/rejects.ts'
import { listAll } from '../conformance.ts'
import { fileServer } from '../file-server.ts'
import { type Fault, hostileProxy } from '../hostile-proxy.ts'

const test = suite('retrying')
const PACK = 'packs/a.pack'
const bytes = randomBytes(400_000)
/** What passes, and leaves no trace once it was tried again. */
const PASSING: readonly Fault[] = [
  ...[409, 503].map((status) => ({ kind: 'status', status }) as const),
  { kind: 'drop', bytes: 0 },
  { kind: 'drop', bytes: 200_000 },
  { kind: 'stall', bytes: 100 },
  { kind: 'cut', bytes: 0 },
  { kind: 'cut', bytes: 100_000 },
  { kind: 'lose' },
]

test('every request of a transfer succeeds though any one of them fails once', async () => {
  const expected = await transfer(new MemoryBackend())
  const requests = await through(() => undefined, transfer).then(({ count }) => count)
  assert.ok(requests >= 9)
  for (const fault of PASSING) {
    for (let at = 0; at < requests; at++) {
      const { result, files } = await through((n) => (n === at ? fault : undefined), transfer)
      assert.equal(result, expected, `${JSON.stringify(fault)} at ${at}`)
      assert.equal([...files.keys()], ['log/000000000001.json', PACK])
    }
  }
})

test('a page in the place of an answer ends a transfer, and the next one succeeds', async () => {
  const { count } = await through(() => undefined, transfer)
  for (let at = 0; at < count; at++) {
    const { result } = await through(
      (n) => (n === at ? { kind: 'html' } : undefined),
      async (backend) => {
        const error: unknown = await transfer(backend).catch((error: unknown) => error)
        assert.ok(
          error instanceof Error && /web page|does not tell/.test(error.message),
          `${at}: ${error}`,
        )
        await backend.putIfAbsent(PACK, bytesSource(bytes))
        return (await readAll(backend, PACK, { most: 1e6 })).equals(bytes)
      },
    )
    assert.ok(result)
  }
})

test('a file that breaks off again and again is read on from where it was', async () => {
  let received = 0
  const { result, count } = await through(
    () => ({ kind: 'drop', bytes: 60_000 }),
    (backend) =>
      readAll(observed(backend, { onReceived: (more) => (received += more) }), PACK, { most: 1e6 }),
    { [PACK]: bytes },
  )
  assert.ok(result.equals(bytes))
  assert.is(received, bytes.length)
  assert.ok(count >= 7 && count <= 20, `${count} requests`)
})

test('a part that breaks off is read on within its bounds', async () => {
  const range = { start: 10_000, end: 350_001 }
  const { result } = await through(
    () => ({ kind: 'drop', bytes: 150_000 }),
    (backend) => readAll(backend, PACK, { most: 1e6, range }),
    { [PACK]: bytes },
  )
  assert.ok(result.equals(bytes.subarray(range.start, range.end)))
})

test('what does not pass is tried once, and what does not get better five times', async () => {
  for (const [fault, tries, code] of [
    [{ kind: 'status', status: 403 }, 1, 'ERR_REMOTE_DENIED'],
    [{ kind: 'status', status: 404 }, 1, 'ERR_NOT_FOUND'],
    [{ kind: 'html' }, 1, 'ERR_REMOTE_UNREACHABLE'],
    [{ kind: 'status', status: 503 }, 5, 'ERR_REMOTE_UNREACHABLE'],
    [{ kind: 'drop', bytes: 0 }, 5, 'ERR_REMOTE_UNREACHABLE'],
  ] as const) {
    const { count } = await through(
      () => fault,
      (backend) => rejects(readAll(backend, PACK, { most: 1e6 }), code),
      { [PACK]: bytes },
    )
    assert.is(count, tries, JSON.stringify(fault))
  }
})

test('no attempt comes before the time that the server asked for', async () => {
  const started = performance.now()
  await through(
    (n) => (n === 0 ? { kind: 'status', status: 429, after: '1' } : undefined),
    (backend) => backend.head(PACK),
  )
  assert.ok(performance.now() - started >= 990)
})

test('whoever stops does not wait for the next attempt', async () => {
  const stop = new AbortController()
  const started = performance.now()
  setTimeout(() => stop.abort(new Error('enough')), 50)
  await through(
    () => ({ kind: 'status', status: 429, after: '20' }),
    async (backend) => {
      const outcome = backend.head(PACK, { signal: stop.signal })
      assert.is(await outcome.then(String, (error: Error) => error.message), 'enough')
    },
  )
  assert.ok(performance.now() - started < 5000)
})

test('of writers whose answers get lost each knows which of the files are its own', async () => {
  const faults = fc.array(fc.constantFrom<Fault | undefined>(undefined, ...PASSING), {
    minLength: 60,
    maxLength: 60,
  })
  await fc.assert(
    fc.asyncProperty(faults, async (plan) => {
      const writers = ['a', 'b', 'c']
      const { result, files } = await through(
        (n) => plan[n],
        (backend) => Promise.all(writers.map((writer) => append(backend, writer, 4))),
        {},
        { attempts: 100, pause: 0 },
      )
      for (const [i, own] of result.entries()) {
        for (const name of own) assert.is(String(files.get(name)), `${writers[i]} ${name}`)
      }
      assert.equal(result.flat().sort(), [...files.keys()].sort())
      assert.is(files.size, 12)
    }),
    { numRuns: 5 },
  )
})

test.run()

/** Creates so many operations, each under the first free number; returns their names. */
async function append(backend: Backend, writer: string, count: number): Promise<string[]> {
  const own: string[] = []
  for (let n = 1; own.length < count; n++) {
    const name = `log/${String(n).padStart(12, '0')}.json`
    const answer = await backend.putIfAbsent(name, bytesSource(`${writer} ${name}`))
    if (answer === 'created') own.push(name)
  }
  return own
}

/** Each kind of request; returns all that it learned. */
async function transfer(backend: Backend): Promise<unknown[]> {
  const log = 'log/000000000001.json'
  return [
    await backend.head(PACK),
    await backend.putIfAbsent(PACK, bytesSource(bytes)),
    await backend.putIfAbsent(PACK, bytesSource('another')),
    await backend.put('latest.json', bytesSource('1')),
    await backend.putIfAbsent(log, bytesSource('one')),
    (await readAll(backend, PACK, { most: 1e6 })).equals(bytes),
    String(await readAll(backend, log, { most: 9, range: { start: 1, end: 3 } })),
    (await listAll(backend, 'packs/')).map(({ name, size }) => [name, size]),
    await backend.delete('latest.json'),
    (await rejects(backend.get('latest.json'), 'ERR_NOT_FOUND')).code,
  ]
}

/** Runs something against a real server, through a proxy with these faults. */
async function through<T>(
  faultOf: (n: number) => Fault | undefined,
  run: (backend: Backend) => Promise<T>,
  contents: Readonly<Record<string, Uint8Array>> = {},
  options: RetryOptions = {},
): Promise<{ result: T; files: Map<string, Buffer>; count: number }> {
  await using server = await fileServer(contents)
  await using proxy = await hostileProxy(server.url, faultOf)
  await using inner = new HttpBackend(proxy.url, { env: {}, idleTimeout: 120 })
  const result = await run(retrying(inner, { pause: 2, ...options }))
  const files = new Map([...server.files].sort(([a], [b]) => (a < b ? -1 : 1)))
  return { result, files, count: proxy.count() }
}
