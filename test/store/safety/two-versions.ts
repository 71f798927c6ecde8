/** A workspace in which `data` was committed twice. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Tree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { newWorkspace, type Workspace } from './workspace.ts'

const random = seededRandom(1)
export const FIRST: Tree = { 'a.txt': 'first', 'sub/noise': random.bytes(5000), old: 'old' }
export const SECOND: Tree = { 'a.txt': 'second', 'sub/noise': random.bytes(5000), new: 'new' }

export async function twoVersions(): Promise<Workspace> {
  const workspace = await newWorkspace()
  const data = join(workspace.path, 'data')
  for (const tree of [FIRST, SECOND]) {
    rmSync(data, { recursive: true, force: true })
    writeTree(data, tree)
    await workspace.run((store) => store.commit([data]))
  }
  return workspace
}
