/** Damages every region of every file that counts: each damage is named, and nothing wrong is ever handed out. */
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tableEntries } from '../../../src/store/object/pack.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import { seededRandom } from '../../support/random.ts'
import { act } from '../gc/actor.ts'
import {
  affectedIn,
  damageableStore,
  exchange,
  filesIn,
  keeping,
  type Space,
} from './damaged-store.ts'

const test = suite('examine')

/** Every place instead of some in each region. */
const FULL = process.env['ARTIFACTS_TEST_FULL'] === '1'

test('a sound store has no problem, and everything was looked at', async () => {
  await using space = await damageableStore()
  const { problems, steps } = await space.examine()
  assert.equal(problems, [])
  const counts = Object.fromEntries(steps.map(({ name, counts }) => [name, counts]))
  assert.is(counts['log']?.['operations'], 6)
  assert.is(counts['packs']?.['packs'], space.packs.length)
  assert.is(counts['packs']?.['packsRead'], space.packs.length)
  // The deleted version could be restored.
  assert.is(counts['versions']?.['versions'], 4)
  assert.ok((counts['index']?.['rows'] ?? 0) > 30)
  assert.equal(await space.unreadable(), [])
})

test('a bit flipped in a record is named by its pack and by the files that need it', async () => {
  await using space = await damageableStore()
  for (const pack of space.packs) {
    const entries = tableEntries(readTable(space.file(pack)))
    for (const [index, { offset, stored }] of entries.entries()) {
      // Each field of the header, and the payload's ends.
      const places = [0, 1, 3, 8, 10, 10 + (stored >> 1), 9 + stored]
      const some = FULL ? places : [places[index % 4] as number, 10 + ((index * 7) % stored)]
      for (const at of some) await assertNamed(space, pack, offset + at)
    }
  }
})

test('a bit flipped in magic, table or trailer is named by its pack', async () => {
  await using space = await damageableStore()
  for (const pack of space.packs) {
    const { offset } = readTable(space.file(pack))
    const { length } = space.bytes(pack)
    const places = [0, 7, offset, offset + 5, offset + 20, offset + 45, offset + 52]
    for (let at = length - 24; at < length; at += FULL ? 1 : 5) places.push(at)
    for (const at of places) {
      using _ = keeping(space, pack)
      space.flip(pack, at)
      const { problems } = await space.examine(0)
      assert.equal(filesIn({ problems }), [pack], `${pack} at ${at}`)
      await space.unreadable()
    }
  }
})

test('a pack that is cut, zeroed, longer, or gone is named, with what it held', async () => {
  await using space = await damageableStore()
  for (const pack of space.packs) {
    const { length } = space.bytes(pack)
    const step = FULL ? 512 : length > 50_000 ? 512 * 197 : 512 * 3
    for (let to = 0; to < length; to += step) {
      await assertAffected(space, pack, () => truncateSync(space.file(pack), to))
    }
    await assertAffected(space, pack, () => space.write(pack, Buffer.alloc(length)))
    await assertAffected(space, pack, () => {
      space.write(pack, Buffer.concat([space.bytes(pack), Buffer.alloc(100, 'x')]))
    })
    await assertAffected(space, pack, () => rmSync(space.file(pack)))
  }
})

test('what a pack held is put to its account, with an index and without', async () => {
  await using space = await damageableStore()
  const [pack = ''] = space.packs
  truncateSync(space.file(pack), 1000)
  const known = await space.examine(0)
  assert.equal(filesIn(known), [pack])
  assert.is(known.problems.length, 1)
  assert.equal(affectedIn(known), ['car:v0'])
  assert.is(known.problems[0]?.affected.count, 3)
  space.removeIndex()
  assert.equal((await space.examine(0)).problems, known.problems)
})

test('a pack that gc drops meanwhile is not missed', async () => {
  await using space = await damageableStore()
  {
    using store = await space.open()
    writeFileSync(join(space.path, 'gone.bin'), seededRandom(1).bytes(5000))
    await store.commit([join(space.path, 'gone.bin')], { name: 'a-gone', jobs: 0 })
    await store.remove(['a-gone'])
  }
  const before = space.packs
  let collected = false
  const { problems } = await space.examine(0, {
    onProgress: ({ files }) => {
      if (files === 0 || collected) return
      // All packs have been looked at by now.
      collected = true
      act(space.path, { do: 'gc' })
    },
  })
  assert.ok(collected)
  assert.ok(before.some((pack) => !space.packs.includes(pack)))
  assert.equal(problems, [])
})

test('packs that exchanged their names are both named', async () => {
  await using space = await damageableStore()
  const [a = '', b = ''] = space.packs
  exchange(space, a, b)
  const report = await space.examine(0)
  assert.equal(filesIn(report).sort(), [a, b].sort())
  const failed = await space.unreadable()
  assert.equal(
    failed.filter((name) => !affectedIn(report).some((each) => isPart(name, each))),
    [],
  )
})

test('zeros in the middle of a pack are found by reading it', async () => {
  await using space = await damageableStore()
  const [pack = ''] = space.packs
  using _ = keeping(space, pack)
  const bytes = space.bytes(pack)
  bytes.fill(0, 4096, 8192)
  space.write(pack, bytes)
  assert.equal((await space.examine(0)).problems, [])
  const report = await space.examine(1)
  assert.equal(filesIn(report), [pack])
  assert.equal(affectedIn(report), ['car:v0:large.bin'])
  assert.equal(await space.unreadable(), ['car:v0:large.bin'])
})

test('a bit flipped in any line of the log is named, and what the index knows can be read', async () => {
  await using space = await damageableStore()
  await space.unreadable()
  for (let n = 1; n <= 6; n++) {
    const name = `log/${String(n).padStart(12, '0')}.json`
    const { length } = space.bytes(name)
    const places = [
      0,
      1,
      length >> 1,
      length - 67,
      length - 66,
      length - 65,
      length - 20,
      length - 1,
    ]
    for (const at of places) {
      using _ = keeping(space, name)
      space.flip(name, at)
      const report = await space.examine(0)
      assert.equal(filesIn(report), [name], `${name} at ${at}`)
      // The packs that it named are there, and so is all that versions need of them.
      assert.is(report.problems.length, 1)
      assert.equal(affectedIn(report), [])
      assert.equal(await space.unreadable(), [], `${name} at ${at}`)
    }
  }
})

test('without an index, a damaged log is refused and nothing is handed out', async () => {
  await using space = await damageableStore()
  const name = 'log/000000000003.json'
  space.flip(name, 30)
  space.removeIndex()
  const report = await space.examine(0)
  assert.equal(filesIn(report), [name])
  // What was added behind it is examined all the same.
  const [, , , , versions] = report.steps
  assert.is(versions?.counts['versions'], 3)
  assert.is((await space.unreadable()).length, space.contents.size)
})

test('an operation that is missing is named, also the newest one', async () => {
  await using space = await damageableStore()
  for (const n of [1, 3, 6]) {
    const name = `log/00000000000${n}.json`
    const bytes = space.bytes(name)
    rmSync(space.file(name))
    assert.equal(filesIn(await space.examine(0)), [name])
    space.write(name, bytes)
  }
  assert.equal((await space.examine(0)).problems, [])
})

test('a bit flipped in any byte of format.json is named, and the store can be read', async () => {
  await using space = await damageableStore()
  for (let at = 0; at < space.bytes('format.json').length; at += FULL ? 1 : 11) {
    using _ = keeping(space, 'format.json')
    space.flip('format.json', at)
    const report = await space.examine(0)
    assert.equal(filesIn(report), ['format.json'], `at ${at}`)
    assert.equal(await space.unreadable(), [])
  }
})

test('damaged settings, bindings and caches are named', async () => {
  await using space = await damageableStore()
  const [binding = ''] = readdirSync(space.layout.bindings)
  for (const name of ['config.json', `bindings/${binding}`]) {
    using _ = keeping(space, name)
    space.write(name, Buffer.from('{'))
    assert.equal(filesIn(await space.examine(0)), [name])
  }
  using _ = keeping(space, 'stat.db')
  const bytes = space.bytes('stat.db')
  bytes.fill(0xff, 4096)
  space.write('stat.db', bytes)
  assert.equal(filesIn(await space.examine(0)), ['stat.db'])
})

/** Whether a file is what was named, or in the version that was. */
function isPart(name: string, affected: string): boolean {
  return name === affected || name.startsWith(`${affected}:`)
}

async function assertNamed(space: Space, pack: string, at: number): Promise<void> {
  using _ = keeping(space, pack)
  space.flip(pack, at)
  const report = await space.examine(1)
  assert.equal(filesIn(report), [pack], `${pack} at ${at}`)
  const failed = await space.unreadable()
  const affected = affectedIn(report).filter((name) => !name.includes('(deleted)'))
  // A node is named by a range of paths; what that means, reading shows.
  const isTree = affected.some((name) => /:v\d+(:\(.*)?$/.test(name))
  if (isTree) assert.ok(failed.length > 0)
  else assert.equal(failed.sort(), affected, `${pack} at ${at}`)
}

async function assertAffected(space: Space, pack: string, damage: () => void): Promise<void> {
  using _ = keeping(space, pack)
  damage()
  const report = await space.examine(0)
  assert.equal(filesIn(report), [pack])
  assert.ok(affectedIn(report).length > 0)
  await space.unreadable()
}

test.run()
