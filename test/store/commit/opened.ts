/** An open store with a folder of its own, below the library: for tests of what the store's operations are made of. */
import { join } from 'node:path'
import {
  type CommitRequest,
  type CommitResult,
  commitVersion,
} from '../../../src/store/commit/commit.ts'
import { createStore } from '../../../src/store/create.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { type Opened, openStore } from '../../../src/store/open.ts'
import { type Tree, writeTree } from '../../support/files.ts'
import { temporaryDirectory } from '../../support/temp.ts'

export interface Room extends AsyncDisposable {
  readonly store: Opened
  /** Absolute; the store lies in it. */
  readonly path: string
  /** Writes files in the directory `name` and returns its path. */
  write(name: string, tree: Tree): string
  /** Commits a directory as the artifact `a`. */
  commit(dir: string, request?: Partial<CommitRequest>): Promise<CommitResult>
}

export async function openedRoom(): Promise<Room> {
  const directory = await temporaryDirectory()
  const root = join(directory.path, '.artifacts')
  createStore(root, { io: createIo({ durability: 'process' }), tool: 'test/1', shared: false })
  const store = await openStore({ root, tool: 'test/1' })
  return {
    store,
    path: directory.path,
    write(name, tree) {
      const path = join(directory.path, name)
      writeTree(path, tree)
      return path
    },
    commit: (dir, request) =>
      commitVersion(store, {
        project: 'default',
        name: 'a',
        sources: [{ kind: 'directory', dir, prefix: '' }],
        aliases: [],
        tags: [],
        reuse: 'latest',
        include: [],
        exclude: [],
        allowSecrets: false,
        dryRun: false,
        ...request,
      }),
    async [Symbol.asyncDispose]() {
      store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}
