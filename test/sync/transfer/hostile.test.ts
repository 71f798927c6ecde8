import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Codec } from '../../../src/store/object/compression.ts'
import { CHUNK, chunkHash, NODE, RECIPE } from '../../../src/store/object/id.ts'
import { encodeRecipe } from '../../../src/store/object/recipe.ts'
import type { Opened } from '../../../src/store/open.ts'
import { type Backend, readAll } from '../../../src/sync/backend.ts'
import { packName } from '../../../src/sync/put-pack.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import type { WantedVersion } from '../../../src/sync/transfer/missing-there.ts'
import { receive } from '../../../src/sync/transfer/receive.ts'
import type { ObjectId } from '../../../src/types.ts'
import { openedRoom } from '../../store/commit/opened.ts'
import { seededRandom } from '../../support/random.ts'
import { rejects } from '../../support/rejects.ts'
import { file, HandmadeRemote, versionWith } from './handmade.ts'
import { join } from './joined.ts'
import { TestRemote } from './remote.ts'
import { objectsOf, someFiles, wanted } from './versions.ts'

const test = suite('receiving from who lies')

test('trees and recipes that break a rule are refused, whatever their ids say', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const remote = new HandmadeRemote(there.store)
  const bytes = randomBytes(1000)
  const chunk = remote.chunk(bytes)
  const size = bytes.length
  const entry = file('a', size, { kind: 'chunk', id: chunk })
  const leaf = remote.tree([entry])
  const other = remote.tree([file('b', size, { kind: 'chunk', id: chunk })])
  const recipe = (length: number, count: number): ObjectId => {
    const ids = Buffer.concat(Array.from({ length: count }, () => Buffer.from(chunk, 'hex')))
    const lengths = Array.from({ length: count }, () => length)
    const all = { size: length * count, sha256: randomBytes(32), ids, lengths }
    return remote.add(RECIPE, encodeRecipe({ of: 'chunks', ...all }))
  }
  const large = (id: ObjectId, bytes: number): ObjectId =>
    remote.tree([file('a', bytes, { kind: 'recipe', id })])
  const part = remote.add(
    RECIPE,
    encodeRecipe({ of: 'part', ids: Buffer.from(chunk, 'hex'), lengths: [size] }),
  )
  const inParts = remote.add(
    RECIPE,
    encodeRecipe({
      of: 'parts',
      size: 300_000,
      sha256: randomBytes(32),
      ids: Buffer.from(recipe(1000, 300), 'hex'),
      lengths: [300_000],
    }),
  )
  const huge = Buffer.alloc(45)
  huge.writeUInt32LE(0xffff_ffff, 41)
  const roots: Record<string, ObjectId> = {
    'a root with a single child': remote.add(NODE, inner(1, [['a', leaf]])),
    'a key that is not the last of the child': remote.add(
      NODE,
      inner(1, [
        ['a', leaf],
        ['c', other],
      ]),
    ),
    'children in the wrong order': remote.add(
      NODE,
      inner(1, [
        ['b', other],
        ['a', leaf],
      ]),
    ),
    'a child of another level': remote.add(
      NODE,
      inner(4, [
        ['a', leaf],
        ['b', other],
      ]),
    ),
    'a child twice': remote.add(
      NODE,
      inner(1, [
        ['a', leaf],
        ['a', leaf],
      ]),
    ),
    'more entries than fit': remote.add(NODE, Buffer.from([0, 0xff, 0xff, 0x03, 0])),
    'bytes of no tree': remote.add(NODE, randomBytes(500)),
    'a level that no tree has': remote.add(
      NODE,
      inner(12, [
        ['a', leaf],
        ['b', other],
      ]),
    ),
    'a chunk for a root': chunk,
    'a chunk of another length': remote.tree([{ ...entry, size: size + 1 }]),
    'a chunk with two lengths': remote.tree([
      entry,
      file('b', size - 1, { kind: 'chunk', id: chunk }),
    ]),
    'a recipe of another size': large(recipe(size, 300), 300_001),
    'a recipe whose chunks have other lengths': large(recipe(size + 1, 300), 300 * (size + 1)),
    'a recipe that is a node': large(leaf, 300_000),
    'a recipe of a part': large(part, 300_000),
    'parts that are no parts': large(inParts, 300_000),
    'a recipe of four billion chunks': large(remote.add(RECIPE, huge), 300_000),
    'an object that nobody has': 'f'.repeat(64) as ObjectId,
    'a file that nobody has': remote.tree([
      file('a', 70, { kind: 'chunk', id: '1'.repeat(64) as ObjectId }),
    ]),
  }
  await remote.seal()
  for (const [what, root] of Object.entries(roots)) {
    const error = await rejects(
      attempt(here.store, remote, versionWith(root)),
      'ERR_DAMAGED',
    ).catch((cause: unknown) => {
      throw new Error(`${what}: ${cause}`, { cause })
    })
    assert.not.match(error.hint ?? '', 'fsck', what)
    assertUntouched(here.store)
  }
  await join(here.store, remote, [versionWith(leaf)])
})

test('a record that holds other bytes than its table says is refused, in ranges and in whole packs', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  for (const size of [1000, 2_000_000]) {
    for (const lie of ['id', 'raw', 'codec'] as const) {
      const remote = new HandmadeRemote(there.store)
      const bytes = randomBytes(size)
      const id = lie === 'id' ? randomBytes(32) : chunkHash(bytes)
      const codec = lie === 'id' ? Codec.none : Codec.brotli
      const stored =
        lie === 'raw'
          ? brotliCompressSync(Buffer.concat([bytes, bytes]), { params: { 1: 0 } })
          : bytes
      const entries = Array.from({ length: Math.ceil(size / 200_000) }, (_, index) => ({
        index,
        bytes: randomBytes(200_000),
      }))
      remote.addRecord({
        kind: CHUNK,
        id,
        codec,
        stored: stored.subarray(0, 2 << 20),
        rawLength: size,
      })
      const files = entries.map((each) =>
        file(`f${each.index}`, 200_000, { kind: 'chunk', id: remote.chunk(each.bytes) }),
      )
      await remote.seal()
      const hex = id.toString('hex') as ObjectId
      const root =
        size > 262_144
          ? remote.tree([
              ...files,
              file('x', size + 262_144, { kind: 'recipe', id: recipeOf(remote, hex, size) }),
            ])
          : remote.tree([file('x', size, { kind: 'chunk', id: hex })])
      await remote.seal()
      await rejects(attempt(here.store, remote, versionWith(root)), 'ERR_DAMAGED')
      assertUntouched(here.store)
    }
  }
})

test('records that stand for a thousand times their bytes are not unpacked unless they are wanted', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const remote = new HandmadeRemote(there.store)
  const bytes = randomBytes(250_000)
  const files = Array.from({ length: 8 }, (_, index) => {
    const some = Buffer.from(bytes)
    some.writeUInt32LE(index)
    return file(`f${index}`, some.length, { kind: 'chunk', id: remote.chunk(some) })
  })
  // Nobody could unpack them: they are not what they say.
  const bomb = brotliCompressSync(Buffer.alloc(2 << 20))
  for (let index = 0; index < 2000; index++) {
    remote.addRecord({
      kind: CHUNK,
      id: randomBytes(32),
      codec: Codec.brotli,
      stored: bomb,
      rawLength: 2 << 20,
    })
  }
  await remote.seal()
  const root = remote.tree(files)
  await remote.seal()
  const received = await join(here.store, remote, [versionWith(root)])
  assert.is(received.objects, 9)
  assert.not.ok(received.packs.some(({ id }) => remote.packs.has(id)))
})

test('a pack of another length, or that never ends, is refused', async () => {
  await using there = await openedRoom()
  await using here = await openedRoom()
  const version = wanted(await there.commit(there.write('a', { large: randomBytes(3 << 20) })))
  const remote = new TestRemote()
  await remote.push(there.store, [version])
  const endless: Backend = {
    ...bare(remote.backend),
    async get(name, options) {
      const { size } = await remote.backend.get(name, options)
      return {
        size,
        bytes: (async function* () {
          for (;;) yield randomBytes(65_536)
        })(),
      }
    },
  }
  await rejects(attempt(here.store, remote, version, 'all', endless), 'ERR_DAMAGED')
  const longer: Backend = {
    ...bare(remote.backend),
    async get(name, options) {
      const { size, bytes } = await remote.backend.get(name, options)
      return { size: size + 1, bytes }
    },
  }
  await rejects(attempt(here.store, remote, version, 'all', longer), 'ERR_DAMAGED')
  assertUntouched(here.store)
})

test('a remote in which any byte was changed is refused, or did not need it', async () => {
  await using there = await openedRoom()
  const random = seededRandom(11)
  const tree = {
    ...someFiles(random, 30),
    big: randomBytes(600_000),
    large: randomBytes(1_500_000),
  }
  const version = wanted(await there.commit(there.write('a', tree)))
  const sound = new TestRemote()
  const { packs } = await sound.push(there.store, [version])
  const names = packs.filter(({ kind }) => kind !== 'index').map(({ id }) => id)
  let refused = 0
  for (let round = 0; round < 15; round++) {
    await using here = await openedRoom()
    const id = random.pick(names)
    const bytes = await readAll(sound.backend, packName(id), { most: 1 << 26 })
    const at = random.integer(0, bytes.length - 1)
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] as number) ^ (1 << random.integer(0, 7))
    await sound.backend.put(packName(id), bytesSource(flipped))
    try {
      await join(here.store, sound, [version])
      for (const object of objectsOf(here.store, version)) {
        assert.ok(here.store.index.objects.has(Buffer.from(object, 'hex')))
      }
    } catch (error) {
      assert.is((error as { code?: string }).code, 'ERR_DAMAGED', String(error))
      assertUntouched(here.store)
      refused++
    }
    await sound.backend.put(packName(id), bytesSource(bytes))
  }
  assert.ok(refused > 8, `${refused}`)
})

async function attempt(
  store: Opened,
  remote: TestRemote,
  version: WantedVersion,
  content: 'all' | 'none' = 'all',
  backend: Backend = remote.backend,
): Promise<void> {
  using _ = await receive(store, { backend, mirror: remote }, [version], { content, jobs: 0 })
}

/** Asserts that nothing came into the store. */
function assertUntouched({ layout }: Opened): void {
  assert.equal(readdirSync(layout.packs), [])
  assert.equal(readdirSync(layout.tmp), [])
}

/** A file of a chunk and of 262,144 bytes more. */
function recipeOf(remote: HandmadeRemote, chunk: ObjectId, length: number): ObjectId {
  const rest = remote.chunk(randomBytes(262_144))
  const ids = Buffer.from(chunk + rest, 'hex')
  const lengths = [length, 262_144]
  const all = { size: length + 262_144, sha256: randomBytes(32), ids, lengths }
  return remote.add(RECIPE, encodeRecipe({ of: 'chunks', ...all }))
}

/** The bytes of a node above the leaves, whatever it says. */
function inner(level: number, children: readonly (readonly [key: string, id: ObjectId])[]): Buffer {
  const items = children.map(([key, id], index) => {
    const shared = index > 0 && children[index - 1]?.[0] === key ? 1 : 0
    return Buffer.concat([
      Buffer.from([shared, key.length - shared]),
      Buffer.from(key.slice(shared)),
      Buffer.from(id, 'hex'),
    ])
  })
  return Buffer.concat([Buffer.from([level, children.length]), ...items])
}

function bare(backend: Backend): Backend {
  return {
    address: backend.address,
    get: (name, options) => backend.get(name, options),
    head: (name) => backend.head(name),
    putIfAbsent: (name, source) => backend.putIfAbsent(name, source),
    put: (name, source) => backend.put(name, source),
    list: (folder) => backend.list(folder),
    delete: (name) => backend.delete(name),
    [Symbol.asyncDispose]: async () => {},
  }
}

test.run()
