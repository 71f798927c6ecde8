import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WatchedFiles } from '../../../src/store/ingest/scan.ts'
import { nodeReader } from '../../../src/store/opened.ts'
import { fileBytes } from '../../../src/store/read-file.ts'
import { entries } from '../../../src/store/tree/cursor.ts'
import type { ObjectId } from '../../../src/types.ts'
import { editTree, growTree, listTree, PLAIN_NAMES } from '../../library/random-trees.ts'
import { runs } from '../../library/runs.ts'
import { seededRandom } from '../../support/random.ts'
import { openedRoom, type Room } from './opened.ts'

const test = suite('commit/unsettled')

/** What an entry is and holds, by path. */
type Picture = Record<string, string>

function stored({ store }: Room, root: ObjectId): Picture {
  return Object.fromEntries(
    Array.from(entries(nodeReader(store), root), (entry) => {
      if (entry.kind !== 'file') {
        return [entry.path, entry.kind === 'symlink' ? `link ${entry.target}` : entry.kind]
      }
      const content = Buffer.concat([...fileBytes(store, entry)]).toString('latin1')
      return [entry.path, `file ${entry.executable} ${content}`]
    }),
  )
}

function onDisk(dir: string): Picture {
  const picture: Picture = {}
  for (const path of listTree(dir)) {
    const file = join(dir, path)
    const stat = fs.lstatSync(file)
    if (stat.isSymbolicLink()) picture[path] = `link ${fs.readlinkSync(file)}`
    else if (stat.isFile()) {
      picture[path] = `file ${(stat.mode & 0o100) !== 0} ${fs.readFileSync(file, 'latin1')}`
    } else if (fs.readdirSync(file).length === 0) picture[path] = 'directory'
  }
  return picture
}

/** Files are left out, and absent paths are on their way, by chance; every directory that is gone was only removed. */
function chance(dir: string, isChosen: (path: string) => boolean): WatchedFiles {
  return {
    isSettled: (path) => !isChosen(path),
    isGoing: (path) => {
      const parts = path.split('/')
      const last = parts.pop() as string
      let at = dir
      for (const part of parts) {
        const stat = fs.lstatSync(join(at, part), { throwIfNoEntry: false })
        if (stat === undefined) return isChosen(path)
        if (!stat.isDirectory()) return false
        at = join(at, part)
      }
      return !fs.readdirSync(at).includes(last) && isChosen(path)
    },
    check: () => {},
  }
}

test('what is changing stays as it was in the version before, and all else is as it is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      await using room = await openedRoom()
      const random = seededRandom(seed)
      const options = { names: PLAIN_NAMES, files: 25 }
      const dir = join(room.path, 'dir')
      growTree(dir, random, options)
      const { object } = await room.commit(dir)
      const before = stored(room, object.root)
      assert.equal(before, onDisk(dir))
      editTree(dir, random, options, 20)
      const now = onDisk(dir)
      const chosen = new Set(
        [...Object.keys(before), ...Object.keys(now)].filter(() => random.integer(0, 2) === 0),
      )
      const watched = chance(dir, (path) => chosen.has(path))
      const { object: after, scan } = await room.commit(dir, {
        reuse: 'never',
        sources: [{ kind: 'directory', dir, prefix: '', watched }],
      })
      const made = stored(room, after.root)
      for (const path of new Set([
        ...Object.keys(before),
        ...Object.keys(now),
        ...Object.keys(made),
      ])) {
        const isFile = now[path]?.startsWith('file') === true
        assert.is(scan.unsettled.has(path), isFile && chosen.has(path), path)
        if (isFile && chosen.has(path)) assert.is(made[path], before[path], `changing: ${path}`)
        else if (now[path] === undefined && watched.isGoing(path as never)) {
          assert.is(made[path], before[path], `going: ${path}`)
        } else if (now[path] === 'directory') {
          const isKept = Object.keys(made).some((other) => other.startsWith(`${path}/`))
          assert.is(made[path], isKept ? undefined : 'directory', path)
        } else assert.is(made[path], now[path], path)
      }
      // With nothing to wait for, it is a commit like any other.
      const all = chance(dir, () => false)
      const last = await room.commit(dir, {
        sources: [{ kind: 'directory', dir, prefix: '', watched: all }],
      })
      assert.equal(stored(room, last.object.root), now)
      assert.is((await room.commit(dir)).outcome.kind, 'unchanged')
    }),
    runs(12),
  )
})

test('a file that changes while it is read is left out, and read the next time', async () => {
  await using room = await openedRoom()
  const dir = room.write('dir', { a: 'first', b: 'b' })
  await room.commit(dir)
  fs.writeFileSync(join(dir, 'a'), 'second, which is longer')
  fs.writeFileSync(join(dir, 'b'), 'also new')
  const watched: WatchedFiles = {
    isSettled: (path) => {
      // Between the look at the file and its reading.
      if (path === 'a') setImmediate(() => fs.appendFileSync(join(dir, 'a'), ', and growing'))
      return true
    },
    isGoing: () => false,
    check: () => {},
  }
  fs.writeFileSync(join(dir, 'c'), Buffer.alloc(5 << 20, 'c'))
  const source = { kind: 'directory', dir, prefix: '' } as const
  const { object, scan } = await room.commit(dir, { sources: [{ ...source, watched }] })
  const made = stored(room, object.root)
  assert.equal([...scan.unsettled], ['a'])
  assert.equal([made['a'], made['b']], ['file false first', 'file false also new'])
  const { object: next } = await room.commit(dir)
  assert.is(stored(room, next.root)['a'], 'file false second, which is longer, and growing')
})

test('what `check` throws gives the commit up', async () => {
  await using room = await openedRoom()
  const dir = room.write('dir', { a: 'a' })
  const watched: WatchedFiles = {
    isSettled: () => false,
    isGoing: () => false,
    check: (unsettled) => {
      throw new Error(`not without ${[...unsettled]}`)
    },
  }
  try {
    await room.commit(dir, { sources: [{ kind: 'directory', dir, prefix: '', watched }] })
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'not without a')
  }
  assert.equal(fs.readdirSync(room.store.layout.packs), [])
})

test.run()
