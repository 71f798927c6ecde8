/** Differences are those that git finds, all along a history of every kind of change. */
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Change, Store } from '../../src/index.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { editTree, growTree, PLAIN_NAMES, WILD_NAMES } from './random-trees.ts'
import { workspace } from './workspace.ts'

const test = suite('git-history')
const VERSIONS = process.env['ARTIFACTS_TEST_FULL'] === '1' ? 600 : 100

function git(cwd: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd,
    input,
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** For each pair of trees, letters and paths. */
function gitDifferences(dir: string, pairs: readonly (readonly string[])[]): string[][] {
  const flags = ['--stdin', '-r', '-z', '--name-status', '--no-renames']
  const asked = pairs.map((pair) => `${pair.join(' ')}\n`).join('')
  const answers = git(dir, ['diff-tree', ...flags], asked).split(/[0-9a-f]{40} [0-9a-f]{40}\n/)
  return answers.slice(1).map((answer) => {
    const parts = answer.split('\0')
    return parts.flatMap((part, i) => (i % 2 === 1 ? [`${parts[i - 1]} ${part}`] : []))
  })
}

/** As git would say it: it keeps no directories. */
function letter({ kind, before, after }: Change): string | undefined {
  const was = before !== undefined && before.kind !== 'directory'
  const is = after !== undefined && after.kind !== 'directory'
  if (!was || !is) return is ? 'A' : was ? 'D' : undefined
  return kind === 'type' ? 'T' : 'M'
}

async function ours(store: Store, from: string, to: string): Promise<string[]> {
  const { changes } = await store.diff({ ref: from }, { ref: to }, { renames: false })
  return changes.flatMap((change) => {
    const status = letter(change)
    return status === undefined ? [] : [`${status} ${change.path}`]
  })
}

/** Commits the same directory to git and to the store, over and over. Returns git's names of the trees. */
async function makeHistory(store: Store, dir: string, random: Random): Promise<string[]> {
  const options = { names: [...PLAIN_NAMES, ...WILD_NAMES], files: 60, bytes: 150 }
  growTree(dir, random, options)
  const folder = `--git-dir=${dir}.git`
  git(dir, [folder, 'init', '-q'])
  git(dir, [folder, 'config', 'core.fsync', 'none'])
  const trees: string[] = []
  for (let index = 0; index < VERSIONS; index++) {
    if (index > 0) editTree(dir, random, options, random.integer(1, 12))
    git(dir, [folder, '--work-tree=.', 'add', '-A'])
    trees.push(git(dir, [folder, 'write-tree']).trim())
    const { version } = await store.commit([dir], { name: 'history', reuse: 'never' })
    assert.is(version, `v${index}`)
  }
  return trees
}

test('each version and the next, and any two, differ as git says', async () => {
  await using ws = await workspace()
  const { store } = ws
  const seed = Math.floor(Math.random() * 2 ** 31)
  const random = seededRandom(seed)
  const dir = ws.at('data')
  const trees = await makeHistory(store, dir, random)
  const pairs: [number, number][] = trees.slice(1).map((_, index) => [index, index + 1])
  for (let count = 0; count < 50; count++) {
    pairs.push([random.integer(0, VERSIONS - 1), random.integer(0, VERSIONS - 1)])
  }
  const ids = pairs.map((pair) => pair.map((index) => trees[index] as string))
  const expected = gitDifferences(`${dir}.git`, ids)
  assert.is(expected.length, pairs.length)
  let found = 0
  for (const [index, [from, to]] of pairs.entries()) {
    const differences = await ours(store, `history:v${from}`, `history:v${to}`)
    assert.equal(differences, expected[index], `seed ${seed}: v${from} to v${to}`)
    found += differences.length
  }
  assert.ok(found > VERSIONS * 2, `seed ${seed}: only ${found} differences`)
})

test.run()
