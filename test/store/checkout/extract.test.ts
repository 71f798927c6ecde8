import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Damage,
  extractFiles,
  refuseDamage,
  type Target,
} from '../../../src/store/checkout/extract.ts'
import { commitOperation } from '../../../src/store/index/commit-point.ts'
import { lazyPool } from '../../../src/store/ingest/lazy-pool.ts'
import { packPath } from '../../../src/store/layout.ts'
import type { JoiningPack } from '../../../src/store/log/operation.ts'
import { planCommit } from '../../../src/store/log/plan.ts'
import { nodeReader } from '../../../src/store/opened.ts'
import { entries } from '../../../src/store/tree/cursor.ts'
import type { ObjectId } from '../../../src/types.ts'
import { readTree, shownTree, type Tree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { throwsCode } from '../../support/rejects.ts'
import { openedRoom, type Room } from '../commit/opened.ts'
import { sampleIntent } from '../index/memory-state.ts'

const test = suite('extract')
const random = seededRandom(1)
const TREE: Tree = {
  empty: '',
  inline: 'inline',
  chunk: random.bytes(5000),
  executable: { content: random.bytes(100), mode: 0o755 },
  'sub/same': random.bytes(70_000),
  recipe: random.bytes(400_000),
  large: { content: random.bytes(6 << 20), mode: 0o755 },
}

interface Extracted {
  readonly damage: Damage
  readonly dir: string
  readonly reported: { files: number; bytes: number }
}

/** Writes all files of a version into a new directory. */
async function extract(
  { store, path }: Room,
  root: ObjectId,
  { threads = 0, staged = false } = {},
): Promise<Extracted> {
  const dir = fs.mkdtempSync(join(path, 'out-'))
  const staging = fs.mkdtempSync(join(path, 'staging-'))
  const targets: Target[] = []
  for (const entry of entries(nodeReader(store), root)) {
    if (entry.kind !== 'file') continue
    const file = join(dir, entry.path)
    fs.mkdirSync(join(file, '..'), { recursive: true })
    if (staged) fs.writeFileSync(file, 'what was there')
    targets.push({ entry, file })
  }
  const { layout, io } = store
  const decide = (): never => assert.unreachable() as never
  const engine = { root: layout.root, durability: io.durability, dropped: [], decide }
  const pool = lazyPool(engine, threads)
  const reported = { files: 0, bytes: 0 }
  let names = 0
  try {
    const damage = await extractFiles(store, targets, {
      pool,
      staging: staged ? () => join(staging, String(names++)) : undefined,
      onBytes: (files, bytes) => {
        reported.files += files
        reported.bytes += bytes
      },
      signal: undefined,
    })
    assert.equal(fs.readdirSync(staging), [], 'nothing stays in the staging directory')
    return { damage, dir, reported }
  } finally {
    await pool.close()
  }
}

/** Overwrites bytes in the middle of each of these packs. */
function spoil({ store }: Room, packs: readonly string[]): void {
  for (const pack of packs) {
    const path = packPath(store.layout, pack)
    const bytes = fs.readFileSync(path)
    bytes.fill(0, 10, bytes.length - 24 - 61 * 200)
    fs.writeFileSync(path, bytes)
  }
}

/** The packs that the operations of a store name. */
function packsOf({ store }: Room): readonly JoiningPack[] {
  return fs.readdirSync(store.layout.log).flatMap((name) => {
    const [line = ''] = fs.readFileSync(join(store.layout.log, name), 'utf8').split('\n')
    return (JSON.parse(line) as { packs: JoiningPack[] }).packs
  })
}

/** Gives a store a second copy of all chunks that the other one has. */
async function takeOver(room: Room, other: Room): Promise<readonly string[]> {
  const packs = packsOf(other).filter(({ kind }) => kind !== 'meta')
  for (const { id } of packs) {
    fs.copyFileSync(packPath(other.store.layout, id), packPath(room.store.layout, id))
  }
  const root = 'e'.repeat(64) as ObjectId
  const version = { bytes: 0, createdAt: '2026-01-01T00:00:00.000Z', files: 0, parents: [], root }
  const plan = (state: Parameters<typeof planCommit>[0]): ReturnType<typeof planCommit> =>
    planCommit(state, sampleIntent('taken-over', version))
  await commitOperation(room.store, { packs, plan })
  return packs.map(({ id }) => id)
}

for (const threads of [0, 2]) {
  for (const staged of [false, true]) {
    test(`with ${threads} threads, files of every size are written ${staged ? 'over others' : 'anew'}`, async () => {
      await using room = await openedRoom()
      const dir = room.write('data', TREE)
      const { object } = await room.commit(dir)
      const { damage, dir: out, reported } = await extract(room, object.root, { threads, staged })
      assert.equal(damage, new Map())
      assert.equal(readTree(out), readTree(dir))
      assert.equal(reported, { files: object.files, bytes: object.bytes })
    })
  }
}

test('what cannot be read back is named and not written; everything else is', async () => {
  await using room = await openedRoom()
  await room.commit(room.write('good', { chunk: TREE['chunk'] as Uint8Array }))
  const good = new Set(packsOf(room).map(({ id }) => id))
  const { object } = await room.commit(room.write('data', TREE), { jobs: 0 })
  spoil(
    room,
    packsOf(room)
      .filter(({ id, kind }) => kind === 'data' && !good.has(id))
      .map(({ id }) => id),
  )
  for (const staged of [false, true]) {
    const { damage, dir } = await extract(room, object.root, { staged })
    assert.equal([...damage.keys()].sort(), ['executable', 'large', 'recipe', 'sub/same'])
    const before = Object.fromEntries([...damage.keys()].map((path) => [path, 'what was there']))
    const { chunk, empty, inline } = TREE
    const written = { chunk, empty, inline } as Tree
    assert.equal(readTree(dir), shownTree({ ...written, ...(staged ? before : { sub: null }) }))
  }
})

test('a damaged chunk is taken from another pack that has it, whatever the file’s size', async () => {
  await using room = await openedRoom()
  await using other = await openedRoom()
  const dir = room.write('data', TREE)
  const { object } = await room.commit(dir, { jobs: 0 })
  const own = packsOf(room)
    .filter(({ kind }) => kind === 'data')
    .map(({ id }) => id)
  // Other neighbours, so that it is not the same pack.
  await other.commit(other.write('data', { ...TREE, more: random.bytes(2000) }), { jobs: 0 })
  const copies = await takeOver(room, other)
  for (const spoiled of [own, copies]) {
    const saved = spoiled.map((id) => fs.readFileSync(packPath(room.store.layout, id)))
    spoil(room, spoiled)
    for (const threads of [0, 2]) {
      const { damage, dir: out } = await extract(room, object.root, { threads })
      assert.equal(damage, new Map())
      assert.equal(readTree(out), readTree(dir))
    }
    for (const [index, id] of spoiled.entries()) {
      fs.writeFileSync(packPath(room.store.layout, id), saved[index] as Buffer)
    }
  }
  spoil(room, [...own, ...copies])
  const { damage } = await extract(room, object.root)
  assert.equal([...damage.keys()].sort(), ['chunk', 'executable', 'large', 'recipe', 'sub/same'])
})

test('damage is told with up to ten paths', () => {
  refuseDamage('a:v0', new Map())
  const damage = new Map(Array.from({ length: 12 }, (_, index) => [`f${index}`, 'is gone']))
  const error = throwsCode(() => refuseDamage('a:v0', damage), 'ERR_DAMAGED')
  assert.match(error.message, '12 of the files of "a:v0"')
  assert.match(error.message, '"f9": is gone\n  and 2 more')
})

test.run()
