import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isPresent } from '../../../src/store/commit/presence.ts'
import { Reliance } from '../../../src/store/commit/reliance.ts'
import { kindOf } from '../../../src/store/object/pack.ts'
import type { Opened } from '../../../src/store/open.ts'
import { nodeReader, readObject } from '../../../src/store/opened.ts'
import { entries } from '../../../src/store/tree/cursor.ts'
import { observed } from '../../../src/sync/backends/observed.ts'
import type { WantedVersion } from '../../../src/sync/transfer/missing-there.ts'
import { receive } from '../../../src/sync/transfer/receive.ts'
import type { EntryPath, ObjectId } from '../../../src/types.ts'
import { openedRoom } from '../../store/commit/opened.ts'
import { seededRandom } from '../../support/random.ts'
import { join } from './joined.ts'
import { TestRemote } from './remote.ts'
import { objectsOf, someFiles, wanted } from './versions.ts'

const test = suite('receiving')
const random = seededRandom(5)

test('what comes is whole, and nothing lies about', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const tree = { ...someFiles(random, 40), big: random.bytes(700_000), small: 'x' }
  const version = wanted(await there.commit(there.write('a', tree)))
  const remote = new TestRemote()
  await remote.push(there.store, [version])
  const received = await join(here.store, remote, [version])
  assert.equal([...received.whole], [version.id])
  assertWhole(here.store, version)
  assert.equal(readdirSync(here.store.layout.quarantine), [])
  assert.equal(readdirSync(here.store.layout.tmp), [])
  // What is here is not fetched again.
  const again = await receive(here.store, { backend: remote.backend, mirror: remote }, [version], {
    content: 'all',
    jobs: 0,
  })
  assert.equal([again.objects, again.bytes, again.packs], [0, 0, []])
})

test('packs of which all is wanted join as they are, in few requests', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const version = wanted(
    await there.commit(there.write('a', { large: randomBytes(12 << 20) }), { jobs: 0 }),
  )
  const remote = new TestRemote()
  const pushed = await remote.push(there.store, [version])
  const asked: string[] = []
  const backend = observed(remote.backend, { onRequest: (kind) => asked.push(kind) })
  const received = await join(here.store, remote, [version], { backend })
  assert.equal(asked, ['get', 'get'])
  const data = pushed.packs.find(({ kind }) => kind === 'data')
  const joined = received.packs.find(({ id }) => id === data?.id)
  assert.equal([joined?.kind, joined?.sha256, joined?.toc], ['data', data?.sha256, data?.toc])
  assertWhole(here.store, version)
})

test('what is new of a version comes alone', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const files = someFiles(random, 60)
  const first = wanted(await there.commit(there.write('a', files)))
  const second = wanted(await there.commit(there.write('a', { f3: random.bytes(9000) })))
  const remote = new TestRemote()
  await remote.push(there.store, [first])
  await join(here.store, remote, [first])
  await remote.push(there.store, [second])
  const received = await join(here.store, remote, [second])
  assert.ok(received.objects < 5, `${received.objects} objects`)
  assert.ok(received.bytes < 20_000, `${received.bytes} bytes`)
  assertWhole(here.store, second)
})

test('a version can come without bytes of files, or with those of some paths', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const tree = {
    'a/x': random.bytes(5000),
    'a/y': random.bytes(900_000),
    ab: random.bytes(3000),
    c: random.bytes(4000),
  }
  const version = wanted(await there.commit(there.write('a', tree)))
  const remote = new TestRemote()
  await remote.push(there.store, [version])
  const none = await join(here.store, remote, [version], { content: 'none' })
  assert.is(none.whole.size, 0)
  assert.ok(none.bytes < 5000)
  assert.equal(presentFiles(here.store, version.object.root), [])
  const some = await join(here.store, remote, [version], { content: { paths: ['a' as EntryPath] } })
  assert.is(some.whole.size, 0)
  assert.equal(presentFiles(here.store, version.object.root), ['a/x', 'a/y'])
  const rest = await join(here.store, remote, [version], {
    content: { paths: ['ab', 'c'] as EntryPath[] },
  })
  assert.equal([...rest.whole], [version.id])
  assertWhole(here.store, version)
})

/** Asserts that every object of a version is in the store, and can be read. */
function assertWhole(store: Opened, version: WantedVersion): void {
  for (const id of objectsOf(store, version)) {
    const place = store.index.objects.locate(Buffer.from(id, 'hex'))
    assert.ok(place, id)
    if (place !== undefined) readObject(store, kindOf(place.type), id)
  }
}

/** The paths of files whose bytes are here, all of them. */
function presentFiles(store: Opened, root: ObjectId): string[] {
  const reliance = new Reliance(store.index.objects, 0)
  return [...entries(nodeReader(store), root)]
    .filter((entry) => entry.kind === 'file' && isPresent(store, reliance, entry.content))
    .map(({ path }) => path)
}

test.run()
