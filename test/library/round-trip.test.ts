/** What was committed comes back as it was, and every way of comparing says so, or says what is different. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Change, Store } from '../../src/index.ts'
import { readTree } from '../support/files.ts'
import { seededRandom } from '../support/random.ts'
import { editTree, growTree, PLAIN_NAMES, type TreeOptions, WILD_NAMES } from './random-trees.ts'
import { runs } from './runs.ts'
import { type Workspace, workspace } from './workspace.ts'

const test = suite('round-trip')
const WILD: TreeOptions = { names: WILD_NAMES, files: 40 }
const PLAIN: TreeOptions = { names: PLAIN_NAMES, files: 40 }

/** GNU diff knows content, kinds and names, but neither modes nor order. */
function isSameByDiff(a: string, b: string): boolean {
  const { status, stderr } = spawnSync('diff', ['-rq', '--no-dereference', a, b], {
    encoding: 'utf8',
  })
  if (status !== 0 && status !== 1) throw new Error(`diff failed: ${stderr}`)
  return status === 0
}

/** Differences between two directories, as `diff` without renames is to report them. */
function differences(before: string, after: string): string[] {
  const a = readTree(before)
  const b = readTree(after)
  const paths = [...new Set([...Object.keys(a), ...Object.keys(b)])]
  return paths
    .flatMap((path): string[] => {
      if (!(path in a)) return [`added ${path}`]
      if (!(path in b)) return [`removed ${path}`]
      return JSON.stringify(a[path]) === JSON.stringify(b[path]) ? [] : [`changed ${path}`]
    })
    .sort()
}

function reported(changes: readonly Change[]): string[] {
  return changes
    .map(({ kind, path }) => `${['added', 'removed'].includes(kind) ? kind : 'changed'} ${path}`)
    .sort()
}

/** All that can be asked about a version and a directory must give this answer. */
async function agree(
  store: Store,
  ref: string,
  dir: string,
  expected: readonly string[],
): Promise<void> {
  const forth = await store.diff({ ref }, { dir }, { renames: false })
  assert.equal(reported(forth.changes), expected, 'diff version directory')
  const swapped: Record<string, string> = { added: 'removed', removed: 'added', changed: 'changed' }
  const back = await store.diff({ dir }, { ref }, { renames: false })
  const reversed = expected.map((line) => line.replace(/^\w+/, (word) => swapped[word] ?? ''))
  assert.equal(reported(back.changes), reversed.sort(), 'diff directory version')
  const { ok, missing, extra, changed } = await store.verify(ref, { dir })
  assert.is(ok, expected.length === 0, 'verify')
  const verified = [
    ...missing.map((path) => `removed ${path}`),
    ...extra.map((path) => `added ${path}`),
    ...changed.map((path) => `changed ${path}`),
  ]
  assert.equal(verified.sort(), expected, 'verify')
}

async function statusOf(store: Store, dir: string): Promise<string[]> {
  const [status] = await store.status(dir)
  assert.ok(status)
  assert.is(status.state, status.changes.length === 0 ? 'clean' : 'changed')
  return reported(status.changes.flatMap(apart))
}

/** A rename as what it is made of. */
function apart(change: Change): Change[] {
  if (change.kind !== 'renamed') return [change]
  return [
    { kind: 'removed', path: change.from ?? '' },
    { kind: 'added', path: change.path },
  ]
}

async function checkRoundTrip(ws: Workspace, seed: number, options: TreeOptions): Promise<void> {
  const { store } = ws
  const random = seededRandom(seed)
  const one = ws.at('one')
  growTree(one, random, options)
  await store.commit([one], { name: 'tree' })
  const two = ws.at('two')
  const built = await store.checkout('tree:v0', two)
  assert.equal(readTree(two), readTree(one))
  assert.ok(isSameByDiff(one, two))
  assert.is(built.changed + built.deleted + built.unchanged, 0)
  await agree(store, 'tree:v0', two, [])

  editTree(two, random, options, random.integer(1, 30))
  const expected = differences(one, two)
  const isModeOnly = (await store.diff({ ref: 'tree:v0' }, { dir: two })).changes.every(
    ({ kind }) => kind === 'mode',
  )
  assert.is(isSameByDiff(one, two), isModeOnly)
  await agree(store, 'tree:v0', two, expected)
  assert.equal(await statusOf(store, two), expected)

  await store.commit([two], { name: 'tree', reuse: 'never' })
  const trees = await store.diff({ ref: 'tree:v0' }, { ref: 'tree:v1' }, { renames: false })
  assert.equal(reported(trees.changes), expected, 'diff version version')
  assert.equal(
    trees.changes.map(({ path }) => path),
    trees.changes.map(({ path }) => path).sort(byBytes),
  )
  const renamed = await store.diff({ ref: 'tree:v0' }, { ref: 'tree:v1' })
  assert.equal(reported(renamed.changes.flatMap(apart)), expected, 'diff with renames')

  // One directory becomes the second version by edits, another the first one again.
  for (const [ref, dir, same] of [
    ['tree:v1', one, two],
    ['tree:v0', one, undefined],
    ['tree:v1', ws.at('three'), two],
  ] as const) {
    const dry = await store.checkout(ref, dir, { dryRun: true })
    const { bound: _, ...done } = await store.checkout(ref, dir)
    assert.equal({ ...done, dryRun: true }, dry)
    await agree(store, ref, dir, [])
    assert.equal(await statusOf(store, dir), [])
    if (same !== undefined) assert.ok(isSameByDiff(dir, same))
    if (same !== undefined) assert.equal(readTree(dir), readTree(same))
  }
  const { ok } = await store.verify('tree:v1')
  assert.ok(ok)
}

for (const [name, options] of [
  ['names of every kind', WILD],
  ['few names, so that files and directories take each other’s place', PLAIN],
] as const) {
  test(`random trees and edits, with ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        await using ws = await workspace()
        await checkRoundTrip(ws, seed, options)
      }),
      runs(8),
    )
  })
}

test('a path of the greatest length and depth comes back', async () => {
  await using ws = await workspace()
  const deep = Array.from({ length: 400 }, (_, index) => `d${index % 10}`).join('/')
  const part = 'é'.repeat(127)
  const long = Array.from({ length: 8 }, () => part).join('/')
  ws.write('data', { [`${deep}/file`]: 'deep', [`${long}/file`]: 'long' })
  await ws.store.commit([ws.at('data')])
  await ws.store.checkout('data', ws.at('copy'))
  assert.is(fs.readFileSync(join(ws.at('copy'), deep, 'file'), 'utf8'), 'deep')
  assert.is(fs.readFileSync(join(ws.at('copy'), long, 'file'), 'utf8'), 'long')
  await agree(ws.store, 'data', ws.at('copy'), [])
})

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

test.run()
