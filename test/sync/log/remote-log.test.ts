import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FORMAT as CURRENT, encodeFormat } from '../../../src/store/format.ts'
import { canonicalJson } from '../../../src/store/log/canonical.ts'
import { encodeOperation, type Operation } from '../../../src/store/log/operation.ts'
import { type Backend, readAll } from '../../../src/sync/backend.ts'
import { MemoryBackend } from '../../../src/sync/backends/memory.ts'
import { observed } from '../../../src/sync/backends/observed.ts'
import { operationName, segmentName } from '../../../src/sync/log/names.ts'
import {
  announce,
  checkPosition,
  createOperation,
  type Position,
  type RemoteEntry,
  readIdentity,
  readNews,
} from '../../../src/sync/log/remote-log.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { sampleArtifact, sampleOperation } from '../../store/log/samples.ts'
import { rejects } from '../../support/rejects.ts'

const test = suite('remote log')
const FORMAT = encodeFormat({ id: '0'.repeat(32), tool: 'artifacts/0.1.0' })

test('the log of a remote is read from anywhere, with segments and without, whatever the hint', async () => {
  for (const length of [0, 1, 2, 9, 40, 300, 700]) {
    const remote = await remoteOf(length)
    for (const hint of [undefined, 'nonsense', 0, Math.ceil(length / 2), length, length + 900]) {
      await remote.hint(hint)
      for (const since of new Set([0, Math.min(1, length), Math.floor(length / 3), length])) {
        const news = await read(remote.backend, remote.at(since))
        assert.equal(
          news.map(({ n, hash }) => ({ n, hash })),
          remote.positions.slice(since + 1),
        )
      }
    }
  }
})

test('no news are one request, and a long log is read in segments', async () => {
  const remote = await remoteOf(700)
  await remote.hint(700)
  const asked: string[] = []
  const counting = observed(remote.backend, { onRequest: (_, name) => asked.push(name) })
  assert.equal(await read(counting, remote.at(700)), [])
  assert.equal(asked, [operationName(701)])
  asked.length = 0
  assert.is((await read(counting, remote.at(0))).length, 700)
  const segments = asked.filter((name) => name.endsWith('.jsonl'))
  assert.equal(segments.slice(0, 2), [
    segmentName({ first: 1, last: 256 }),
    segmentName({ first: 257, last: 512 }),
  ])
  // The rest is in no segment yet.
  assert.ok(asked.length < 700 - 512 + 16, `${asked.length} requests`)
})

test('a segment that is cut, lies, has no end or belongs to another log is passed over', async () => {
  const remote = await remoteOf(300)
  await remote.hint(300)
  const name = segmentName({ first: 1, last: 256 })
  const whole = await readAll(remote.backend, name, { most: 1e7 })
  const other = await remoteOf(256, 'other')
  const damaged = Buffer.from(whole)
  damaged[whole.length >> 1] = (damaged[whole.length >> 1] ?? 0) ^ 1
  for (const bytes of [
    whole.subarray(0, whole.length / 3),
    damaged,
    Buffer.alloc(17 * 2 ** 20 + 100, 'x'),
    Buffer.alloc(0),
    await readAll(other.backend, name, { most: 1e7 }),
  ]) {
    await remote.backend.put(name, bytesSource(bytes))
    assert.is((await read(remote.backend, remote.at(0))).length, 300)
  }
})

test('a log that was replaced, or went back, is refused', async () => {
  const remote = await remoteOf(5)
  const other = await remoteOf(8, 'other')
  const error = await rejects(read(other.backend, remote.at(5)), 'ERR_REMOTE_CHANGED')
  assert.match(error.message, operationName(6))
  for (const position of remote.positions.slice(1)) {
    await checkPosition(remote.backend, position)
    await rejects(checkPosition(other.backend, position), 'ERR_REMOTE_CHANGED')
  }
  await checkPosition(remote.backend, remote.at(0))
  const shorter = await remoteOf(3)
  await checkPosition(shorter.backend, remote.at(3))
  await rejects(checkPosition(shorter.backend, remote.at(4)), 'ERR_REMOTE_CHANGED')
})

test('operations that are damaged, too long or no operations are refused', async () => {
  const remote = await remoteOf(3)
  const name = operationName(2)
  const whole = await readAll(remote.backend, name, { most: 1e6 })
  const line = canonicalJson({ n: 2, prev: remote.at(1).hash })
  for (const bytes of [
    whole.subarray(0, -1),
    Buffer.concat([whole, whole]),
    Buffer.from('<html>'),
    Buffer.alloc(0),
    Buffer.from(`${line}\n${'0'.repeat(64)}\n`),
    Buffer.alloc(16 * 2 ** 20 + 100),
  ]) {
    await remote.backend.put(name, bytesSource(bytes))
    await rejects(read(remote.backend, remote.at(0)), 'ERR_DAMAGED')
  }
})

test('reading ends with an operation that only a newer program understands', async () => {
  const remote = await remoteOf(2)
  const { hash } = remote.at(2)
  const operation = { ...operationAt(3, hash), changes: [{ kind: 'version.sing' }] } as never
  const line = canonicalJson(operation)
  const sum = createHash('sha256').update(line).digest('hex')
  await remote.backend.put(operationName(3), bytesSource(`${line}\n${sum}\n`))
  await remote.backend.put(operationName(4), bytesSource('whatever'))
  await remote.hint(4)
  const news = await read(remote.backend, remote.at(0))
  assert.equal(
    news.map(({ entry }) => entry.kind),
    ['operation', 'operation', 'unknown'],
  )
})

test('writers who read on when they were too slow make one line of operations', async () => {
  const backend = new MemoryBackend()
  await backend.put('format.json', bytesSource(FORMAT))
  const start = { n: 0, hash: hashOf(FORMAT) }
  const write = async (writer: string): Promise<void> => {
    let at: Position = start
    for (let own = 0; own < 10; ) {
      for await (const { n, hash } of readNews(backend, at)) at = { n, hash }
      const operation = operationAt(at.n + 1, at.hash, `${writer} ${own}`)
      const created = await createOperation(backend, operation)
      if (created.kind === 'taken') continue
      at = { n: at.n + 1, hash: created.hash }
      await announce(backend, at)
      own++
    }
  }
  await Promise.all(['a', 'b', 'c', 'd'].map(write))
  const news = await read(backend, start)
  assert.is(news.length, 40)
})

test('an empty address is no store, and operations without a store are no empty address', async () => {
  const remote = await remoteOf(1)
  assert.equal(await readIdentity(remote.backend), {
    id: '0'.repeat(32),
    hash: hashOf(FORMAT),
    format: CURRENT,
  })
  await remote.backend.delete('format.json')
  await rejects(readIdentity(remote.backend), 'ERR_REMOTE_CHANGED')
  assert.is(await readIdentity(new MemoryBackend()), undefined)
})

test.run()

interface Remote {
  readonly backend: Backend
  /** Of `format.json`, and of each operation. */
  readonly positions: readonly Position[]
  at(n: number): Position
  hint(n: number | string | undefined): Promise<void>
}

/** A remote with so many operations, and its small segments. */
async function remoteOf(length: number, seed = 'one'): Promise<Remote> {
  const backend = new MemoryBackend()
  await backend.put('format.json', bytesSource(FORMAT))
  const positions: Position[] = [{ n: 0, hash: hashOf(FORMAT) }]
  let segment: Buffer[] = []
  for (let n = 1; n <= length; n++) {
    const { bytes, hash } = encodeOperation(operationAt(n, positions.at(-1)?.hash ?? '', seed))
    await backend.put(operationName(n), bytesSource(bytes))
    positions.push({ n, hash })
    segment.push(bytes)
    if (n % 256 !== 0) continue
    const name = segmentName({ first: n - 255, last: n })
    await backend.put(name, bytesSource(Buffer.concat(segment)))
    segment = []
  }
  return {
    backend,
    positions,
    at: (n) => positions[n] ?? { n, hash: '' },
    async hint(n) {
      if (n === undefined) await backend.delete('latest.json')
      else if (typeof n === 'string') await backend.put('latest.json', bytesSource(n))
      else await announce(backend, { n, hash: '0'.repeat(64) })
    },
  }
}

function operationAt(n: number, prev: string, seed = 'one'): Operation {
  const artifact = sampleArtifact(`${seed} ${n}`)
  const create = {
    kind: 'artifact.create',
    artifact,
    project: 'p',
    name: `a${n}`,
    type: 't',
  } as const
  return sampleOperation(n, prev, [create])
}

async function read(backend: Backend, since: Position): Promise<RemoteEntry[]> {
  const all: RemoteEntry[] = []
  for await (const entry of readNews(backend, since)) all.push(entry)
  return all
}

function hashOf(format: Buffer): string {
  return format.toString('utf8').split('\n')[1] ?? ''
}
