/** A folder with an open store in it. */
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Store } from '../../src/index.ts'
import { type Tree, writeTree } from '../support/files.ts'
import { temporaryDirectory } from '../support/temp.ts'

export interface Workspace extends AsyncDisposable {
  /** Absolute, without symlinks. */
  readonly path: string
  readonly store: Store
  /** The absolute path of what is called `name` here. */
  at(name: string): string
  /** Makes these files in the directory `name` and returns its path. */
  write(name: string, tree: Tree): string
}

export async function workspace(): Promise<Workspace> {
  const directory = await temporaryDirectory()
  const { store } = await Store.init(directory.path)
  const at = (name: string): string => join(directory.path, name)
  return {
    path: directory.path,
    store,
    at,
    write(name, tree) {
      writeTree(at(name), tree)
      return at(name)
    },
    async [Symbol.asyncDispose]() {
      store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** Waits until the files that were written so far can be told apart from later ones by their times. */
export async function settled(): Promise<void> {
  await setTimeout(60)
}

/** Names and lengths of the files that a commit adds to: packs, operations, and what is on its way. */
export function storedFiles({ store }: Workspace): Record<string, number> {
  const files: Record<string, number> = {}
  for (const directory of ['log', 'packs', 'tmp']) {
    for (const name of fs.readdirSync(join(store.root, directory)).sort()) {
      files[`${directory}/${name}`] = fs.statSync(join(store.root, directory, name)).size
    }
  }
  return files
}

/** Bytes of all packs. */
export function packBytes(workspace: Workspace): number {
  return Object.entries(storedFiles(workspace))
    .filter(([name]) => dirname(name) === 'packs')
    .reduce((sum, [, size]) => sum + size, 0)
}

/** Paths of a version's entries. */
export function pathsOf(store: Store, ref: string): string[] {
  return Array.from(store.entries(ref), ({ path }) => path)
}
