/** Many who push to one place at once, each from a store of its own. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { temporaryDirectory } from './support/temp.ts'

export interface Race {
  readonly address: string
  readonly env: Readonly<Record<string, string>>
  readonly pushers: number
  /** Of each. */
  readonly pushes: number
  /** Somebody removes what nobody needs all the while. */
  readonly collects?: boolean
}

/** Each commits and pushes in turn; at the end every version must be there, in a log that a clone can read. */
export async function race({ address, env, pushers, pushes, collects }: Race): Promise<void> {
  await using directory = await temporaryDirectory()
  const push = async (who: number): Promise<string[]> => {
    const path = join(directory.path, String(who))
    mkdirSync(path)
    const { store: made } = await Store.init(path)
    made.close()
    await using store = await Store.open({ store: made.root, env })
    store.settings.set('durability', 'process')
    await store.remotes.add('origin', address)
    const ids: string[] = []
    for (let n = 0; n < pushes; n++) {
      writeFileSync(join(path, 'data.txt'), `pusher ${who}, push ${n}\n`)
      // Half of them work on one artifact, the others on their own.
      const name = who % 2 === 0 ? 'shared' : `own-${who}`
      ids.push((await store.commit([join(path, 'data.txt')], { name, jobs: 0 })).id)
      await store.push([])
    }
    return ids
  }
  let isOver = false
  const collect = async (): Promise<void> => {
    const path = join(directory.path, 'keeper')
    const { store: made } = await Store.init(path)
    made.close()
    await using store = await Store.open({ store: made.root, env })
    await store.remotes.add('origin', address)
    while (!isOver) {
      await store.pull([])
      const isThere = store.artifacts().some(({ name }) => name === 'shared')
      const [some] = isThere ? store.versions('shared').slice(-1) : []
      if (some !== undefined && some.aliases.length === 0) {
        await store.remove([some.ref])
        await store.push([])
        await store.gcRemote('origin', { grace: '0' })
      }
    }
  }
  const collecting = collects === true ? collect() : undefined
  const ids = (await Promise.all(Array.from({ length: pushers }, (_, who) => push(who)))).flat()
  isOver = true
  await collecting
  const { store: root, versions } = await Store.clone(address, {
    dir: join(directory.path, 'clone'),
    env,
  })
  await using clone = await Store.open({ store: root, env })
  const there = new Set([...clone.history()].map(({ id }) => id as string))
  if (collects !== true) {
    assert.equal(
      ids.filter((id) => !there.has(id)),
      [],
    )
    assert.is(versions.length, pushers * pushes)
  }
  assert.equal((await Store.fsck({ store: root }, { data: 1 })).problems, [])
}
