/** An operation with all that other stores bring, stopped at every call it makes, also together with the power. */
import { copyFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, Store } from '../src/index.ts'
import { copyRecords } from '../src/store/gc/copy.ts'
import { commitOperation } from '../src/store/index/commit-point.ts'
import type { Fault } from '../src/store/io/faults.ts'
import { chance, namesSurvive, nothingSurvives } from '../src/store/io/power.ts'
import { layoutOf } from '../src/store/layout.ts'
import type { Change } from '../src/store/log/change.ts'
import { openStore } from '../src/store/open.ts'
import type { ArtifactId, ObjectId } from '../src/types.ts'
import { metadata, takeOver } from './partial.ts'
import { commitTree, initialize } from './store/gc/workspace.ts'
import { type CrashPoint, forEachCall } from './support/crash.ts'
import { seededRandom } from './support/random.ts'

const test = suite('taking over, stopped')

const FAULTS: readonly Fault[] = [
  { do: 'die', when: 'before' },
  { do: 'die', when: 'after' },
  { do: 'fail', code: 'ENOSPC' },
  { do: 'short', next: 'EIO' },
]
const LOSSES = {
  nothing: nothingSurvives,
  names: namesSurvive,
  some: chance(seededRandom(3).next),
}
const THERE = 'e'.repeat(32)
const AS = 'f'.repeat(32) as ArtifactId
const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'

test('a pull is there as a whole, with its bytes, or not at all', async () => {
  const { points } = await forEachCall({
    prepare: async (directory) => {
      const there = join(directory, 'there')
      for (const path of [directory, there]) await initialize(path)
      await commitTree(there, 'bike', { f: seededRandom(1).bytes(9000) })
      await takeOver(there, directory, metadata)
      // What was received, in no operation yet.
      const [from, to] = [there, directory].map((path) => layoutOf(join(path, '.artifacts')).packs)
      for (const name of readdirSync(from ?? '')) {
        copyFileSync(join(from ?? '', name), join(to ?? '', name))
      }
    },
    run: pull,
    check: checkStore,
    faults: FAULTS,
    losses: LOSSES,
    untracked: (path) => /[/](index|stat[.]db)/.test(path),
    ...(isFull ? {} : { sample: { points: 14, seed: 5 } }),
  })
  assert.is(isFull ? Math.min(points, 40) : points, isFull ? 40 : 14)
})

async function pull(directory: string): Promise<void> {
  const opened = await openStore({ root: join(directory, '.artifacts'), tool: 'test/1' })
  try {
    const { io, layout, index } = opened
    const received = readdirSync(join(directory, 'there/.artifacts/packs')).map((name) => {
      return { id: name.slice(0, 64) as ObjectId, wants: () => true }
    })
    const pack = await copyRecords(opened, received, (id) => index.state.isDropped(id as ObjectId))
    io.fsyncDirectory(layout.packs)
    await commitOperation(opened, {
      packs: [pack],
      plan: (state) => {
        const [artifact] = state.artifacts()
        const version = artifact && state.highestLive(artifact.id)
        if (artifact === undefined || version === undefined) throw new Error('no version')
        const of = { artifact: artifact.id, version: version.id }
        const changes: Change[] = [
          { kind: 'pull', store: THERE, n: 3 },
          { kind: 'artifact.join', artifact: artifact.id, as: AS },
          { kind: 'version.renumber', ...of, number: 4, old: 0 },
          { kind: 'version.fetch', ...of, whole: true },
        ]
        return { changes, outcome: undefined }
      },
    })
  } finally {
    opened.close()
  }
}

async function checkStore(directory: string, { power }: CrashPoint, error: unknown): Promise<void> {
  const opened = await openStore({ root: join(directory, '.artifacts'), tool: 'test/1' })
  const [artifact] = opened.index.state.artifacts()
  const found = {
    joined: opened.index.state.artifactByJoinedId(AS)?.id === artifact?.id,
    partial: opened.index.state.partialVersions().length,
  }
  opened.close()
  const store = await Store.open({ from: directory })
  try {
    const [version] = store.history()
    const isDone = version?.version === 'v4'
    assert.equal(found, { joined: isDone, partial: isDone ? 0 : 1 })
    if (error === undefined) assert.ok(isDone, 'reported, and not done')
    const isUnsure = error instanceof ArtifactsError && error.code === 'ERR_DURABILITY_UNKNOWN'
    if (isUnsure && power === undefined) assert.ok(isDone, 'called done')
    const { ok, notFetched } = await store.verify('bike')
    assert.equal([ok, notFetched], [true, isDone ? 0 : 1])
    await store.editArtifact('bike', { description: 'goes on' })
  } finally {
    store.close()
  }
}

test.run()
