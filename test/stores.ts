/** Stores for tests of the library: `bike:v0`, `v1` (best), `v2` (latest), each with one file more. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Store } from '../src/index.ts'
import { temporaryDirectory } from './support/temp.ts'

export interface Bikes extends AsyncDisposable {
  readonly store: Store
  /** The workspace. */
  readonly path: string
  /** Commits another version of `name`; returns its ref. */
  commit(name?: string, file?: string): Promise<string>
  /** All that is to be seen of the artifacts, in a text that can be compared. */
  picture(): string
}

export async function bikes(): Promise<Bikes> {
  const directory = await temporaryDirectory()
  const { path } = directory
  const { store } = await Store.init(path)
  store.settings.set('durability', 'process')
  const commit = async (name = 'bike', file = `${Math.random()}`): Promise<string> => {
    const data = join(path, `${name}-data`)
    mkdirSync(data, { recursive: true })
    writeFileSync(join(data, `${file}.txt`), `${file}\n`)
    return (await store.commit([data], { name, jobs: 0 })).ref
  }
  await commit('bike', 'a')
  await commit('bike', 'b')
  await store.alias('bike:v1', ['best'])
  await commit('bike', 'c')
  return {
    store,
    path,
    commit,
    picture: () => JSON.stringify([store.artifacts(), store.history()], null, 1),
    async [Symbol.asyncDispose]() {
      store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** The same store, as another process has it open. */
export function openAgain({ root }: Store): Promise<Store> {
  return Store.open({ store: root })
}

/** The newest operation. */
export function tip(store: Store): number {
  const [newest] = store.operations({ limit: 1 })
  return newest?.operation ?? 0
}
