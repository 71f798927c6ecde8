/**
 * Uses a store that it may not write, as another user: everything that only reads, and then what does not. Prints what
 * it got as JSON.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactsError, Store } from '../../../src/index.ts'
import { readTree } from '../../support/files.ts'
import { readAll } from './workspace.ts'

/** What the child saw. */
export interface Seen {
  readonly notices: readonly string[]
  readonly artifacts: readonly string[]
  readonly versions: readonly string[]
  readonly entries: readonly string[]
  readonly files: number
  readonly content: string
  readonly between: readonly string[]
  readonly against: readonly string[]
  readonly status: readonly string[]
  readonly verified: readonly boolean[]
  readonly checkedOut: unknown
  readonly downloaded: unknown
  /** Code, message and hint, or what else was thrown. */
  readonly refused: Readonly<Record<string, readonly string[]>>
}

const [workspace = '', own = '', cacheDir] = process.argv.slice(2)
const notices: string[] = []
using store = await Store.open({
  from: workspace,
  ...(cacheDir === undefined ? {} : { cacheDir }),
  onNotice: (text) => notices.push(text),
})
const data = join(workspace, 'data')
const [v0, v1] = ['data:v0', 'data:v1']
const between = await store.diff({ ref: v0 }, { ref: v1 })
const against = await store.diff({ ref: v0 }, { dir: data })
await store.checkout(v0, join(own, 'out'))
// Nothing can note what the directory holds: its files are those of no version.
await store.checkout(v1, join(own, 'out'), { force: true })
await store.checkout(v0, join(own, 'out'), { force: true })
await store.checkout(v0, join(own, 'out-v0'))
await store.download(v1, join(own, 'down'))

const refused: Record<string, readonly string[]> = {}
async function attempt(name: string, run: () => unknown): Promise<void> {
  try {
    refused[name] = ['done', JSON.stringify(await run())]
  } catch (error) {
    refused[name] =
      error instanceof ArtifactsError
        ? [error.code, error.message, error.hint ?? '']
        : ['thrown', String(error)]
  }
}
writeFileSync(join(own, 'out/new'), 'new')
await attempt('commit', () => store.commit([join(own, 'out')], { name: 'data' }))
await attempt('commit large', () => {
  writeFileSync(join(own, 'out/large'), Buffer.alloc(20 << 20, 1))
  return store.commit([join(own, 'out')], { name: 'data' })
})
await attempt('commit stdin', () =>
  store.commit(['-'], { name: 'x', as: 'x', stdin: (async function* () {})() }),
)
await attempt('setting', () => store.settings.set('project', 'other'))

const seen: Seen = {
  notices,
  artifacts: store.artifacts().map(({ name }) => name),
  versions: store.versions('data').map(({ ref }) => ref),
  entries: [...store.entries(v0)].map(({ path }) => path),
  files: store.version(v1).files,
  content: readAll(store, v0, 'a.txt').toString(),
  between: between.changes.map(({ kind, path }) => `${kind} ${path}`),
  against: against.changes.map(({ kind, path }) => `${kind} ${path}`),
  status: (await store.status()).map(({ path, state }) => `${path} ${state}`),
  verified: [
    (await store.verify(v0)).ok,
    (await store.verify(v1)).ok,
    (await store.verify(v1, { dir: data })).ok,
  ],
  checkedOut: readTree(join(own, 'out-v0')),
  downloaded: readTree(join(own, 'down')),
  refused,
}
process.stdout.write(JSON.stringify(seen))
