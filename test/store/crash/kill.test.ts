/** The same as the crash matrix, by processes that are killed for real: what the simulation leaves out would show here. */
import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Fault } from '../../../src/store/io/faults.ts'
import { isAbandoned } from '../../../src/store/layout.ts'
import { runChild } from '../../support/child.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { CHECKOUTS, readOut } from './checkouts.ts'
import { COMMITS, NAME, openOnce } from './commits.ts'
import { assertOldOrNew, isOneOf } from './expect.ts'
import { leftovers, observe, stateOf } from './observe.ts'
import { isFull, note } from './points.ts'
import { FIRST, SECOND } from './trees.ts'

const test = suite('killed')

const CHILD = new URL('command-child.js', import.meta.url)
const SEED = 3

test('a commit killed at any of its calls is there or not, and succeeds the next time', async () => {
  const commit = COMMITS.find(({ title }) => title === 'a second commit')
  assert.ok(commit)
  await using template = await temporaryDirectory()
  await commit.prepare(template.path)
  let points = 0
  for (const { at, when } of everyCall(isFull ? ['before', 'after'] : ['before'])) {
    await using copy = await copyOf(template.path)
    const args = ['commit', copy.path, join(copy.path, 'data'), '0']
    if (!killed(args, at, when)) break
    points++
    isOneOf(await observe(copy.path, NAME), commit.before, commit.after)
    assertAbandoned(copy.path)
    await commit.run(copy.path)
    assert.equal(await observe(copy.path, NAME), commit.after, `${when} call ${at}`)
  }
  assert.ok(points > 15)
  note(`a commit killed at every call: ${points} points`)
})

test('a checkout killed at any of its calls leaves whole files, and succeeds the next time', async () => {
  const checkout = CHECKOUTS.find(({ title }) => title === 'a checkout of another version')
  assert.ok(checkout)
  const { before = {}, after } = checkout
  await using template = await temporaryDirectory()
  await checkout.prepare(template.path)
  const chosen = isFull
    ? everyCall(['before', 'after'])
    : seededRandom(SEED)
        .shuffle([...everyCall(['before', 'after'], 70)])
        .slice(0, 8)
  let points = 0
  for (const { at, when } of chosen) {
    await using copy = await copyOf(template.path)
    if (!killed(['checkout', copy.path, checkout.ref, '0'], at, when)) break
    points++
    assertOldOrNew(readOut(copy.path) ?? {}, before, after)
    assert.equal(await observe(copy.path, NAME), stateOf(FIRST, SECOND))
    assertAbandoned(copy.path)
    await checkout.run(copy.path)
    assert.equal(readOut(copy.path), after, `${when} call ${at}`)
    // A checkout that has something to write removes what the dead process had prepared; its other files are left to gc.
    fs.rmSync(join(copy.path, 'out/inline'))
    await checkout.run(copy.path)
    assert.equal(readOut(copy.path), after)
    assert.equal(directoriesIn(join(copy.path, '.artifacts/tmp')), [])
  }
  assert.ok(points >= 8)
  note(`a checkout killed at its calls: ${points} points`)
})

type When = Extract<Fault, { do: 'kill' }>['when']

/** Without `last`, until the caller has had enough. */
function* everyCall(
  moments: readonly When[],
  last = Number.POSITIVE_INFINITY,
): Generator<{ at: number; when: When }> {
  for (let at = 1; at <= last; at++) for (const when of moments) yield { at, when }
}

/** A copy of a workspace whose index is in order, as it was in the original. */
async function copyOf(template: string): Promise<AsyncDisposable & { readonly path: string }> {
  const copy = await temporaryDirectory()
  fs.cpSync(template, copy.path, { recursive: true, verbatimSymlinks: true })
  await openOnce(copy.path)
  return copy
}

/** False when the command ended before it came to that call. */
function killed(args: readonly string[], at: number, when: When): boolean {
  const { signal, status, stderr } = runChild(CHILD, args, { at, fault: { do: 'kill', when } })
  if (signal === 'SIGKILL') return true
  assert.is(status, 0, stderr)
  return false
}

/** What is left in `tmp/` may be removed at once. */
function assertAbandoned(workspace: string): void {
  const now = Date.now()
  for (const path of leftovers(workspace)) {
    if (!path.startsWith('tmp/')) continue
    assert.ok(isAbandoned(path.slice('tmp/'.length), now, now), `"${path}" seems to be in use`)
  }
}

function directoriesIn(directory: string): string[] {
  const entries = fs.readdirSync(directory, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

test.run()
