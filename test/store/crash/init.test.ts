import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, Store } from '../../../src/index.ts'
import { nothingSurvives, type Recording } from '../../../src/store/io/power.ts'
import { isStagingName } from '../../../src/store/layout.ts'
import type { CrashPoint } from '../../support/crash.ts'
import { type Tree, writeTree } from '../../support/files.ts'
import { commit, NAME } from './commits.ts'
import { assertClear, mayLeaveFiles, mustHaveHappened } from './expect.ts'
import { leftovers, observe, stateOf } from './observe.ts'
import { ALL_LOSSES, runPoints } from './points.ts'

const test = suite('crash of init')

const DATA: Tree = { 'a.txt': 'a'.repeat(100), b: 'b' }

for (const [title, folder, points] of [
  ['init in a folder that is there', '', 20],
  ['init in a folder that is not there', 'new/folder', 20],
] as const) {
  test(`${title}: makes a whole store or none, and the next time makes one that lasts`, async () => {
    await runPoints(title, points, ALL_LOSSES, {
      prepare: (directory) => writeTree(directory, { data: null }),
      run: (directory) => init(join(directory, folder)),
      check: (directory, point, error, recording) =>
        check(join(directory, folder), point, error, recording as Recording),
    })
  })
}

async function check(
  workspace: string,
  point: CrashPoint,
  error: unknown,
  recording: Recording,
): Promise<void> {
  assertClear(error, point)
  const isThere = await opens(workspace)
  if (mustHaveHappened(error, point)) assert.ok(isThere, 'the store is not there')
  if (isThere) assert.equal(await observe(workspace, NAME), stateOf())
  const left = stagingIn(workspace)
  if (!mayLeaveFiles(point)) assert.equal(left, [])

  await init(workspace)
  writeTree(join(workspace, 'data'), DATA)
  await commit(workspace)
  leftovers(workspace)
  recording.losePower(nothingSurvives)
  assert.equal(await observe(workspace, NAME), stateOf(DATA), 'lost after the second run succeeded')
}

async function init(workspace: string): Promise<void> {
  const { store } = await Store.init(workspace)
  store.close()
}

/** Whether a store is there; anything but a whole one or none fails. */
async function opens(workspace: string): Promise<boolean> {
  const root = join(workspace, '.artifacts')
  try {
    const store = await Store.open({ store: root })
    store.close()
    return true
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_NO_STORE') throw error
    assert.not.ok(fs.existsSync(root), 'something that is no store has its name')
    return false
  }
}

function stagingIn(workspace: string): string[] {
  return fs.existsSync(workspace) ? fs.readdirSync(workspace).filter(isStagingName) : []
}

test.run()
