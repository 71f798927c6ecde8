/**
 * A repair, stopped at every call that changes a file, with and without a loss of power: what could be read before can be
 * read afterwards, the damaged files are kept, and another repair ends what the first one began.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Fault } from '../../../src/store/io/faults.ts'
import { type Choices, chance, namesSurvive, nothingSurvives } from '../../../src/store/io/power.ts'
import { tableEntries } from '../../../src/store/object/pack.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import { forEachCall } from '../../support/crash.ts'
import { seededRandom } from '../../support/random.ts'
import { damageableStore, Space } from './damaged-store.ts'

const test = suite('repair-crash')

const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'

const FAULTS: readonly Fault[] = [
  { do: 'die', when: 'before' },
  { do: 'die', when: 'after' },
  { do: 'fail', code: 'EIO' },
  { do: 'fail', code: 'ENOSPC' },
  { do: 'short', next: 'ENOSPC' },
]
const LOSSES: Readonly<Record<string, Choices>> = {
  'nothing survives': { ...nothingSurvives, untracked: () => 'earlier' },
  'names without bytes, no databases': { ...namesSurvive, untracked: () => 'delete' },
  mixture: { ...chance(seededRandom(3).next), untracked: () => 'delete' },
}

test('a repair of packs and notes can be stopped anywhere', async () => {
  const calls = await runMatrix(30, (space) => {
    const [large = '', second = '', third = ''] = space.packs
    const binding = `bindings/${readdirSync(space.layout.bindings)[0]}`
    space.flip(large, 100_000)
    space.flip(second, (tableEntries(readTable(space.file(second)))[0]?.offset ?? 0) + 2)
    space.flip(third, -3)
    space.write(binding, Buffer.from('{'))
    return [large, second, third, binding]
  })
  assert.ok(calls > 40, `${calls} calls`)
})

test('a repair of the log can be stopped anywhere', async () => {
  const names = ['format.json', 'log/000000000002.json', 'log/000000000006.json']
  await runMatrix(15, (space) => {
    for (const name of names) space.flip(name, 40)
    space.flip(space.packs[0] as string, 9)
    return [...names, space.packs[0] as string]
  })
})

/** Returns how many calls the repair makes. `damage` answers which files it damaged. */
async function runMatrix(
  points: number,
  damage: (space: Space) => readonly string[],
): Promise<number> {
  await using space = await damageableStore()
  const at = (path: string): Space => new Space(path, space.contents, () => Promise.resolve())
  // The repair is to survive the loss of power.
  rmSync(space.file('config.json'))
  // A copy has to do without the index.
  space.removeIndex()
  const damaged = new Map(damage(space).map((name) => [name, space.bytes(name)]))
  const before = await space.unreadable()
  assert.ok(before.length > 0)
  const { calls } = await forEachCall({
    prepare: (directory) => {
      cpSync(space.path, directory, { recursive: true, preserveTimestamps: true })
    },
    run: async (directory) => {
      await at(directory).repair()
    },
    async check(directory) {
      const left = at(directory)
      const failed = await left.unreadable()
      assert.equal(
        failed.filter((name) => !before.includes(name)),
        [],
        'can not be read any more',
      )
      for (const [name, bytes] of damaged) {
        const kept = [left.file(name), ...copiesOf(left, name)]
        const isKept = kept.some((file) => existsSync(file) && readFileSync(file).equals(bytes))
        assert.ok(isKept, `${name} as it was damaged is gone`)
      }
      assert.equal((await left.repair()).problems, [])
      assert.equal(await left.unreadable(), [])
    },
    faults: FAULTS,
    losses: LOSSES,
    untracked: (path) => /(^|\/)(index|index-\w+\.db|stat\.db|tmp\/[^/]+)(-\w+)?$/.test(path),
    ...(isFull ? {} : { sample: { points, seed: 5 } }),
  })
  return calls
}

function copiesOf(space: Space, name: string): string[] {
  if (!existsSync(space.layout.quarantine)) return []
  return readdirSync(space.layout.quarantine).map((folder) =>
    join(space.layout.quarantine, folder, name),
  )
}

test.run()
