/**
 * gc, merging, and a commit that merges, stopped at every call that changes a file, with and without a loss of power:
 * afterwards every live version is as it was committed, and one more gc leaves nothing behind.
 */
import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../../src/index.ts'
import { type Fault, installFaults } from '../../../src/store/io/faults.ts'
import {
  type Choices,
  chance,
  namesSurvive,
  nothingSurvives,
  recordUnsynced,
} from '../../../src/store/io/power.ts'
import type { NameChange } from '../../../src/store/io/unsynced-names.ts'
import { layoutOf } from '../../../src/store/layout.ts'
import { type CrashPoint, forEachCall } from '../../support/crash.ts'
import { readTree, type Tree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { act } from './actor.ts'
import {
  assertClean,
  assertVersions,
  buryWriters,
  commitTree,
  commitTrees,
  initialize,
  manyFiles,
  openIn,
  packFiles,
  workspace,
} from './workspace.ts'

const test = suite('crash')

const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'

const FAULTS: readonly Fault[] = [
  { do: 'die', when: 'before' },
  { do: 'die', when: 'after' },
  { do: 'fail', code: 'EIO' },
  { do: 'fail', code: 'ENOSPC' },
  { do: 'fail', code: 'EROFS', lasting: true },
  { do: 'short', next: 'ENOSPC' },
]

/** Directories whose names survive although they were not synced; those of the others do not. */
const onlyNamesIn = (directory: string): Choices => ({
  keepName: ({ path, to }: NameChange) => dirname(to ?? path).endsWith(`/${directory}`),
  content: (file) => file.current,
})

const LOSSES: Readonly<Record<string, Choices>> = {
  'nothing survives': { ...nothingSurvives, untracked: () => 'earlier' },
  'names without bytes, no databases': { ...namesSurvive, untracked: () => 'delete' },
  'names in log/ survive': onlyNamesIn('log'),
  'names in packs/ survive': onlyNamesIn('packs'),
  'names in packs/ survive, databases are older': {
    ...onlyNamesIn('packs'),
    untracked: () => 'earlier',
  },
  mixture: { ...chance(seededRandom(11).next), untracked: () => 'delete' },
}

interface Scenario {
  /** Points of the short run. */
  readonly points: number
  prepare(path: string): Promise<void>
  run(path: string): Promise<void>
  /** Live before the run, and so after it. */
  readonly live: Readonly<Record<string, Tree>>
  /** What the run adds. */
  readonly added?: Readonly<Record<string, Tree>>
}

const SMALL: Readonly<Record<string, Tree>> = Object.fromEntries(
  Array.from({ length: 65 }, (_, seed) => [`bike:v${seed}`, manyFiles(2, seed)]),
)
/** Looking at all of them each time would take most of the time. */
const SOME_SMALL = Object.fromEntries(
  Object.entries(SMALL).filter(([ref]) => ['bike:v0', 'bike:v33', 'bike:v64'].includes(ref)),
)

async function prepareSmall(path: string): Promise<void> {
  await initialize(path)
  await commitTrees(path, 'bike', Object.values(SMALL))
}

const ALL = manyFiles(60, 1)
const SOME = Object.fromEntries(Object.entries(ALL).slice(0, 30))

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'gc that drops, purges and writes anew': {
    points: 36,
    async prepare(path) {
      await initialize(path)
      await commitTree(path, 'all', ALL)
      await commitTree(path, 'some', SOME)
      await commitTree(path, 'gone', manyFiles(20, 2))
      const stray = join(path, '.artifacts', 'packs', `${'ab'.repeat(32)}.pack`)
      writeFileSync(stray, 'left over')
      utimesSync(stray, 1, 1)
      using store = await openIn(path)
      await store.remove(['all:v0', 'gone:v0'])
    },
    async run(path) {
      using store = await openIn(path)
      await store.gc({ grace: '0' })
    },
    live: { 'some:v0': SOME },
  },
  'gc that merges': {
    points: 14,
    prepare: prepareSmall,
    async run(path) {
      using store = await openIn(path)
      await store.gc({ grace: '0' })
    },
    live: SOME_SMALL,
  },
  'a commit that merges': {
    points: 16,
    prepare: async (path) => {
      await prepareSmall(path)
      rmSync(join(path, 'of-bike'), { recursive: true })
      writeTree(join(path, 'of-bike'), manyFiles(3, 100))
    },
    async run(path) {
      using store = await openIn(path)
      await store.commit([join(path, 'of-bike')], { name: 'bike', jobs: 0 })
    },
    live: SOME_SMALL,
    added: { 'bike:v65': manyFiles(3, 100) },
  },
}

for (const [title, { points, prepare, run, live, added }] of Object.entries(SCENARIOS)) {
  test(`${title}, stopped at any call, loses nothing and leaves nothing`, async () => {
    const ran = await forEachCall({
      prepare,
      run,
      faults: FAULTS,
      losses: LOSSES,
      untracked: (path) => /(^|\/)\.artifacts\/(index-[0-9a-f]{16}|stat)\.db/.test(path),
      ...(isFull ? {} : { sample: { points, seed: 3 } }),
      async check(path, point, error) {
        const layout = layoutOf(join(path, '.artifacts'))
        assertClear(error, point)
        buryWriters(layout)
        rmSync(join(path, 'checked-out'), { recursive: true, force: true })
        const expected = { ...live, ...((await isThere(path, added, error, point)) ? added : {}) }
        await assertVersions(path, expected)
        {
          using store = await openIn(path)
          await store.gc({ grace: '0' })
        }
        await assertClean(layout)
        await assertVersions(path, expected)
      },
    })
    process.stdout.write(`\nnote: ${title}: ${ran.points} points of ${ran.calls} calls\n`)
  })
}

test('removes nothing when the log cannot be synced', async () => {
  await using space = await workspace()
  const { path, layout } = space
  await commitTree(path, 'bike', manyFiles(20, 1))
  await commitTree(path, 'car', manyFiles(20, 2))
  using store = await openIn(path)
  await store.remove(['car:v0'])
  const before = packFiles(layout)
  // First the sync of the operation itself fails, then, in a run that finishes the other, the one before removing.
  for (const run of ['first', 'second']) {
    const faults = installFaults({
      at: 1,
      kinds: ['fsyncDirectory'],
      paths: /log$/,
      fault: { do: 'fail', code: 'EIO', lasting: true },
    })
    const error: unknown = await store.gc({ grace: '0' }).catch((thrown: unknown) => thrown)
    faults.reset()
    assert.is((error as NodeJS.ErrnoException).code, 'ERR_DURABILITY_UNKNOWN', run)
    assert.equal(packFiles(layout), before)
  }
  await store.gc({ grace: '0' })
  await assertClean(layout)
})

test('makes durable what another has dropped before it removes the bytes', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const tree = manyFiles(20, 1)
  await commitTree(path, 'bike', tree)
  await commitTree(path, 'car', manyFiles(20, 2))
  using store = await openIn(path)
  await store.remove(['car:v0'])
  using recording = recordUnsynced(path)
  // It dies right after its operation got its name.
  const faults = installFaults({ at: 1, kinds: ['link'], fault: { do: 'die', when: 'after' } })
  await store.gc({ grace: '0' }).catch(() => {})
  faults.reset()
  store.close()
  {
    using other = await openIn(path)
    // Right after the bytes are gone, so is the power.
    const end = installFaults({
      at: 1,
      kinds: ['unlink'],
      paths: /\.pack$/,
      fault: { do: 'die', when: 'after' },
    })
    await other.gc({ grace: '0' }).catch(() => {})
    end.reset()
    assert.ok(end.fired)
  }
  assert.is(packFiles(layout).length, 1)
  recording.losePower({ ...onlyNamesIn('packs'), untracked: () => 'delete' })
  for (const name of readdirSync(layout.root)) {
    if (name.startsWith('index')) rmSync(join(layout.root, name))
  }
  await assertVersions(path, { 'bike:v0': tree })
  using after = await openIn(path)
  // Had the operation been lost, the version would have come back without its bytes.
  await after.restore(['car:v0']).then(
    () => assert.unreachable(),
    (error: unknown) => assert.ok(error instanceof ArtifactsError),
  )
})

test('a commit that dies while it has to begin again leaves nothing that is not cleared away', async () => {
  await using space = await workspace()
  const { path, layout } = space
  const tree = manyFiles(10, 1)
  await commitTree(path, 'old', tree)
  writeTree(join(path, 'of-new'), { ...tree, more: 'm'.repeat(100) })
  for (const at of [2, 3, 5, 8]) {
    using store = await openIn(path)
    const faults = installFaults({ at, kinds: ['open'], fault: { do: 'die', when: 'before' } })
    await store.commit([join(path, 'of-new')], { name: 'new', jobs: 0 }).catch(() => {})
    faults.reset()
  }
  buryWriters(layout)
  act(path, { do: 'gc' }, { do: 'commit', name: 'new' })
  assert.equal(Object.keys(readTree(join(path, 'of-new'))).length, 11)
  await assertVersions(path, { 'new:v0': { ...tree, more: 'm'.repeat(100) }, 'old:v0': tree })
  await assertClean(layout)
})

/** Whether what a run adds is there; it has to be when the run said so and nothing can have taken it back. */
async function isThere(
  path: string,
  added: Readonly<Record<string, Tree>> | undefined,
  error: unknown,
  { power }: CrashPoint,
): Promise<boolean> {
  if (added === undefined) return false
  using store = await openIn(path)
  const refs = store.history().map(({ ref }) => ref)
  const found = Object.keys(added).filter((ref) => refs.includes(ref))
  if (error === undefined) assert.equal(found, Object.keys(added))
  if (error instanceof ArtifactsError && error.code === 'ERR_DURABILITY_UNKNOWN' && !power) {
    assert.equal(found, Object.keys(added))
  }
  return found.length > 0
}

/** An error says what failed: one of ours, or the system's with its code. */
function assertClear(error: unknown, { fault }: CrashPoint): void {
  if (fault.do === 'die' || error === undefined || error instanceof ArtifactsError) return
  if (error instanceof Error && 'code' in error) return
  throw error
}

test.run()
