/**
 * One of several processes that do random things to one store: commits, deletes, restores, reads, collects. Every version
 * says in its description which seed its files were made from, so whoever reads one knows what it must hold.
 *
 * usage: node random-child.js WORKSPACE SEED STEPS
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { ArtifactsError, type Store } from '../../../src/index.ts'
import { readTree, shownTree, type Tree, writeTree } from '../../support/files.ts'
import { type Random, seededRandom } from '../../support/random.ts'
import { openIn } from './workspace.ts'

const NAMES = ['bike', 'car', 'boat']
const CONTENTS = 60

/** Some of a few files, so that versions share much. */
export function treeOf(seed: number): Tree {
  const random = seededRandom(seed)
  const tree: Record<string, Uint8Array> = {}
  for (let i = random.integer(3, 15); i > 0; i--) {
    const content = random.integer(0, CONTENTS - 1)
    // One in ten has several chunks.
    const size = content % 10 === 0 ? 400_000 : 100 + content
    tree[`d${content % 3}/f${content}`] = seededRandom(1000 + content).bytes(size)
  }
  return tree
}

export function seedOf(description: string | undefined): number {
  return Number(/^seed (\d+)$/.exec(description ?? '')?.[1])
}

const ACTIONS: readonly ((store: Store, random: Random, dir: string) => Promise<void>)[] = [
  commit,
  commit,
  commit,
  remove,
  remove,
  restore,
  checkout,
  checkout,
  collect,
]

async function commit(store: Store, random: Random, dir: string): Promise<void> {
  const seed = random.integer(0, 500)
  rmSync(dir, { recursive: true, force: true })
  writeTree(dir, treeOf(seed))
  const name = random.pick(NAMES)
  const options = { name, description: `seed ${seed}`, jobs: 0, reuse: 'never' } as const
  await store.commit([dir], options)
}

async function remove(store: Store, random: Random): Promise<void> {
  const live = store.history()
  if (live.length > 4) await store.remove([random.pick(live).ref])
}

async function restore(store: Store, random: Random): Promise<void> {
  const name = random.pick(NAMES)
  await store.restore([`${name}:v${random.integer(0, 20)}`])
}

async function checkout(store: Store, random: Random, dir: string): Promise<void> {
  const live = store.history()
  if (live.length === 0) return
  const { ref, description } = random.pick(live)
  rmSync(dir, { recursive: true, force: true })
  try {
    await store.checkout(ref, dir, { jobs: 0 })
  } catch (error) {
    if (!isGone(store, ref)) throw error
    return
  }
  assert.equal(readTree(dir), shownTree(treeOf(seedOf(description))), ref)
}

function isGone(store: Store, ref: string): boolean {
  return !store.history().some((version) => version.ref === ref)
}

async function collect(store: Store, random: Random): Promise<void> {
  await store.gc({ grace: random.pick(['0', '0', '1s']) })
}

async function run(workspace: string, seed: number, steps: number): Promise<void> {
  const random = seededRandom(seed)
  const dir = join(workspace, `work-${seed}`)
  let store = await openIn(workspace)
  for (let step = 0; step < steps; step++) {
    const action = random.pick(ACTIONS)
    try {
      await action(store, random, dir)
    } catch (error) {
      const isExpected =
        error instanceof ArtifactsError &&
        // What was picked is gone by now, or was purged.
        ['ERR_NOT_FOUND', 'ERR_BUSY', 'ERR_IN_USE', 'ERR_CLOCK'].includes(error.code)
      if (!isExpected) throw new Error(`step ${step} (${action.name})`, { cause: error })
    }
    if (random.integer(0, 3) > 0) continue
    store.close()
    store = await openIn(workspace)
  }
  store.close()
  rmSync(dir, { recursive: true, force: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , workspace = '', seed, steps] = process.argv
  await run(workspace, Number(seed), Number(steps))
}
