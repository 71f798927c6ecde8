import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isSystemError, Store } from '../../../src/index.ts'
import { type Tree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { NAME } from './commits.ts'
import { leftovers, observe, stateOf } from './observe.ts'

const test = suite('a disk that fails under threads')

test('a commit ends with the error of the system, and succeeds when the disk is well again', async () => {
  await using dir = await temporaryDirectory()
  const data = join(dir.path, 'data')
  const tree = noise()
  writeTree(data, tree)
  const { store } = await Store.init(dir.path)
  store.close()
  const tmp = join(dir.path, '.artifacts/tmp')
  for (let round = 0; round < 3; round++) {
    // No thread can make its pack: they fail one after another, while others hand in what they have read.
    fs.rmdirSync(tmp)
    fs.writeFileSync(tmp, '')
    const error = await commit(dir.path, data).catch((reason: unknown) => reason)
    assert.ok(isSystemError(error, 'ENOTDIR'), String(error))
    fs.unlinkSync(tmp)
    fs.mkdirSync(tmp)
    assert.equal(await observe(dir.path, NAME), stateOf())
    assert.equal(leftovers(dir.path), [])
  }
  await commit(dir.path, data)
  assert.equal(await observe(dir.path, NAME), stateOf(tree))
})

/** Enough to be worth threads. */
function noise(): Tree {
  const random = seededRandom(9)
  const files = Array.from({ length: 24 }, (_, i) => [`file-${i}`, random.bytes(1 << 20)])
  return Object.fromEntries(files)
}

async function commit(workspace: string, data: string): Promise<void> {
  using store = await Store.open({ store: join(workspace, '.artifacts') })
  await store.commit([data], { name: NAME, jobs: 2 })
}

test.run()
