/** One of several processes that log to a store at once: a run that uses what all share and logs what is its own. */
import { mkdirSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Store } from '../../../src/index.ts'

/** What the process was told it had done. */
export interface Told {
  readonly run: string
  readonly used: readonly string[]
  /** Ids of versions with the file `f`'s content. */
  readonly logged: readonly (readonly [id: string, slot: string, content: string])[]
}

const [workspace = '', self = '', rounds = ''] = process.argv.slice(2)
const dir = join(workspace, `work-${self}`)
mkdirSync(dir)
using store = await Store.open({ from: workspace })
const run = await store.startRun({ name: `process ${self}`, group: 'all' })
const used: string[] = []
const logged: [string, string, string][] = []
const log = async (name: string, content: string): Promise<void> => {
  writeFileSync(join(dir, 'f'), content)
  const slot = `${name} of ${self}`
  const { id } = await store.commit([dir], { name, run: run.id, slot })
  logged.push([id, slot, content])
}

for (let round = 0; round < Number(rounds); round++) {
  used.push((await run.useArtifact('base', { slot: `base ${round}` })).id)
  await log('shared', `${self} in round ${round}`)
  await log(`own-${self}`, `${round}`)
  await log('same', 'of all')
}
await run.finish()
writeSync(1, JSON.stringify({ run: run.id, used, logged } satisfies Told))
