/** A run from its start to its end, stopped at every call it makes, also together with the power. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, type RunSummary, Store } from '../src/index.ts'
import type { Fault } from '../src/store/io/faults.ts'
import { chance, namesSurvive, nothingSurvives } from '../src/store/io/power.ts'
import { type CrashPoint, forEachCall } from './support/crash.ts'
import { seededRandom } from './support/random.ts'

const test = suite('runs, stopped')

const FAULTS: readonly Fault[] = [
  { do: 'die', when: 'before' },
  { do: 'die', when: 'after' },
  { do: 'fail', code: 'EIO' },
  { do: 'fail', code: 'ENOSPC' },
  { do: 'fail', code: 'EROFS', lasting: true },
  { do: 'short', next: 'ENOSPC' },
]
const LOSSES = {
  nothing: nothingSurvives,
  names: namesSurvive,
  some: chance(seededRandom(3).next),
}
const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'

/** How far the run had come when it was stopped. */
let reached = 0

async function wholeRun(directory: string): Promise<void> {
  reached = 0
  const store = await Store.open({ from: directory })
  try {
    const run = await store.startRun({ name: 'whole' })
    reached = 1
    await run.useArtifact('base')
    reached = 2
    const data = [join(directory, 'data')]
    await store.commit(data, { name: 'made', run: run.id, jobs: 0 })
    reached = 3
    await store.link('made', 'portfolio', { aliases: ['prod'] })
    reached = 4
    await run.finish()
    reached = 5
  } finally {
    store.close()
  }
}

/** What is there of the run: each step with all that belongs to it, and after the one before. */
async function stepsDone(store: Store): Promise<number> {
  const runs: RunSummary[] = []
  for await (const run of store.runs()) runs.push(run.toJSON())
  const [run] = runs
  const names = store.artifacts().map(({ name }) => name)
  if (run === undefined) {
    assert.equal(names, ['base'])
    return 0
  }
  assert.is(runs.length, 1)
  const edges = (await store.run(run.id)).edges()
  const kinds = edges.map(({ direction, ref }) => `${direction} ${ref}`)
  assert.equal(kinds, ['input base:v0', 'output made:v0'].slice(0, kinds.length))
  assert.is(
    names.includes('made'),
    kinds.length === 2,
    'a version without its edge, or the edge alone',
  )
  if (kinds.length < 2) return 1 + kinds.length
  assert.is(store.version('made').run, run.id)
  if (!names.includes('portfolio')) return 3
  assert.is(store.version('portfolio:prod').source, 'made:v0')
  return run.state === 'finished' ? 5 : 4
}

async function check(directory: string, { power }: CrashPoint, error: unknown): Promise<void> {
  const store = await Store.open({ from: directory })
  try {
    const done = await stepsDone(store)
    const isUnsure = error instanceof ArtifactsError && error.code === 'ERR_DURABILITY_UNKNOWN'
    const told = reached + (isUnsure && power === undefined ? 1 : 0)
    assert.ok(done >= told, `${told} steps were reported, and ${done} are there`)
    assert.ok(done <= reached + 1, `${reached} steps were reported, and ${done} are there`)
    for (const { ref } of store.history()) {
      for (const { path } of store.entries(ref)) assert.is([...store.read(ref, path)].length, 1)
    }
    await using run = await store.startRun({ name: 'next' })
    await run.useArtifact('base')
  } finally {
    store.close()
  }
}

test('every step is done as a whole or not at all, and what was reported stays', async () => {
  const { points } = await forEachCall({
    prepare: async (directory) => {
      const { store } = await Store.init(directory)
      const data = join(directory, 'data')
      mkdirSync(data)
      writeFileSync(join(data, 'f'), 'f'.repeat(100))
      await store.commit([data], { name: 'base', jobs: 0 })
      writeFileSync(join(data, 'f'), 'g'.repeat(100))
      store.close()
    },
    run: wholeRun,
    check,
    faults: FAULTS,
    losses: LOSSES,
    untracked: (path) => /[/](index|stat[.]db)/.test(path),
    ...(isFull ? {} : { sample: { points: 40, seed: 7 } }),
  })
  assert.ok(points >= 40)
})

test.run()
