/** Files whose sizes are not those of the chunks that make them up: whatever reads them says so. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Store } from '../../../src/index.ts'
import { CHUNK, chunkHash, chunkId, RECIPE } from '../../../src/store/object/id.ts'
import { encodeRecipe } from '../../../src/store/object/recipe.ts'
import { readTree } from '../../support/files.ts'
import { rejects } from '../../support/rejects.ts'
import { addVersion, chunk, idOf, node, type RawObject, recipe } from './hostile-store.ts'
import { newWorkspace, readAll } from './workspace.ts'

const test = suite('hostile contents')

const [A, B] = ['a', 'b'].map((byte) => Buffer.alloc(200_000, byte)) as [Buffer, Buffer]
const CHUNKS: readonly RawObject[] = [A, B].map((bytes) => ({ kind: CHUNK, bytes }))

/** The recipe of a file of both chunks, as long as they are said to be. */
function recipeOf(lengths: readonly [number, number]): RawObject {
  const sha256 = createHash('sha256').update(A).update(B).digest()
  const ids = Buffer.concat([A, B].map(chunkHash))
  return {
    kind: RECIPE,
    bytes: encodeRecipe({ of: 'chunks', size: 400_000, sha256, ids, lengths }),
  }
}

const RIGHT = recipeOf([200_000, 200_000])
const WRONG = recipeOf([300_000, 100_000])

const CONTENTS: Readonly<Record<string, Buffer>> = {
  'a chunk longer than its file': chunk(100, chunkId(A)),
  'a chunk shorter than its file': chunk(200_001, chunkId(A)),
  'a recipe of a longer file': recipe(300_000, idOf(RIGHT)),
  'a recipe of a shorter file': recipe(500_000, idOf(RIGHT)),
  'a recipe of a file that no disk holds': recipe(2 ** 50, idOf(RIGHT)),
  'a recipe with the lengths of other chunks': recipe(400_000, idOf(WRONG)),
}

for (const [title, content] of Object.entries(CONTENTS)) {
  test(title, async () => {
    await using workspace = await newWorkspace()
    const others = [...CHUNKS, RIGHT, WRONG]
    const good = { key: 'good', content: chunk(200_000, chunkId(B)) }
    await addVersion(workspace.root, 'evil', node([{ key: 'bad', content }, good]), others)
    const out = join(workspace.path, 'out')
    const refused = async (run: (store: Store) => unknown): Promise<void> => {
      const error = await rejects(
        workspace.run(async (store) => run(store)),
        'ERR_DAMAGED',
      )
      assert.match(error.message, /of another size|bytes where \d+ are expected/)
    }
    await refused((store) => readAll(store, 'evil', 'bad'))
    for (const jobs of [0, 2]) {
      await refused((store) => store.checkout('evil', join(out, `checkout-${jobs}`), { jobs }))
      await refused((store) => store.download('evil', join(out, `download-${jobs}`), { jobs }))
    }
    const report = await workspace.run((store) => store.verify('evil'))
    assert.equal(
      report.damaged.map(({ path }) => path),
      ['bad'],
    )
    const paths = Object.keys(readTree(out))
    assert.equal(paths, [
      'checkout-0/good',
      'checkout-2/good',
      'download-0/good',
      'download-2/good',
    ])
    await workspace.run((store) => assert.ok(readAll(store, 'evil', 'good').equals(B)))
  })
}

test.run()
