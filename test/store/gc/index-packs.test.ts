import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { commitOperation } from '../../../src/store/index/commit-point.ts'
import { type NamedPack, namedPacks } from '../../../src/store/index/pack-rows.ts'
import { packPath, temporaryName } from '../../../src/store/layout.ts'
import type { JoiningPack } from '../../../src/store/log/operation.ts'
import { Codec } from '../../../src/store/object/compression.ts'
import { CHUNK, objectHash, objectId } from '../../../src/store/object/id.ts'
import { tableEntries } from '../../../src/store/object/pack.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import { PackWriter, publish } from '../../../src/store/object/pack-writer.ts'
import { type Opened, openStore } from '../../../src/store/open.ts'
import type { ObjectId } from '../../../src/types.ts'
import { seededRandom } from '../../support/random.ts'
import { sampleArtifact, sampleId, sampleObject, sampleVersion } from '../log/samples.ts'
import { commitTree, openIn, type Workspace, workspace } from './workspace.ts'

const test = suite('gc of index packs')

const random = seededRandom(5)
const STORE = sampleId('there').slice(0, 32)

test('keeps them as long as the packs are there whose tables they hold', async () => {
  await using place = await workspace()
  const { path } = place
  const [first] = await pushed(path, 'a')
  const [second] = await pushed(path, 'b')
  const index = await pushIndex(path, [first, second])
  await gc(path)
  assert.equal(await indexPacks(path), [index])
  using store = await openIn(path)
  await store.remove(['a:v0'])
  await gc(path)
  // The pack whose table nobody needs any more goes first, then the table.
  await gc(path)
  const [left] = await indexPacks(path)
  assert.is.not(left, index)
  assert.equal(await idsIn(path, left), [second])
  await store.remove(['b:v0'])
  await gc(path)
  assert.equal(await indexPacks(path), [])
})

test('keeps the lists of closures as long as their versions are not purged', async () => {
  await using place = await workspace()
  const { path } = place
  const list = random.bytes(96)
  const id = objectId(CHUNK, list)
  const index = await pushIndex(path, [], [list], id)
  await gc(path)
  assert.equal(await idsIn(path, index), [id])
  using store = await openIn(path)
  await store.remove([`${id.slice(0, 9)}:v0`])
  await gc(path)
  await gc(path)
  assert.equal(await indexPacks(path), [])
})

test('makes one of many, and what comes of it is an index pack', async () => {
  await using place = await workspace()
  const { path } = place
  const lists: ObjectId[] = []
  for (let i = 0; i < 66; i++) {
    const list = random.bytes(96)
    const id = objectId(CHUNK, list)
    await pushIndex(path, [], [list], id)
    lists.push(id)
  }
  await gc(path)
  const [merged, ...others] = await indexPacks(path)
  assert.equal(others, [])
  assert.equal(await idsIn(path, merged), lists.sort())
})

test('what a repair makes of one is one', async () => {
  await using place = await workspace()
  const { path } = place
  const [first] = await pushed(path, 'a')
  const [second] = await pushed(path, 'b')
  const index = await pushIndex(path, [first, second])
  const file = packPath(place.layout, index)
  const bytes = readFileSync(file)
  // In the payload of the first record.
  bytes[40] = (bytes[40] ?? 0) ^ 1
  writeFileSync(file, bytes)
  const options = { data: 1, repair: true }
  const { ok, found } = await Store.fsck({ store: join(path, '.artifacts') }, options)
  assert.equal([ok, found?.length], [true, 1])
  const [left, ...others] = await indexPacks(path)
  assert.equal(others, [])
  assert.is.not(left, index)
  assert.equal(await idsIn(path, left), [second])
})

/** Commits a version; returns the packs that came with it. */
async function pushed(path: string, name: string): Promise<readonly ObjectId[]> {
  const before = new Set((await packsIn(path)).map(({ id }) => id))
  await commitTree(path, name, { f: random.bytes(50_000) })
  return (await packsIn(path)).map(({ id }) => id).filter((id) => !before.has(id))
}

/** Names an index pack with the tables of these packs and other chunks; `list`: also a version whose closure it is. */
async function pushIndex(
  path: string,
  packs: readonly (ObjectId | undefined)[],
  chunks: readonly Buffer[] = [],
  list?: ObjectId,
): Promise<ObjectId> {
  const opened = await open(path)
  try {
    const tables = packs.map((id) => readTable(packPath(opened.layout, id ?? '')).bytes)
    const pack = await writeIndex(opened, [...tables, ...chunks])
    const name = (list ?? '').slice(0, 9)
    const artifact = sampleArtifact(name)
    const add = sampleVersion(artifact, 0, sampleObject(name))
    const listed = {
      kind: 'artifact.create',
      artifact,
      project: 'default',
      name,
      type: 't',
    }
    await commitOperation(opened, {
      packs: [pack],
      plan: () => ({
        changes:
          list === undefined
            ? [{ kind: 'pull', store: STORE, n: 1 }]
            : [listed as never, { ...add, partial: true, closure: { list, packs: [pack.id] } }],
        outcome: undefined,
      }),
    })
    return pack.id
  } finally {
    opened.close()
  }
}

async function writeIndex(opened: Opened, chunks: readonly Uint8Array[]): Promise<JoiningPack> {
  const { io, layout } = opened
  const temporary = join(layout.tmp, temporaryName())
  const writer = new PackWriter(io, temporary)
  for (const stored of chunks) {
    const id = objectHash(CHUNK, stored)
    writer.append({ kind: CHUNK, id, codec: Codec.none, stored, rawLength: stored.length })
  }
  const { id, bytes, toc } = await writer.finish(() => false)
  publish(io, temporary, packPath(layout, id))
  return { id: id as ObjectId, bytes, kind: 'index', toc }
}

async function gc(path: string): Promise<void> {
  using store = await openIn(path)
  await store.gc({ grace: '0' })
}

async function indexPacks(path: string): Promise<readonly ObjectId[]> {
  return (await packsIn(path)).flatMap(({ id, kind }) => (kind === 'index' ? [id] : []))
}

async function packsIn(path: string): Promise<readonly NamedPack[]> {
  const opened = await open(path)
  try {
    return namedPacks(opened.index)
  } finally {
    opened.close()
  }
}

async function idsIn(path: string, pack: ObjectId | undefined): Promise<readonly string[]> {
  const opened = await open(path)
  opened.close()
  const table = readTable(packPath(opened.layout, pack ?? ''))
  return tableEntries(table).map(({ id }) => id.toString('hex'))
}

function open(path: Workspace['path']): Promise<Opened> {
  return openStore({ root: join(path, '.artifacts'), tool: 'test/1' })
}

test.run()
