import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { installFaults } from '../../../src/store/io/faults.ts'
import { createIo } from '../../../src/store/io/io.ts'
import {
  bytesSurvive,
  type Choices,
  chance,
  namesSurvive,
  nothingSurvives,
  type Recording,
  recordUnsynced,
} from '../../../src/store/io/power.ts'
import { readTree, type Tree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('power')
const io = createIo({ durability: 'power' })

/** How to act in a scenario: on paths below its folder. */
interface Actor {
  readonly root: string
  at(name: string): string
  /** Makes or replaces the content of a file, synced or not. */
  write(name: string, content: string | Uint8Array, synced: boolean): void
}

/** Plays a scenario once for each of the choices; returns the folder's states, as JSON, without repetition. */
async function statesAfter(
  start: Tree,
  act: (actor: Actor, recording: Recording) => unknown,
  choices: Iterable<Choices>,
): Promise<Set<string>> {
  await using dir = await temporaryDirectory()
  const root = join(dir.path, 'root')
  const states = new Set<string>()
  for (const choice of choices) {
    fs.rmSync(root, { recursive: true, force: true })
    writeTree(root, start)
    using recording = recordUnsynced(root)
    await act(actorIn(root), recording)
    recording.losePower(choice)
    states.add(JSON.stringify(readTree(root)))
  }
  assert.equal(fs.readdirSync(dir.path), ['root'])
  return states
}

function actorIn(root: string): Actor {
  const at = (name: string): string => join(root, name)
  return {
    root,
    at,
    write(name, content, synced) {
      const fd = io.open(at(name), 'w')
      io.writeAll(fd, Buffer.from(content))
      if (synced) io.fsync(fd)
      io.close(fd)
    },
  }
}

function* seeds(count: number): Generator<Choices> {
  for (let seed = 0; seed < count; seed++) yield chance(seededRandom(seed).next)
}

function states(...trees: Tree[]): Set<string> {
  return new Set(trees.map((tree) => JSON.stringify(tree)))
}

/** Compares sets, whatever their order. */
function same(actual: Set<string>, expected: Set<string>): void {
  assert.equal([...actual].sort(), [...expected].sort())
}

test('fsync of a new file does not make its name durable, but its bytes', async () => {
  const seen = await statesAfter({}, ({ write }) => write('a', 'bytes', true), seeds(20))
  same(seen, states({}, { a: 'bytes' }))
})

test('fsync of a directory makes a new name durable, but not the bytes', async () => {
  const act = ({ root, write }: Actor): void => {
    write('a', 'bytes', false)
    io.fsyncDirectory(root)
  }
  const seen = await statesAfter({}, act, seeds(100))
  assert.ok(!seen.has('{}'))
  for (const state of states({ a: '' }, { a: 'bytes' }, { a: 'byt' }, { a: '\0\0\0\0\0' })) {
    assert.ok(seen.has(state), state)
  }
})

test('after fsync of file and directory nothing is lost', async () => {
  const act = ({ root, write }: Actor): void => {
    write('a', 'bytes', true)
    io.fsyncDirectory(root)
  }
  same(await statesAfter({}, act, seeds(20)), states({ a: 'bytes' }))
})

test('names that were not synced are lost independently of each other', async () => {
  const act = ({ write }: Actor): void => {
    write('a', 'A', true)
    write('b', 'B', true)
  }
  const seen = await statesAfter({}, act, seeds(40))
  same(seen, states({}, { a: 'A' }, { b: 'B' }, { a: 'A', b: 'B' }))
})

test('a rename replaces at once: the old file is there, or the new one', async () => {
  const act = ({ at, write }: Actor): void => {
    write('tmp', 'new', true)
    io.rename(at('tmp'), at('a'))
  }
  const seen = await statesAfter({ a: 'old' }, act, seeds(60))
  same(seen, states({ a: 'old' }, { a: 'old', tmp: 'new' }, { a: 'new' }))
})

test('a rename into another directory is durable with either of them', async () => {
  for (const synced of ['from', 'to']) {
    const act = ({ at, write }: Actor): void => {
      write('from/a', 'A', true)
      io.rename(at('from/a'), at('to/b'))
      io.fsyncDirectory(at(synced))
    }
    const seen = await statesAfter({ from: null, to: null }, act, seeds(20))
    same(seen, states({ from: null, 'to/b': 'A' }))
  }
})

test('a link outlives the loss of the name it was made from', async () => {
  const act = ({ at, write }: Actor): void => {
    write('log/.tmp', '1', true)
    io.link(at('log/.tmp'), at('log/1'))
    io.fsyncDirectory(at('log'))
    io.unlink(at('log/.tmp'))
  }
  const seen = await statesAfter({ log: null }, act, seeds(20))
  same(seen, states({ 'log/1': '1' }, { 'log/.tmp': '1', 'log/1': '1' }))
})

test('what was removed comes back with its bytes until the directory is synced', async () => {
  const start: Tree = { a: 'A', s: { symlink: 'a' }, d: null }
  const remove = ({ at }: Actor): void => {
    io.unlink(at('a'))
    io.unlink(at('s'))
    io.rmdir(at('d'))
  }
  assert.is((await statesAfter(start, remove, seeds(100))).size, 8)
  const removeForGood = (actor: Actor): void => {
    remove(actor)
    io.fsyncDirectory(actor.root)
  }
  same(await statesAfter(start, removeForGood, seeds(10)), states({}))
})

test('a directory whose name is lost takes along what was synced in it', async () => {
  const act = ({ at, write }: Actor): void => {
    io.mkdir(at('d'))
    write('d/a', 'A', true)
    io.fsyncDirectory(at('d'))
  }
  same(await statesAfter({}, act, seeds(20)), states({}, { 'd/a': 'A' }))
})

test('what moved into a directory that is lost is back where it was', async () => {
  const act = ({ at }: Actor): void => {
    io.mkdir(at('d'))
    io.rename(at('a'), at('d/a'))
  }
  same(
    await statesAfter({ a: 'A' }, act, seeds(40)),
    states({ a: 'A' }, { a: 'A', d: null }, { 'd/a': 'A' }),
  )
})

test('a directory is followed through its renames', async () => {
  const act = ({ at, write }: Actor): void => {
    io.mkdir(at('new'))
    io.fsyncDirectory(at(''))
    write('new/a', 'A', true)
    io.rename(at('new'), at('old'))
    write('old/b', 'B', true)
    io.fsyncDirectory(at('old'))
  }
  const seen = await statesAfter({ old: null }, act, seeds(40))
  same(seen, states({ 'new/a': 'A', 'new/b': 'B', old: null }, { 'old/a': 'A', 'old/b': 'B' }))
})

test('names in a directory are found again when its renames and its removal are undone', async () => {
  const rename = ({ at, write }: Actor): void => {
    write('old/a', 'A', true)
    io.rename(at('old'), at('new'))
    write('new/b', 'B', true)
  }
  const seen = await statesAfter({ old: null }, rename, seeds(100))
  const lists = [null, ['a'], ['b'], ['a', 'b']].flatMap((names) =>
    ['old', 'new'].map((directory) =>
      names === null
        ? { [directory]: null }
        : Object.fromEntries(names.map((name) => [`${directory}/${name}`, name.toUpperCase()])),
    ),
  )
  same(seen, states(...lists))

  const remove = ({ at }: Actor): void => {
    io.unlink(at('old/a'))
    io.rename(at('old'), at('new'))
    io.rmdir(at('new'))
  }
  same(await statesAfter({ 'old/a': 'A' }, remove, [nothingSurvives]), states({ 'old/a': 'A' }))
})

test('an emptied directory goes only after what was in it', async () => {
  const act = ({ at }: Actor): void => {
    io.unlink(at('d/a'))
    io.rmdir(at('d'))
  }
  const seen = await statesAfter({ 'd/a': 'A' }, act, seeds(40))
  same(seen, states({ 'd/a': 'A' }, { d: null }, {}))
  const synced = (actor: Actor): void => {
    act(actor)
    io.fsyncDirectory(actor.root)
  }
  same(await statesAfter({ 'd/a': 'A' }, synced, seeds(20)), states({}))
})

test('bytes that were synced and left alone stay, whatever happens around them', async () => {
  const random = seededRandom(7)
  const content = random.bytes(5000)
  const patch = random.bytes(600)
  for (const choice of seeds(60)) {
    await using dir = await temporaryDirectory()
    writeTree(dir.path, { a: content })
    using recording = recordUnsynced(dir.path)
    const fd = io.open(join(dir.path, 'a'), 'r+')
    io.writeAll(fd, patch, 2048)
    io.writeAll(fd, patch, 5000)
    io.close(fd)
    recording.losePower(choice)
    const left = fs.readFileSync(join(dir.path, 'a'))
    assert.ok(left.length >= 5000 && left.length <= 5600)
    assert.ok(left.subarray(0, 2048).equals(content.subarray(0, 2048)))
    assert.ok(left.subarray(2648, 5000).equals(content.subarray(2648)))
    const sector = left.subarray(2048, 2560)
    const survived = sector.findIndex((byte, index) => byte !== patch[index])
    if (survived !== -1) {
      assert.ok(sector.subarray(survived).equals(content.subarray(2048 + survived, 2560)))
    }
  }
})

test('a sync that failed is not made good by the next one', async () => {
  const act = ({ at, root }: Actor): void => {
    const fd = io.open(at('a'), 'wx')
    io.writeAll(fd, Buffer.from('bytes'))
    using faults = installFaults({ at: 1, fault: { do: 'fail', code: 'EIO' } })
    assert.throws(() => io.fsync(fd), /EIO/)
    io.fsync(fd)
    assert.is(faults.calls, 2)
    io.close(fd)
    io.fsyncDirectory(root)
  }
  same(await statesAfter({}, act, [nothingSurvives]), states({ a: '' }))
})

test('a sync covers what was written before it began', async () => {
  const act = async ({ at, root }: Actor): Promise<void> => {
    const fd = io.open(at('a'), 'wx')
    io.writeAll(fd, Buffer.from('early'))
    const synced = io.fdatasyncAsync(fd)
    io.writeAll(fd, Buffer.from(' late'))
    await synced
    io.close(fd)
    io.fsyncDirectory(root)
  }
  same(await statesAfter({}, act, [nothingSurvives]), states({ a: 'early' }))
  same(await statesAfter({}, act, [bytesSurvive]), states({ a: 'early late' }))
})

test('the simple losses: of everything unsynced, of the bytes, of the names', async () => {
  const act = ({ write }: Actor): void => {
    write('new', 'new', false)
    write('old', 'changed', false)
  }
  const after = (choices: Choices): Promise<Set<string>> =>
    statesAfter({ old: 'old' }, act, [choices])
  same(await after(nothingSurvives), states({ old: 'old' }))
  same(await after(namesSurvive), states({ new: '', old: 'old' }))
  same(await after(bytesSurvive), states({ old: 'changed' }))
})

test('what a loss of power left is durable', async () => {
  const act = ({ write, at }: Actor, recording: Recording): void => {
    write('a', 'A', false)
    io.rename(at('b'), at('c'))
    assert.equal(
      recording.unsynced.map((change) => change.kind),
      ['create', 'rename'],
    )
    recording.losePower({ keepName: () => true, content: (file) => file.current })
    assert.equal(recording.unsynced, [])
  }
  same(await statesAfter({ b: 'B' }, act, [nothingSurvives]), states({ a: 'A', c: 'B' }))
})

test('files that others write are kept, deleted or put back as told', async () => {
  await using dir = await temporaryDirectory()
  const root = join(dir.path, 'root')
  const fates = {
    'kept.db': 'keep',
    'gone.db': 'delete',
    'back.db': 'earlier',
    'later.db': 'earlier',
  }
  writeTree(root, { 'kept.db': '1', 'gone.db': '1', 'back.db': '1', 'plain.txt': '1' })
  using recording = recordUnsynced(root, (path) => path.endsWith('.db'))
  writeTree(root, {
    'kept.db': '2',
    'gone.db': '2',
    'back.db': '2',
    'later.db': '2',
    'plain.txt': '2',
  })
  recording.losePower({
    ...nothingSurvives,
    untracked: (path) => fates[path as keyof typeof fates] as 'keep' | 'delete' | 'earlier',
  })
  assert.equal(readTree(root), { 'back.db': '1', 'kept.db': '2', 'plain.txt': '2' })

  recording.copyUntracked()
  fs.rmSync(join(root, 'kept.db'))
  recording.losePower({ ...nothingSurvives, untracked: () => 'earlier' })
  assert.equal(readTree(root), { 'back.db': '1', 'kept.db': '2', 'plain.txt': '2' })
})

test.run()
