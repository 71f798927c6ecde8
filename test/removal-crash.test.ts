/** Deleting, restoring and undoing, stopped at every call they make, also together with the power. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, Store } from '../src/index.ts'
import type { Fault } from '../src/store/io/faults.ts'
import { chance, namesSurvive, nothingSurvives } from '../src/store/io/power.ts'
import { type CrashPoint, forEachCall } from './support/crash.ts'
import { seededRandom } from './support/random.ts'

const test = suite('deleting and undoing, stopped')

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

interface Case {
  /** What the store has been through before. */
  readonly before: (store: Store) => Promise<unknown>
  readonly run: (store: Store) => Promise<unknown>
}

const CASES: Readonly<Record<string, Case>> = {
  rm: {
    before: () => Promise.resolve(),
    run: (store) => store.remove(['bike:v1', 'bike:v2'], { aliases: true }),
  },
  restore: {
    before: (store) => store.remove(['bike'], { allVersions: true, aliases: true }),
    run: (store) => store.restore(['bike:v0', 'bike:v2']),
  },
  'undo of rm': {
    before: (store) => store.remove(['bike:v1', 'bike:v2'], { aliases: true }),
    run: (store) => store.undo(),
  },
  'undo of commit': {
    before: () => Promise.resolve(),
    run: (store) => store.undo(3),
  },
}

for (const [name, { before, run }] of Object.entries(CASES)) {
  test(`${name} is done as a whole or not at all`, async () => {
    const pictures: { before?: string; after?: string } = {}
    const { points } = await forEachCall({
      prepare: async (directory) => {
        const { store } = await Store.init(directory)
        await commitThree(store, directory)
        await before(store)
        pictures.before = picture(store)
        store.close()
      },
      run: async (directory) => {
        const store = await Store.open({ from: directory })
        try {
          await run(store)
          pictures.after ??= picture(store)
        } finally {
          store.close()
        }
      },
      check: (directory, point, error) => checkStore(directory, point, error, pictures),
      faults: FAULTS,
      losses: LOSSES,
      untracked: (path) => /[/](index|stat[.]db)/.test(path),
      ...(isFull ? {} : { sample: { points: 12, seed: 5 } }),
    })
    assert.is(isFull ? Math.min(points, 40) : points, isFull ? 40 : 12)
    assert.is.not(pictures.before, pictures.after)
  })
}

async function commitThree(store: Store, directory: string): Promise<void> {
  const data = join(directory, 'data')
  mkdirSync(data)
  for (const file of ['a', 'b', 'c']) {
    writeFileSync(join(data, file), `${file.repeat(100)}\n`)
    const aliases = file === 'b' ? ['best'] : []
    await store.commit([data], { name: 'bike', jobs: 0, aliases })
  }
}

/** One of both states, the later one where it was reported; and every version that is live can be read. */
async function checkStore(
  directory: string,
  { power }: CrashPoint,
  error: unknown,
  pictures: { readonly before?: string; readonly after?: string },
): Promise<void> {
  const store = await Store.open({ from: directory })
  try {
    const found = picture(store)
    const isDone = found === pictures.after
    assert.ok(isDone || found === pictures.before, `something in between: ${found}`)
    if (error === undefined) assert.ok(isDone, 'reported, and not done')
    const isUnsure = error instanceof ArtifactsError && error.code === 'ERR_DURABILITY_UNKNOWN'
    if (isUnsure && power === undefined) assert.ok(isDone, 'called done')
    for (const { ref } of store.history()) {
      for (const { path } of store.entries(ref)) assert.is([...store.read(ref, path)].length, 1)
    }
    await store.editArtifact('bike', { description: 'goes on' })
  } finally {
    store.close()
  }
}

function picture(store: Store): string {
  return JSON.stringify([store.artifacts(), store.history()])
}

test.run()
