/** Commits to be interrupted: what the folder holds before, the command, and what the store holds after. */
import fs from 'node:fs'
import { join } from 'node:path'
import { Store } from '../../../src/index.ts'
import { type Tree, writeTree } from '../../support/files.ts'
import { type ArtifactState, stateOf } from './observe.ts'
import { FIRST, OUTSIDE, SECOND, TWO_PACKS } from './trees.ts'

export const NAME = 'bike'

export interface Commit {
  readonly title: string
  /** Points of a sample. */
  readonly points: number
  readonly before: ArtifactState
  readonly after: ArtifactState
  /** Fills an empty folder. */
  prepare(workspace: string): Promise<void>
  /** Whether the index is as the last command left it; else it is built anew first. */
  readonly isIndexed: boolean
  /** The command under test. */
  run(workspace: string): Promise<void>
}

export const COMMITS: readonly Commit[] = [
  {
    title: 'a first commit, into one pack',
    points: 50,
    isIndexed: true,
    before: stateOf(),
    after: stateOf(FIRST),
    prepare: (workspace) => prepare(workspace, FIRST, false),
    run: (workspace) => commit(workspace),
  },
  {
    title: 'a first commit, into two packs',
    points: 30,
    isIndexed: true,
    before: stateOf(),
    after: stateOf(TWO_PACKS),
    prepare: (workspace) => prepare(workspace, TWO_PACKS, false),
    run: (workspace) => commit(workspace),
  },
  {
    title: 'a second commit',
    points: 50,
    isIndexed: true,
    before: stateOf(FIRST),
    after: stateOf(FIRST, SECOND),
    async prepare(workspace) {
      await prepare(workspace, FIRST, true)
      replaceData(workspace, SECOND)
    },
    run: (workspace) => commit(workspace),
  },
  {
    title: 'a second commit, after the index was lost',
    points: 30,
    isIndexed: false,
    before: stateOf(FIRST),
    after: stateOf(FIRST, SECOND),
    async prepare(workspace) {
      await prepare(workspace, FIRST, true)
      replaceData(workspace, SECOND)
    },
    run: (workspace) => commit(workspace),
  },
  {
    title: 'a commit that only moves an alias',
    points: 30,
    isIndexed: true,
    before: stateOf(FIRST),
    after: {
      versions: stateOf(FIRST).versions.map((v) => ({ ...v, aliases: ['best', 'latest'] })),
    },
    prepare: (workspace) => prepare(workspace, FIRST, true),
    run: (workspace) => commit(workspace, ['best']),
  },
]

/** Opens the store and closes it, after which its index is in order. */
export async function openOnce(workspace: string): Promise<void> {
  const store = await Store.open({ store: join(workspace, '.artifacts') })
  store.close()
}

/** A workspace with `data`, a store, and other people's files; with `committed`, `data` is the first version. */
export async function prepare(workspace: string, data: Tree, committed: boolean): Promise<void> {
  writeTree(join(workspace, 'data'), data)
  writeTree(join(workspace, 'outside'), OUTSIDE)
  const { store } = await Store.init(workspace)
  store.close()
  if (committed) await commit(workspace)
}

/** Commits `data` in this thread. */
export async function commit(workspace: string, aliases: readonly string[] = []): Promise<void> {
  using store = await Store.open({ store: join(workspace, '.artifacts') })
  const options = { name: NAME, type: 'dataset', aliases, jobs: 0 }
  await store.commit([join(workspace, 'data')], options)
}

export function replaceData(workspace: string, tree: Tree): void {
  fs.rmSync(join(workspace, 'data'), { recursive: true })
  writeTree(join(workspace, 'data'), tree)
}
