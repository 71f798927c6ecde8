/** What a store knows of a remote, and what becomes of it when files of it are lost. */
import {
  appendFileSync,
  existsSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Opened, openStore } from '../../../src/store/open.ts'
import type { Backend } from '../../../src/sync/backend.ts'
import { HttpBackend } from '../../../src/sync/backends/http.ts'
import { Mirror } from '../../../src/sync/mirror/mirror.ts'
import type { ObjectId } from '../../../src/types.ts'
import { type Bikes, bikes } from '../../stores.ts'
import { rejects } from '../../support/rejects.ts'
import { type FileServer, fileServer } from '../file-server.ts'

const test = suite('mirror')

/** Two pushes: `bike:v0` to `v2`, then `v3`. */
interface Pushed extends AsyncDisposable {
  readonly one: Bikes
  readonly server: FileServer
  readonly backend: Backend
  readonly opened: Opened
  readonly format: Buffer
  /** `remotes/<store id>/`. */
  folder(mirror: Mirror): string
}

async function pushed(): Promise<Pushed> {
  const one = await bikes()
  const server = await fileServer()
  await one.store.remotes.add('origin', server.url)
  await one.store.push([])
  await one.commit()
  await one.store.push([])
  // What the pushing store has noted itself is not what is looked at here.
  rmSync(join(one.store.root, 'remotes'), { recursive: true })
  const opened = await openStore({ root: one.store.root, tool: 'test' })
  const backend = new HttpBackend(server.url, { env: {} })
  return {
    one,
    server,
    backend,
    opened,
    format: server.files.get('format.json') as Buffer,
    folder: ({ store }) => join(opened.layout.remotes, store),
    async [Symbol.asyncDispose]() {
      opened.close()
      await backend[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await one[Symbol.asyncDispose]()
    },
  }
}

function picture({ state, head }: Mirror): unknown {
  return [
    head,
    state.artifacts().map((artifact) => [artifact, state.everyVersion(artifact.id)]),
    state.artifacts().map(({ id }) => state.aliases(id)),
  ]
}

test('it has the remote’s state, and knows where objects lie', async () => {
  await using its = await pushed()
  using mirror = await Mirror.of(its.opened, its.format, its.server.url)
  assert.is(await mirror.readNews(its.backend), 2)
  assert.is(await mirror.readNews(its.backend), 0)
  const { state } = its.opened.index
  const [bike] = mirror.state.artifacts()
  const versions = mirror.state.versions(bike?.id ?? ('' as never))
  assert.equal(
    versions.map(({ id }) => id),
    state.versions(state.artifacts()[0]?.id ?? ('' as never)).map(({ id }) => id),
  )
  const root = Buffer.from(versions[0]?.object.root ?? '', 'hex')
  assert.is(mirror.packOf(root), undefined)
  await mirror.loadTables(its.backend)
  const pack = mirror.packOf(root)
  assert.ok(pack !== undefined && its.server.files.has(`packs/${pack}.pack`))
  assert.is(mirror.locations(root)[0]?.pack, pack)
})

test('without its database it is the same, and nothing is asked for that', async () => {
  await using its = await pushed()
  let before: unknown
  {
    using mirror = await Mirror.of(its.opened, its.format, its.server.url)
    await mirror.readNews(its.backend)
    before = picture(mirror)
    for (const end of ['', '-wal', '-shm'])
      rmSync(`${its.folder(mirror)}/mirror.db${end}`, { force: true })
  }
  const asked = its.server.asked.length
  using again = await Mirror.of(its.opened, its.format, its.server.url)
  assert.equal(picture(again), before)
  assert.is(its.server.asked.length, asked)
})

test('a log that lost its end, or has a torn one, is read again from there', async () => {
  await using its = await pushed()
  let before: unknown
  let log = ''
  {
    using mirror = await Mirror.of(its.opened, its.format, its.server.url)
    await mirror.readNews(its.backend)
    before = picture(mirror)
    log = join(its.folder(mirror), 'log.jsonl')
  }
  const bytes = readFileSync(log)
  for (const damage of [
    () => truncateSync(log, bytes.length - 40),
    () => truncateSync(log, 0),
    () => appendFileSync(log, '{"n":3'),
  ]) {
    damage()
    using mirror = await Mirror.of(its.opened, its.format, its.server.url)
    await mirror.readNews(its.backend)
    assert.equal(picture(mirror), before)
  }
})

test('two that read the same news at once are one', async () => {
  await using its = await pushed()
  using one = await Mirror.of(its.opened, its.format, its.server.url)
  using other = await Mirror.of(its.opened, its.format, its.server.url)
  await Promise.all([one.readNews(its.backend), other.readNews(its.backend)])
  assert.equal(picture(one), picture(other))
  assert.is(one.head.n, 2)
})

test('an operation that breaks a rule is refused, and nothing of it is noted', async () => {
  await using its = await pushed()
  // The first operation under the number of the second follows nothing.
  const first = its.server.files.get('log/000000000001.json') as Buffer
  its.server.files.set('log/000000000002.json', first)
  using mirror = await Mirror.of(its.opened, its.format, its.server.url)
  const error = await rejects(mirror.readNews(its.backend), 'ERR_DAMAGED')
  assert.match(error.message, '000000000002')
  assert.ok(mirror.head.n <= 1)
})

test('another remote with the same id is refused', async () => {
  await using its = await pushed()
  using mirror = await Mirror.of(its.opened, its.format, its.server.url)
  const { encodeFormat } = await import('../../../src/store/format.ts')
  const other = encodeFormat({ id: mirror.store, tool: 'another' })
  await rejects(Mirror.of(its.opened, other, its.server.url), 'ERR_REMOTE_CHANGED')
})

test('where leaves lie is noted, until one of the packs is not there', async () => {
  await using there = await pushed()
  const mirror = await Mirror.of(there.opened, there.format, there.backend.address)
  await mirror.readNews(there.backend)
  await mirror.loadTables(there.backend)
  const packs = mirror.packs().filter(({ kind }) => kind !== 'index')
  const ids = new Set(packs.map(({ id }) => id))
  const leaf = 'a'.repeat(64) as ObjectId
  const other = 'b'.repeat(64) as ObjectId
  const unknown = 'c'.repeat(64) as ObjectId
  mirror.noteLeaves(
    new Map([
      [leaf, ids],
      [other, new Set([...ids, unknown])],
    ]),
  )
  assert.equal(mirror.leaf(Buffer.from(leaf, 'hex')), [...ids])
  assert.is(mirror.leaf(Buffer.from(other, 'hex')), undefined)
  mirror.close()
})

test('earlier states are told again and again, whatever becomes of the file that keeps the fold', async () => {
  await using its = await pushed()
  using mirror = await Mirror.of(its.opened, its.format, its.backend.address)
  await mirror.readNews(its.backend)
  const head = mirror.head.n
  const past = `${its.folder(mirror)}/past.db`
  const countsAt = async (...operations: readonly number[]): Promise<unknown> => {
    const counts = new Map<number, number>()
    await mirror.visitPast(operations, (state, n) => {
      counts.set(n, state.newestVersions(100).length)
    })
    return [...counts].sort()
  }
  assert.is(head, 2)
  assert.equal(await countsAt(1), [[1, 3]])
  assert.ok(existsSync(past))
  assert.equal(await countsAt(1, 2), [
    [1, 3],
    [2, 4],
  ])
  // It has gone on, and is asked for what was before.
  assert.equal(await countsAt(1), [[1, 3]])
  assert.equal(await countsAt(2), [[2, 4]])
  writeFileSync(past, 'no database')
  assert.equal(await countsAt(1), [[1, 3]])
  assert.equal(await countsAt(2), [[2, 4]])
  assert.equal(await countsAt(0), [])
})

test.run()
