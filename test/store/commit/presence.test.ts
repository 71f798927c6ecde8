import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MetadataBuffer } from '../../../src/store/commit/metadata-buffer.ts'
import { isPresent } from '../../../src/store/commit/presence.ts'
import { Reliance } from '../../../src/store/commit/reliance.ts'
import { commitOperation } from '../../../src/store/index/commit-point.ts'
import { planCommit } from '../../../src/store/log/plan.ts'
import { objectId, RECIPE } from '../../../src/store/object/id.ts'
import { encodeRecipe } from '../../../src/store/object/recipe.ts'
import { nodeReader } from '../../../src/store/opened.ts'
import { entries } from '../../../src/store/tree/cursor.ts'
import type { Content, ObjectId } from '../../../src/types.ts'
import { seededRandom } from '../../support/random.ts'
import { sampleIntent } from '../index/memory-state.ts'
import { openedRoom, type Room } from './opened.ts'

const test = suite('presence')
const ABSENT = 'f'.repeat(64) as ObjectId

function relianceIn({ store: { index } }: Room): Reliance {
  return new Reliance(index.objects, index.seen)
}

function has(room: Room, content: Content): boolean {
  return isPresent(room.store, relianceIn(room), content)
}

async function contentsOf(room: Room, dir: string): Promise<Map<string, Content>> {
  const { object } = await room.commit(dir)
  const contents = new Map<string, Content>()
  for (const entry of entries(nodeReader(room.store), object.root)) {
    if (entry.kind === 'file') contents.set(entry.path, entry.content)
  }
  return contents
}

test('content is present with all that it consists of', async () => {
  await using room = await openedRoom()
  const random = seededRandom(1)
  const tree = { inline: 'a', chunk: random.bytes(1000), recipe: random.bytes(400_000) }
  const contents = await contentsOf(room, room.write('data', tree))
  for (const kind of ['inline', 'chunk', 'recipe'] as const) {
    const content = contents.get(kind)
    assert.is(content?.kind, kind)
    assert.ok(has(room, content as Content), kind)
  }
  assert.not.ok(has(room, { kind: 'chunk', id: ABSENT }))
  assert.not.ok(has(room, { kind: 'recipe', id: ABSENT }))
  const chunk = contents.get('chunk') as { id: ObjectId }
  assert.not.ok(has(room, { kind: 'recipe', id: chunk.id }), 'a chunk is no recipe')
})

test('a recipe that is there says nothing about its chunks', async () => {
  await using room = await openedRoom()
  const { store } = room
  const dir = room.write('data', { one: 'a'.repeat(1000), two: 'b'.repeat(1000) })
  const contents = await contentsOf(room, dir)
  const [one, two] = ['one', 'two'].map((path) => (contents.get(path) as { id: ObjectId }).id)
  const keep = async (
    name: string,
    ...chunks: readonly (string | undefined)[]
  ): Promise<Content> => {
    const bytes = encodeRecipe({
      of: 'chunks',
      size: 300_000 * chunks.length,
      sha256: Buffer.alloc(32),
      ids: Buffer.from(chunks.join(''), 'hex'),
      lengths: chunks.map(() => 300_000),
    })
    const id = objectId(RECIPE, bytes)
    const buffer = new MetadataBuffer(store.io, store.layout, relianceIn(room), () => false)
    buffer.add(RECIPE, id, bytes)
    const packs = await buffer.finish()
    const version = {
      bytes: 0,
      createdAt: '2026-01-01T00:00:00.000Z',
      files: 0,
      parents: [],
      root: id,
    }
    await commitOperation(store, {
      packs,
      plan: (state) => planCommit(state, sampleIntent(name, version)),
    })
    return { kind: 'recipe', id }
  }
  assert.ok(has(room, await keep('whole', one, two)))
  assert.not.ok(has(room, await keep('last', one, ABSENT)))
  assert.not.ok(has(room, await keep('first', ABSENT, two)))
})

test('a recipe that cannot be read back is as good as absent', async () => {
  await using room = await openedRoom()
  const contents = await contentsOf(
    room,
    room.write('data', { large: seededRandom(3).bytes(400_000) }),
  )
  const { packs } = room.store.layout
  for (const name of fs.readdirSync(packs)) fs.writeFileSync(`${packs}/${name}`, '')
  assert.not.ok(has(room, contents.get('large') as Content))
})

test.run()
