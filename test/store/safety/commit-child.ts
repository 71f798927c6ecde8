/**
 * Commits to a store as one of several processes: once the content that all have in common, then in each round one version
 * of an artifact that all share and one of its own. Tells of each commit on a line of its own as soon as it is done.
 */
import { mkdirSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Store } from '../../../src/index.ts'

/** A commit that was said to have succeeded. */
export interface Told {
  readonly name: string
  readonly ref: string
  readonly id: string
  readonly created: boolean
  /** Content of the file `f`. */
  readonly content: string
}

const [workspace = '', self = '', rounds = ''] = process.argv.slice(2)
const dir = join(workspace, `work-${self}`)
mkdirSync(dir)
using store = await Store.open({ from: workspace })

async function commit(name: string, content: string): Promise<void> {
  writeFileSync(join(dir, 'f'), content)
  const { ref, id, created } = await store.commit([dir], { name })
  const told: Told = { name, ref, id, created, content }
  writeSync(1, `${JSON.stringify(told)}\n`)
}

await commit('same', `of all ${'y'.repeat(100)}`)
for (let round = 0; round < Number(rounds); round++) {
  await commit('shared', `${self} shared ${round} ${'x'.repeat(100)}`)
  await commit(`own-${self}`, `${self} own ${round}`)
}
