import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PreviousTree } from '../../../src/store/commit/previous-tree.ts'
import { nodeReader } from '../../../src/store/opened.ts'
import { entries, leafIds } from '../../../src/store/tree/cursor.ts'
import type { FileEntry, ObjectId } from '../../../src/types.ts'
import { openedRoom, type Room } from './opened.ts'

const test = suite('previous-tree')
const OTHER = 'f'.repeat(64) as ObjectId

async function committed(room: Room): Promise<{ root: ObjectId; files: FileEntry[] }> {
  const tree = Object.fromEntries(
    Array.from({ length: 2000 }, (_, n) => [`d${n % 7}/${n}`, `${n}`.repeat(200)]),
  )
  const { object } = await room.commit(room.write('data', tree))
  const all = Array.from(entries(nodeReader(room.store), object.root))
  return { root: object.root, files: all.filter((entry) => entry.kind === 'file') }
}

test('holds what the version has, asked in the order of paths', async () => {
  await using room = await openedRoom()
  const { root, files } = await committed(room)
  const read = nodeReader(room.store)
  const previous = new PreviousTree(read, root)
  for (const id of leafIds(read, root)) assert.ok(previous.hasLeaf(id))
  assert.not.ok(previous.hasLeaf(OTHER))
  for (const [n, file] of files.entries()) {
    if (n % 3 === 0) continue
    const asked: FileEntry = n % 3 === 1 ? file : { ...file, content: { kind: 'chunk', id: OTHER } }
    assert.is(previous.hasFile(asked), n % 3 === 1, file.path)
  }
  const behind = { ...(files.at(-1) as FileEntry), path: 'z' as FileEntry['path'] }
  assert.not.ok(previous.hasFile(behind))
  assert.not.ok(previous.hasFile(behind), 'behind the last one')
})

test('a path that it lacks hides none behind it', async () => {
  await using room = await openedRoom()
  const { root, files } = await committed(room)
  const previous = new PreviousTree(nodeReader(room.store), root)
  for (const file of files) {
    const before = { ...file, path: file.path.slice(0, -1) as FileEntry['path'] }
    if (!files.some(({ path }) => path === before.path)) assert.not.ok(previous.hasFile(before))
    assert.ok(previous.hasFile(file), file.path)
  }
})

test('without a version, or with a damaged one, nothing is held', async () => {
  await using room = await openedRoom()
  const { root, files } = await committed(room)
  const first = files[0] as FileEntry
  assert.not.ok(new PreviousTree(nodeReader(room.store), undefined).hasFile(first))
  const { packs } = room.store.layout
  for (const name of fs.readdirSync(packs)) fs.writeFileSync(`${packs}/${name}`, '')
  const previous = new PreviousTree(nodeReader(room.store), root)
  assert.not.ok(previous.hasFile(first))
  assert.not.ok(previous.hasLeaf(root))
})

test.run()
