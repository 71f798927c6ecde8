import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nothingSurvives, type Recording, recordUnsynced } from '../../../src/store/io/power.ts'
import type { CrashPoint } from '../../support/crash.ts'
import { readTree } from '../../support/files.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { COMMITS, type Commit, NAME, openOnce } from './commits.ts'
import {
  assertClear,
  cannotHaveHappened,
  isOneOf,
  mayLeaveFiles,
  mustHaveHappened,
} from './expect.ts'
import { leftovers, observe } from './observe.ts'
import { ALL_LOSSES, anyLoss, isDatabase, isFull, runPoints } from './points.ts'

const test = suite('crash of a commit')

for (const commit of COMMITS) {
  test(`${commit.title}: is there or not, whatever goes wrong, and succeeds the next time`, async () => {
    await runPoints(commit.title, commit.points, ALL_LOSSES, {
      prepare: commit.prepare,
      ...(commit.isIndexed ? { arrange: openOnce } : {}),
      run: commit.run,
      check: (workspace, point, error, recording) =>
        check(commit, workspace, point, error, recording as Recording),
    })
  })
}

async function check(
  commit: Commit,
  workspace: string,
  point: CrashPoint,
  error: unknown,
  recording: Recording,
): Promise<void> {
  assertClear(error, point)
  const files = readTree(workspace)
  const state = await observe(workspace, NAME)
  if (mustHaveHappened(error, point)) assert.equal(state, commit.after)
  else if (cannotHaveHappened(error, point)) assert.equal(state, commit.before)
  else isOneOf(state, commit.before, commit.after)
  const left = leftovers(workspace)
  if (!mayLeaveFiles(point)) assert.equal(left, [])

  await commit.run(workspace)
  assert.equal(await observe(workspace, NAME), commit.after)
  assert.equal(leftovers(workspace), left)
  recording.losePower(nothingSurvives)
  assert.equal(await observe(workspace, NAME), commit.after, 'lost after the second run succeeded')
  assert.equal(readTree(workspace), files, 'a commit changed the user’s files')
}

for (const { title, after, prepare, run } of COMMITS) {
  test(`${title}: survives any loss of power once it has succeeded`, async () => {
    for (let seed = 0; seed < (isFull ? 100 : 8); seed++) {
      await using dir = await temporaryDirectory()
      const workspace = join(dir.path, 'workspace')
      await prepare(workspace)
      using recording = recordUnsynced(workspace, isDatabase)
      await run(workspace)
      recording.losePower(anyLoss(seed))
      assert.equal(await observe(workspace, NAME), after, `seed ${seed}`)
    }
  })
}

test.run()
