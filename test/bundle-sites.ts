/** Two workspaces and what is carried between them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Store } from '../src/index.ts'
import { seededRandom } from './support/random.ts'
import { temporaryDirectory } from './support/temp.ts'

export interface Site extends AsyncDisposable {
  store: Store
  readonly out: (name: string) => string
  /** Commits a version with these files, by size, beside those that the artifact had. */
  commit(name: string, files: Readonly<Record<string, number>>): Promise<void>
  reopen(): Promise<void>
}

export async function newSite(): Promise<Site> {
  const dir = await temporaryDirectory()
  const workspace = join(dir.path, 'work')
  const { store } = await Store.init(workspace)
  mkdirSync(join(dir.path, 'out'))
  let seed = 0
  const site: Site = {
    store,
    out: (name) => join(dir.path, 'out', name),
    commit: (name, files) => commitFiles(site.store, workspace, name, files, ++seed),
    async reopen() {
      site.store.close()
      site.store = await Store.open({ from: workspace })
    },
    async [Symbol.asyncDispose]() {
      site.store.close()
      await dir[Symbol.asyncDispose]()
    },
  }
  return site
}

export async function commitFiles(
  store: Store,
  workspace: string,
  name: string,
  files: Readonly<Record<string, number>>,
  seed: number,
): Promise<void> {
  const random = seededRandom(seed)
  const folder = join(workspace, name)
  mkdirSync(folder, { recursive: true })
  for (const [file, size] of Object.entries(files)) {
    writeFileSync(join(folder, file), random.bytes(size))
  }
  await store.commit([folder], { name, type: 'dataset', jobs: 0 })
}
