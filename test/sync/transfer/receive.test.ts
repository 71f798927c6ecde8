import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../../src/errors.ts'
import { checkStore } from '../../../src/fsck.ts'
import { isPresent } from '../../../src/store/commit/presence.ts'
import { Reliance } from '../../../src/store/commit/reliance.ts'
import { removeLeftovers } from '../../../src/store/gc/leftovers.ts'
import { commitOperation } from '../../../src/store/index/commit-point.ts'
import { namedPacks } from '../../../src/store/index/pack-rows.ts'
import { packPath, temporaryName } from '../../../src/store/layout.ts'
import { chunkHash, RECIPE } from '../../../src/store/object/id.ts'
import { kindOf } from '../../../src/store/object/pack.ts'
import { encodeRecipe, splitRecipe } from '../../../src/store/object/recipe.ts'
import type { Opened } from '../../../src/store/open.ts'
import { nodeReader, readObject } from '../../../src/store/opened.ts'
import { entries } from '../../../src/store/tree/cursor.ts'
import { type Backend, readAll } from '../../../src/sync/backend.ts'
import { observed } from '../../../src/sync/backends/observed.ts'
import { packName } from '../../../src/sync/put-pack.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import type { WantedVersion } from '../../../src/sync/transfer/missing-there.ts'
import { receive } from '../../../src/sync/transfer/receive.ts'
import type { EntryPath, ObjectId } from '../../../src/types.ts'
import { openedRoom } from '../../store/commit/opened.ts'
import { seededRandom } from '../../support/random.ts'
import { rejects } from '../../support/rejects.ts'
import { file, HandmadeRemote, versionWith } from './handmade.ts'
import { join } from './joined.ts'
import { TestRemote } from './remote.ts'
import { contentsOf, manyFiles, objectsOf, someFiles, wanted } from './versions.ts'

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
  const { ok } = await checkStore(here.store.layout.root, undefined, { data: 1 })
  assert.ok(ok)
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

test('what a version shares with the one before is not looked up if that one is whole here', async () => {
  await using there = await openedRoom()
  const first = wanted(await there.commit(there.write('a', manyFiles(random, 2000))))
  const second = wanted(await there.commit(there.write('a', { f7: random.bytes(90) })))
  const remote = new TestRemote()
  remote.state = there.store.index.state
  await remote.push(there.store, [first, second])
  for (const content of ['all', 'none'] as const) {
    await using here = await openedRoom()
    await join(here.store, remote, [first], { content })
    const reliance = new CountingReliance(here.store.index.objects, 0)
    const received = await join(here.store, remote, [second], { reliance })
    assert.equal([...received.whole], [second.id])
    assert.is(reliance.count < 1000, content === 'all', `${reliance.count}`)
    assertWhole(here.store, second)
  }
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

test('a file whose recipe is in parts comes whole, and can be sent on', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const remote = new HandmadeRemote(there.store)
  const chunks = Array.from({ length: 5000 }, () => random.bytes(60))
  const ids = Buffer.from(chunks.map((bytes) => remote.chunk(bytes)).join(''), 'hex')
  const lengths = chunks.map(({ length }) => length)
  const sha256 = chunkHash(Buffer.concat(chunks))
  const { root, parts } = splitRecipe({ size: 300_000, sha256, ids, lengths })
  assert.is(root.of, 'parts')
  for (const part of parts) remote.add(RECIPE, part)
  const recipe = remote.add(RECIPE, encodeRecipe(root))
  const version = versionWith(remote.tree([file('a', 300_000, { kind: 'recipe', id: recipe })]))
  await remote.seal()
  const none = await join(here.store, remote, [version], { content: 'none' })
  assert.equal([none.objects, none.whole.size], [1, 0])
  const received = await join(here.store, remote, [version])
  assert.is(received.objects, 5000 + parts.length + 1)
  assertWhole(here.store, version)
  const pushed = await new TestRemote().push(here.store, [version])
  assert.equal(contentsOf(pushed.packs), [...objectsOf(here.store, version)].sort())
})

test('packs that are gone are followed to where gc has put what they held', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const tree = { ...someFiles(random, 20), large: randomBytes(3 << 20) }
  const version = wanted(await there.commit(there.write('a', tree), { jobs: 0 }))
  const remote = new TestRemote()
  const { packs } = await remote.push(there.store, [version])
  for (const { id } of packs) await remote.remove(id)
  remote.news = async () => {
    for (const { id } of packs) remote.dropped.add(id)
    await remote.push(there.store, [version])
  }
  await join(here.store, remote, [version])
  assert.is(remote.asked, 1)
  assertWhole(here.store, version)
})

test('a pack that was cut is refused', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const tree = { one: random.bytes(5000), two: random.bytes(5000) }
  const version = wanted(await there.commit(there.write('a', tree)))
  const remote = new TestRemote()
  const { packs } = await remote.push(there.store, [version])
  const name = packName(packs[0]?.id as ObjectId)
  const bytes = await readAll(remote.backend, name, { most: 1 << 20 })
  await remote.backend.put(name, bytesSource(bytes.subarray(0, 4000)))
  for (const content of ['all', { paths: ['one', 'two'] as EntryPath[] }] as const) {
    await rejects(join(here.store, remote, [version], { content }), 'ERR_DAMAGED')
  }
})

test('gc leaves alone what is being received, and takes what was left', async () => {
  await using here = await openedRoom()
  const { quarantine } = here.store.layout
  const live = joinPath(quarantine, temporaryName())
  const left = joinPath(quarantine, 'left-0123456789abcdef')
  for (const path of [live, left]) mkdirSync(path, { recursive: true })
  removeLeftovers(here.store, { now: Date.now(), grace: 0 })
  assert.equal([existsSync(live), existsSync(left)], [true, false])
})

test('a remote that has lost a pack, and says nothing of it, is damaged', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const version = wanted(await there.commit(there.write('a', someFiles(random, 20))))
  const remote = new TestRemote()
  const { packs } = await remote.push(there.store, [version])
  await remote.remove(packs[0]?.id as ObjectId)
  const error = await rejects(join(here.store, remote, [version]), 'ERR_DAMAGED')
  assert.match(error.message, 'does not have the object')
  assert.is(remote.asked, 1)
})

test('what an attempt that failed has verified is not fetched again', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const first = { large: randomBytes(10 << 20) }
  const one = wanted(await there.commit(there.write('a', first), { jobs: 0 }))
  const second = { more: randomBytes(10 << 20) }
  const two = wanted(await there.commit(there.write('b', second), { jobs: 0, name: 'b' }))
  const remote = new TestRemote()
  await remote.push(there.store, [one])
  const { packs } = await remote.push(there.store, [two])
  const last = packName(packs.find(({ kind }) => kind === 'data')?.id as ObjectId)
  const got: string[] = []
  const broken: Backend = {
    ...observed(remote.backend, { onRequest: (_, name) => got.push(name) }),
    get: async (name, options) => {
      if (name !== last) return remote.backend.get(name, options)
      // The others are through by then.
      await new Promise((resolve) => setTimeout(resolve, 1500))
      throw new ArtifactsError('ERR_REMOTE_UNREACHABLE', 'gone')
    },
  }
  await rejects(join(here.store, remote, [one, two], { backend: broken }), 'ERR_REMOTE_UNREACHABLE')
  assert.is(readdirSync(here.store.layout.quarantine).length, 1)
  assert.equal(readdirSync(here.store.layout.packs), [])
  const backend = observed(remote.backend, { onRequest: (_, name) => got.push(name) })
  const received = await join(here.store, remote, [one, two], { backend })
  assert.ok(received.bytes < 12 << 20, `${received.bytes}`)
  assert.ok(got.includes(last))
  assertWhole(here.store, one)
  assertWhole(here.store, two)
})

test('what gc drops while something is received is fetched after all', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const shared = { shared: random.bytes(5000) }
  await here.commit(here.write('a', shared))
  const version = wanted(
    await there.commit(there.write('a', { ...shared, own: random.bytes(4000) })),
  )
  const remote = new TestRemote()
  await remote.push(there.store, [version])
  let attempts = 0
  await join(here.store, remote, [version], {
    before: async () => {
      if (++attempts > 1) return
      const [pack] = namedPacks(here.store.index)
      const drop = { kind: 'packs.drop', packs: [{ id: pack?.id as ObjectId }] } as const
      await commitOperation(here.store, {
        packs: [],
        plan: () => ({ changes: [drop], outcome: 0 }),
      })
      rmSync(packPath(here.store.layout, pack?.id ?? ''))
    },
  })
  assert.is(attempts, 2)
  assertWhole(here.store, version)
})

test('an attempt that was given up leaves nothing under packs/', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const version = wanted(await there.commit(there.write('a', { large: randomBytes(3 << 20) })))
  const remote = new TestRemote()
  await remote.push(there.store, [version])
  const controller = new AbortController()
  const backend = observed(remote.backend, {
    onReceived: () => controller.abort(new Error('enough')),
  })
  try {
    await join(here.store, remote, [version], { backend, signal: controller.signal })
    assert.unreachable('should have been given up')
  } catch (error) {
    assert.is((error as Error).message, 'enough')
  }
  assert.equal(readdirSync(here.store.layout.packs), [])
  assert.equal(readdirSync(here.store.layout.tmp), [])
})

class CountingReliance extends Reliance {
  count = 0

  override has(id: Uint8Array): boolean {
    this.count++
    return super.has(id)
  }
}

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
