/** What was damaged is put right where the bytes are left somewhere, and what is lost is named. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RepairReport } from '../../../src/store/fsck/repair.ts'
import { tableEntries } from '../../../src/store/object/pack.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import {
  affectedIn,
  copyOf,
  damageableStore,
  exchange,
  filesIn,
  isThere,
  keeping,
  type Space,
} from './damaged-store.ts'

const test = suite('repair')

test('a sound store is left as it is', async () => {
  await using space = await damageableStore()
  const report = await space.repair()
  assert.equal([report.problems, report.found, report.repairs], [[], [], []])
  assert.is(report.quarantine, undefined)
  assert.not.ok(isThere(space, 'quarantine'))
  assert.is((await operationsOf(space)).length, 6)
})

test('headers, magic, table and trailer are put right, byte for byte, with no operation', async () => {
  await using space = await damageableStore()
  for (const pack of space.packs) {
    const good = space.bytes(pack)
    const table = readTable(space.file(pack))
    const [entry] = tableEntries(table)
    const { length } = good
    for (const at of [
      2,
      (entry?.offset ?? 0) + 3,
      table.offset + 30,
      length - 24,
      length - 10,
      length - 3,
    ]) {
      space.flip(pack, at)
      const report = await space.repair(0)
      assert.equal(report.problems, [], `${pack} at ${at}`)
      assert.ok(space.bytes(pack).equals(good), `${pack} at ${at}`)
      assert.equal(
        report.repairs.map(({ file }) => file),
        [pack],
      )
      const evidence = readFileSync(join(report.quarantine ?? '', pack))
      assert.not.ok(evidence.equals(good))
    }
  }
  assert.is((await operationsOf(space)).length, 6)
  assert.equal(await space.unreadable(), [])
})

test('packs that exchanged their names get their own again', async () => {
  await using space = await damageableStore()
  const [a = '', b = ''] = space.packs
  const [good, other] = [space.bytes(a), space.bytes(b)]
  exchange(space, a, b)
  space.removeIndex()
  const report = await space.repair(0)
  assert.equal(report.problems, [])
  assert.ok(space.bytes(a).equals(good) && space.bytes(b).equals(other))
  assert.equal(await space.unreadable(), [])
})

test('a pack without its end is read by walking its records', async () => {
  await using space = await damageableStore()
  const [, pack = ''] = space.packs
  const good = space.bytes(pack)
  const table = readTable(space.file(pack))
  // The table is a hash of its records: with all of them, the pack can only have been this one.
  for (const to of [table.offset, table.offset + 1, good.length - 24, good.length - 1]) {
    truncateSync(space.file(pack), to)
    space.removeIndex()
    const report = await space.repair(0)
    assert.equal(report.problems, [], `cut to ${to}`)
    assert.ok(space.bytes(pack).equals(good), `cut to ${to}`)
  }
})

test('a damaged payload is brought back from a bound directory', async () => {
  await using space = await damageableStore()
  const pack = space.packs.at(-1) as string
  for (const { offset } of tableEntries(readTable(space.file(pack)))) {
    await using copy = await copyOf(space)
    copy.flip(pack, offset + 12)
    const report = await copy.repair()
    assertHealed(report)
    assert.equal(await copy.unreadable(), [])
    // The pack may have been put right by a copy of the object, or by compressing it anew.
    if (isThere(copy, pack)) continue
    assert.ok(existsSync(join(report.quarantine ?? '', pack)))
    const [drop] = await operationsOf(copy)
    assert.equal(drop?.kinds, ['packs.drop'])
  }
})

test('packs that are zeroed or missing are brought back from bound directories', async () => {
  await using space = await damageableStore()
  for (const zeroed of [true, false]) {
    await using copy = await copyOf(space)
    const [pack = ''] = copy.packs
    if (zeroed) copy.write(pack, Buffer.alloc(copy.bytes(pack).length))
    else rmSync(copy.file(pack))
    const report = await copy.repair()
    assertHealed(report)
    assert.equal(await copy.unreadable(), [])
    assert.is(isThere(copy, pack), false)
    // Again, there is nothing to do.
    const again = await copy.repair()
    assert.equal([again.found, again.repairs], [[], []])
  }
})

test('a chunk of a large file is cut out of it anew', async () => {
  await using space = await damageableStore()
  const [pack = ''] = space.packs
  space.flip(pack, 100_000)
  const before = await space.examine()
  assert.equal(affectedIn(before), ['car:v0:large.bin'])
  assertHealed(await space.repair())
  assert.equal(await space.unreadable(), [])
})

test('a damaged copy is made good by the other one', async () => {
  await using space = await damageableStore()
  const [large = '', ...rest] = space.packs
  // Both packs have it, since the first one could not be read while the file was committed again.
  const owner = rest.find((pack) => holds(space, pack, 300)) as string
  using _ = keeping(space, owner)
  truncateSync(space.file(owner), 10)
  space.removeIndex()
  const store = await space.open()
  await store.commit([join(space.path, 'car'), join(space.path, 'bike/b.bin')], {
    name: 'both',
    jobs: 0,
  })
  store.close()
  _[Symbol.dispose]()
  rmSync(join(space.path, 'bike'), { recursive: true })
  const good = space.bytes(owner)
  const entry = entriesOf(space, owner).find(({ raw }) => raw === 300)
  space.flip(owner, (entry?.offset ?? 0) + 50)
  const report = await space.repair()
  assertHealed(report)
  assert.ok(space.bytes(owner).equals(good))
  assert.ok(isThere(space, large))
})

test('what is nowhere is named as lost, the rest is kept, and committing it again heals', async () => {
  await using space = await damageableStore()
  const moved = readFileSync(join(space.path, 'car/large.bin'))
  rmSync(join(space.path, 'car/large.bin'))
  const [pack = ''] = space.packs
  space.flip(pack, 100_000)
  const report = await space.repair()
  assert.equal(affectedIn(report), ['car:v0:large.bin'])
  assert.ok(existsSync(join(report.quarantine ?? '', pack)))
  assert.is(isThere(space, pack), false)
  assert.equal(await space.unreadable(), ['car:v0:large.bin'])

  // No pack is damaged any more; the object is still lost.
  const again = await space.repair()
  assert.equal([affectedIn(again), again.repairs], [['car:v0:large.bin'], []])

  const before = (await operationsOf(space)).length
  writeFileSync(join(space.path, 'car/large.bin'), moved)
  const healed = await space.repair()
  assertHealed(healed)
  assert.equal(await space.unreadable(), [])
  const [drop, ...others] = await operationsOf(space)
  assert.equal([drop?.kinds, others.length], [['packs.drop'], before])
})

test('a lost object is not taken for stored by the next commit', async () => {
  await using space = await damageableStore()
  const content = readFileSync(join(space.path, 'car/large.bin'))
  rmSync(join(space.path, 'car'), { recursive: true })
  space.flip(space.packs[0] as string, 100_000)
  await space.repair()
  assert.equal(await space.unreadable(), ['car:v0:large.bin'])
  const store = await space.open()
  writeFileSync(join(space.path, 'large.bin'), content)
  await store.commit([join(space.path, 'large.bin')], { name: 'again', jobs: 0 })
  store.close()
  assert.equal((await space.examine()).problems, [])
  assert.equal(await space.unreadable(), [])
})

test('a deleted version that can not be restored any more is purged with what it lost', async () => {
  await using space = await damageableStore()
  for (const name of ['bike', 'car']) rmSync(join(space.path, name), { recursive: true })
  // Only the first version, which is deleted, has the file that was removed.
  const owner = space.packs.find((pack) => holds(space, pack, 200)) as string
  const entry = entriesOf(space, owner).find(({ raw }) => raw === 200)
  space.flip(owner, (entry?.offset ?? 0) + 50)
  assert.equal(affectedIn(await space.examine()), ['bike:v0 (deleted):old'])
  const report = await space.repair()
  assert.equal(report.problems, [])
  assert.equal((await operationsOf(space))[0]?.kinds, ['packs.drop', 'version.purge'])
  assert.equal(await space.unreadable(), [])
})

test('all metadata can be lost where directories are as they were committed', async () => {
  await using space = await damageableStore()
  for (const pack of space.packs) {
    // Everything but chunks.
    for (const { offset, type, stored } of entriesOf(space, pack)) {
      if (type >> 4 !== 0) space.flip(pack, offset + 10 + (stored >> 1))
    }
  }
  const before = await space.unreadable()
  assert.ok(before.length > 8)
  const report = await space.repair()
  // The directories hold bike:v2 and car:v0; v1 was another, and v0 is deleted.
  assert.equal(filesIn(report), [])
  const left = await space.unreadable()
  assert.ok(left.length > 0 && left.every((name) => name.startsWith('bike:v1:')), left.join())
})

test('the log and format.json are put right, byte for byte', async () => {
  await using space = await damageableStore()
  for (const name of [
    'format.json',
    'log/000000000001.json',
    'log/000000000004.json',
    'log/000000000006.json',
  ]) {
    const good = space.bytes(name)
    for (const at of [5, good.length - 66, good.length - 30]) {
      space.flip(name, at)
      const report = await space.repair(0)
      assert.equal(report.problems, [], `${name} at ${at}`)
      assert.ok(space.bytes(name).equals(good), `${name} at ${at}`)
      assert.ok(existsSync(join(report.quarantine ?? '', name)))
    }
  }
  // All of it gone, and told again by operation 1 and the index.
  const format = space.bytes('format.json')
  await space.unreadable()
  rmSync(space.file('format.json'))
  assert.equal((await space.repair(0)).problems, [])
  assert.ok(space.bytes('format.json').equals(format))
})

test('an operation that is lost is named, and nothing is made up', async () => {
  await using space = await damageableStore()
  const name = 'log/000000000003.json'
  space.write(name, Buffer.alloc(space.bytes(name).length))
  const report = await space.repair()
  assert.equal(filesIn(report), [name])
  assert.equal(report.repairs, [])
  // The index still knows what it did.
  assert.equal(await space.unreadable(), [])
})

test('settings, bindings and the index are put aside and made anew', async () => {
  await using space = await damageableStore()
  const [binding = ''] = readdirSync(space.layout.bindings)
  space.write('config.json', Buffer.from('{'))
  space.write(`bindings/${binding}`, Buffer.from('nothing'))
  const report = await space.repair(0)
  assert.equal(report.problems, [])
  assert.is(readFileSync(join(report.quarantine ?? '', 'config.json'), 'utf8'), '{')
  assert.is(isThere(space, `bindings/${binding}`), false)
  assert.equal(await space.unreadable(), [])
})

function assertHealed(report: RepairReport): void {
  assert.ok(report.found.length > 0)
  assert.equal(report.problems, [])
}

function entriesOf(space: Space, pack: string): ReturnType<typeof tableEntries> {
  return tableEntries(readTable(space.file(pack)))
}

/** Whether a pack has a chunk of this many bytes. */
function holds(space: Space, pack: string, bytes: number): boolean {
  return entriesOf(space, pack).some(({ raw, type }) => raw === bytes && type >> 4 === 0)
}

/** The kinds of the changes of each operation, the newest first. */
async function operationsOf(space: Space): Promise<{ readonly kinds: readonly string[] }[]> {
  using store = await space.open()
  return Array.from(store.operations(), ({ operation }) => ({
    kinds: store.operation(operation).changes.map(({ kind }) => kind),
  }))
}

test.run()
