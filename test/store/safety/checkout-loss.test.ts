/** A checkout takes nothing away that is in neither version, and refuses only where it would. */
import { lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, Store } from '../../../src/index.ts'
import { type Item, readTree, shownTree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { IGNORE, isIgnored, randomEdits, randomTree } from './random-trees.ts'
import { isFull, newWorkspace } from './workspace.ts'

const test = suite('losing nothing')

const SEEDS = isFull ? 500 : 30
const VERSIONS = 4
const CHECKOUTS = 6

type Shown = Readonly<Record<string, Item>>

interface Situation {
  /** The directory before the checkout. */
  readonly before: Shown
  /** The version it was bound to, and the one wanted. */
  readonly bound: Shown
  readonly wanted: Shown
  /** Whether a path is hidden from the checkout. */
  readonly hidden: (path: string) => boolean
}

/** Paths of what is in neither version and has to go. */
function lossesIn({ before, bound, wanted, hidden }: Situation): string[] {
  return Object.keys(before).filter((path) => {
    const item = before[path] as Item
    if (item === null || isSame(item, wanted[path]) || isSame(item, bound[path])) return false
    return !hidden(path) || path in wanted
  })
}

/** Paths of what is ignored, and stands where it would have to be deleted. */
function blockedIn({ before, wanted, hidden }: Situation): string[] {
  return Object.keys(before).filter((path) => {
    if (!hidden(path) || before[path] === null) return false
    return Object.keys(wanted).some((other) => {
      if (other === path || path.startsWith(`${other}/`)) {
        return other === path ? wanted[other] === null : wanted[other] !== null
      }
      return other.startsWith(`${path}/`)
    })
  })
}

function isSame(a: Item | undefined, b: Item | undefined): boolean {
  return isDeepStrictEqual(a, b)
}

/** What was asked for, and what is there beside what is ignored and the directories that hold nothing else. */
function compared(
  after: Shown,
  { before, wanted, hidden }: Situation,
): { was: Shown; should: Shown } {
  const kept = Object.keys(before).filter(hidden)
  const isEmpty = (path: string, item: Item): boolean =>
    item !== null || !kept.some((ignored) => ignored.startsWith(`${path}/`))
  const isShown = (path: string, item: Item): boolean =>
    isEmpty(path, item) && (path in wanted || (!hidden(path) && item !== null))
  const pick = (tree: Shown, keep: (path: string, item: Item) => boolean): Shown =>
    Object.fromEntries(Object.entries(tree).filter(([path, item]) => keep(path, item)))
  return { was: pick(after, isShown), should: pick(wanted, isEmpty) }
}

test('random edits between random versions, with ignored files', async () => {
  const first = Number(process.env['SEED'] ?? 1)
  let refusals = 0
  let done = 0
  for (let seed = first; seed < first + SEEDS; seed++) {
    const random = seededRandom(seed)
    await using workspace = await newWorkspace()
    const source = join(workspace.path, 'source')
    const dir = join(workspace.path, 'dir')
    using store = await Store.open({ store: workspace.root })
    const versions: Shown[] = []
    for (let version = 0; version < VERSIONS; version++) {
      // What a directory ignores is committed where it is not ignored.
      const tree = randomTree(random, version % 2 === 1)
      rmSync(source, { recursive: true, force: true })
      writeTree(source, tree)
      const { files } = await store.commit([source], {
        name: 'a',
        reuse: 'never',
        exclude: version % 2 === 1 ? ['!*.ign', '!ign/'] : [],
      })
      const shown = shownTree(tree)
      versions.push(shown)
      assert.is(files, Object.values(shown).filter((item) => item !== null).length)
    }
    let bound = random.integer(0, VERSIONS - 1)
    await store.checkout(`a:v${bound}`, dir)
    for (let step = 0; step < CHECKOUTS; step++) {
      randomEdits(random, dir)
      const target = random.integer(0, VERSIONS - 1)
      const force = random.integer(0, 3) === 0
      const before = readTree(dir)
      const hidden = isSame(before[IGNORE], versions[1]?.[IGNORE]) ? isIgnored : () => false
      const situation = {
        before,
        bound: versions[bound] as Shown,
        wanted: versions[target] as Shown,
        hidden,
      }
      const blocked = blockedIn(situation)
      const losses = force ? [] : lossesIn(situation)
      const context = `SEED=${seed} step ${step}: ${force ? 'forced ' : ''}v${bound} to v${target}\n${JSON.stringify({ ...situation, losses, blocked }, null, 1)}`
      let refusal: ArtifactsError | undefined
      try {
        await store.checkout(`a:v${target}`, dir, { force })
      } catch (error) {
        if (!(error instanceof ArtifactsError) || error.code !== 'ERR_WOULD_OVERWRITE') {
          throw new Error(`${String(error)} in ${context}`, { cause: error })
        }
        refusal = error
      }
      const after = readTree(dir)
      if (refusal !== undefined) {
        refusals++
        assert.equal(after, before, `a refusal changes nothing: ${context}`)
        assert.ok(
          losses.length + blocked.length > 0,
          `nothing would be lost: ${refusal.message} ${context}`,
        )
        continue
      }
      done++
      assert.equal([...losses, ...blocked], [], `lost: ${context}`)
      const { was, should } = compared(after, situation)
      assert.equal(was, should, context)
      for (const path of Object.keys(before).filter(
        (path) => hidden(path) && before[path] !== null,
      )) {
        if (path in situation.wanted || isSame(before[path], situation.bound[path])) continue
        assert.equal(after[path], before[path], `ignored "${path}" is gone: ${context}`)
      }
      bound = target
    }
    assert.ok(lstatSync(dir).isDirectory())
  }
  assert.ok(refusals > SEEDS / 3 && done > SEEDS, `${refusals} refused, ${done} done`)
})

test.run()
