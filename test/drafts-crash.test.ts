/** A draft from its first part to its end, stopped at every call, also together with the power. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, ArtifactsError, Store } from '../src/index.ts'
import type { Fault } from '../src/store/io/faults.ts'
import { chance, namesSurvive, nothingSurvives } from '../src/store/io/power.ts'
import { type CrashPoint, forEachCall } from './support/crash.ts'
import { seededRandom } from './support/random.ts'

const test = suite('drafts, stopped')

const FAULTS: readonly Fault[] = [
  { do: 'die', when: 'before' },
  { do: 'die', when: 'after' },
  { do: 'fail', code: 'EIO' },
  { do: 'fail', code: 'ENOSPC' },
  { do: 'short', next: 'ENOSPC' },
]
const LOSSES = {
  nothing: nothingSurvives,
  names: namesSurvive,
  some: chance(seededRandom(5).next),
}
const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'
const TEXT = 'some text that needs a chunk of its own '.repeat(10)

/** Steps that were reported as done: two parts, the version. */
let reached = 0

async function add(store: Store, path: string): Promise<void> {
  const run = await store.run('r')
  const artifact = store.draft('sweep', { type: 'dataset' })
  await artifact.newFile(path, (file) => file.write(`${TEXT}${path}`))
  await run.upsertArtifact(artifact)
}

async function wholeDraft(directory: string): Promise<void> {
  reached = 0
  const store = await Store.open({ from: directory })
  try {
    await add(store, 'a')
    reached = 1
    await add(store, 'b')
    reached = 2
    const run = await store.run('r')
    await run.finishArtifact(new Artifact('sweep', { type: 'dataset' }))
    reached = 3
  } finally {
    store.close()
  }
}

/** What is there of the draft: the version and its edge, or the parts. */
async function stepsDone(store: Store): Promise<number> {
  const [draft] = store.drafts()
  const run = await store.run('r')
  if (!(await store.artifactExists('sweep'))) {
    assert.equal(run.edges(), [])
    return draft?.parts.length ?? 0
  }
  assert.is(draft, undefined, 'it is a version, and a draft still')
  assert.is(run.edges().length, 1)
  const version = await store.artifact('sweep')
  assert.is((await version.loggedBy())?.id, 'r')
  return 3
}

async function check(directory: string, { power }: CrashPoint, error: unknown): Promise<void> {
  const store = await Store.open({ from: directory })
  try {
    const done = await stepsDone(store)
    const isUnsure = error instanceof ArtifactsError && error.code === 'ERR_DURABILITY_UNKNOWN'
    const told = reached + (isUnsure && power === undefined ? 1 : 0)
    assert.ok(done >= told, `${told} steps were reported, and ${done} are there`)
    assert.ok(done <= reached + 1, `${reached} steps were reported, and ${done} are there`)
    // Whoever goes on ends with the same content.
    if (done < 3) {
      await add(store, 'a')
      await add(store, 'b')
      const run = await store.run('r')
      await run.finishArtifact(new Artifact('sweep', { type: 'dataset' }))
    }
    const version = await store.artifact('sweep')
    for (const path of ['a', 'b']) {
      let text = ''
      for await (const bytes of version.read(path)) text += bytes
      assert.is(text, `${TEXT}${path}`)
    }
    assert.is(version.fileCount, 2)
  } finally {
    store.close()
  }
}

test('every step is done as a whole or not at all, and what was reported stays', async () => {
  const { points } = await forEachCall({
    prepare: async (directory) => {
      const { store } = await Store.init(directory)
      await store.startRun({ id: 'r', group: 'g', alive: false })
      store.close()
    },
    run: wholeDraft,
    check,
    faults: FAULTS,
    losses: LOSSES,
    untracked: (path) => /[/](index|stat[.]db)/.test(path),
    ...(isFull ? {} : { sample: { points: 40, seed: 11 } }),
  })
  assert.ok(points >= 40)
})

test.run()
