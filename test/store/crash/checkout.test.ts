import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, Store } from '../../../src/index.ts'
import { isStagingName } from '../../../src/store/layout.ts'
import type { CrashPoint } from '../../support/crash.ts'
import { type Item, readTree } from '../../support/files.ts'
import { CHECKOUTS, type Checkout, readOut, withoutStaging } from './checkouts.ts'
import { NAME, openOnce } from './commits.ts'
import { assertClear, assertOldOrNew, mayLeaveFiles } from './expect.ts'
import { leftovers, observe, stateOf } from './observe.ts'
import { FEW_LOSSES, runPoints } from './points.ts'
import { FIRST, SECOND } from './trees.ts'

const test = suite('crash of a checkout')

const STORED = stateOf(FIRST, SECOND)

for (const checkout of CHECKOUTS) {
  test(`${checkout.title}: each file is the old or the new one, and the next time makes it whole`, async () => {
    await runPoints(checkout.title, checkout.points, FEW_LOSSES, {
      prepare: checkout.prepare,
      arrange: openOnce,
      run: (workspace) => checkout.run(workspace),
      check: (workspace, point, error) => check(checkout, workspace, point, error),
    })
  })
}

async function check(
  checkout: Checkout,
  workspace: string,
  point: CrashPoint,
  error: unknown,
): Promise<void> {
  assertClear(error, point)
  const beside = readBeside(workspace)
  const left = [...leftovers(workspace), ...stagingIn(workspace)]
  if (!mayLeaveFiles(point)) assert.equal(left, [])
  assert.equal(await observe(workspace, NAME), STORED)
  // Users' files are not synced: what of them outlives the power is up to the system.
  if (point.power === undefined) {
    const now = readOut(workspace)
    if (error === undefined) assert.equal(now, checkout.after)
    assertOldOrNew(now ?? {}, checkout.before ?? {}, checkout.after)
    await checkout.run(workspace)
  } else await again(checkout, workspace)

  assert.equal(readOut(workspace), checkout.after)
  await assertEqualAndBound(workspace, checkout.ref)
  assert.equal([...leftovers(workspace), ...stagingIn(workspace)], left)
  assert.equal(readBeside(workspace), beside, 'something outside was touched')
  assert.equal(await observe(workspace, NAME), STORED)
}

/** After a loss of power a file can be neither the old nor the new one: then it takes `force` to replace it. */
async function again(checkout: Checkout, workspace: string): Promise<void> {
  const before = readOut(workspace)
  try {
    await checkout.run(workspace)
  } catch (error) {
    const isRefused = error instanceof ArtifactsError && error.code === 'ERR_WOULD_OVERWRITE'
    if (!isRefused) throw error
    assert.equal(readOut(workspace), before, 'refused, but something was changed')
    await checkout.run(workspace, true)
  }
}

async function assertEqualAndBound(workspace: string, ref: string): Promise<void> {
  using store = await Store.open({ store: join(workspace, '.artifacts') })
  const out = join(workspace, 'out')
  const { ok, missing, changed, extra } = await store.verify(ref, { dir: out })
  assert.ok(ok, `it is said to differ: ${JSON.stringify({ missing, changed, extra })}`)
  assert.is(store.binding(out)?.version, store.version(ref).id)
}

/** Everything that a checkout has nothing to do with. */
function readBeside(workspace: string): Record<string, Item> {
  const tree = withoutStaging(readTree(workspace))
  return Object.fromEntries(
    Object.entries(tree).filter(([path]) => path !== 'out' && !path.startsWith('out/')),
  )
}

function stagingIn(workspace: string): string[] {
  const out = join(workspace, 'out')
  const places = [workspace, ...(fs.existsSync(out) ? [out] : [])]
  return places.flatMap((place) => fs.readdirSync(place).filter(isStagingName))
}

test.run()
