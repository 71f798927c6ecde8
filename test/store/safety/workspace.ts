/** A folder with a store in it, used as the command line does: opened for each command and closed again. */
import { join } from 'node:path'
import { Store } from '../../../src/index.ts'
import { temporaryDirectory } from '../../support/temp.ts'

export interface Workspace extends AsyncDisposable {
  readonly path: string
  /** The `.artifacts` directory. */
  readonly root: string
  /** What the store said since it was asked last; asking forgets it. */
  takeNotices(): string[]
  /** Opens the store for one command. */
  run<T>(command: (store: Store) => T | Promise<T>): Promise<T>
}

export async function newWorkspace(): Promise<Workspace> {
  const directory = await temporaryDirectory()
  const { store } = await Store.init(directory.path)
  store.close()
  const workspace = workspaceAt(directory.path)
  return { ...workspace, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

/** The workspace in a folder that is there. */
export function workspaceAt(path: string): Omit<Workspace, typeof Symbol.asyncDispose> {
  const root = join(path, '.artifacts')
  const notices: string[] = []
  return {
    path,
    root,
    takeNotices: () => notices.splice(0),
    async run(command) {
      using store = await Store.open({ store: root, onNotice: (text) => notices.push(text) })
      return await command(store)
    },
  }
}

/** All bytes of a stored file. */
export function readAll(store: Store, ref: string, path: string): Buffer {
  return Buffer.concat([...store.read(ref, path)])
}

/** Verifies every version; returns what is wrong with those that are not whole. */
export async function verifyAll(store: Store): Promise<readonly unknown[]> {
  const wrong: unknown[] = []
  for (const { ref } of store.history()) {
    const report = await store.verify(ref)
    if (!report.ok) wrong.push(report)
  }
  return wrong
}

/** Whether the large version of a test is wanted. */
export const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'
