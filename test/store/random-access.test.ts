import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../src/index.ts'
import { openStore } from '../../src/store/open.ts'
import {
  type ChunkMap,
  fileOnDisk,
  type RandomAccess,
  storedFile,
} from '../../src/store/random-access.ts'
import { seededRandom } from '../support/random.ts'
import { throwsCode } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'

const test = suite('bytes at any place')

const SIZES = [0, 1, 64, 65, 1000, 262_144, 262_145, 3_500_000]

function list({ ids, starts }: ChunkMap): string[] {
  return Array.from(starts, (start, i) => `${start} ${ids.toString('hex', i * 32, i * 32 + 32)}`)
}

test('stored files and files on disk give the same bytes and the same chunks', async () => {
  await using directory = await temporaryDirectory()
  const { path } = directory
  const random = seededRandom(7)
  const { store } = await Store.init(path)
  for (const size of SIZES) writeFileSync(join(path, `${size}.bin`), random.bytes(size))
  const files = SIZES.map((size) => join(path, `${size}.bin`))
  await store.commit(files, { name: 'files', jobs: 0 })
  const entries = Array.from(store.entries('files'))
  store.close()
  const opened = await openStore({ root: store.root, tool: 'test/1' })
  for (const entry of entries) {
    if (entry.kind !== 'file') throw new Error(entry.kind)
    using stored = storedFile(opened, entry)
    using onDisk = fileOnDisk(join(path, entry.path))
    assert.is(stored.size, entry.size)
    assert.equal(list(stored.chunks()), list(onDisk.chunks()), entry.path)
    const whole = bytesOf(onDisk, 0)
    assert.is(whole.length, entry.size)
    assert.ok(whole.equals(bytesOf(stored, 0)))
    for (let round = 0; round < 20; round++) {
      const at = random.integer(0, entry.size + 1)
      const length = random.integer(0, 300_000)
      const expected = whole.subarray(at, at + length)
      assert.ok(expected.equals(stored.read(at, length)), `${entry.path} ${at} ${length}`)
      assert.ok(expected.equals(onDisk.read(at, length)))
      assert.ok(whole.subarray(at).equals(bytesOf(stored, at)))
      assert.ok(whole.subarray(at).equals(bytesOf(onDisk, at)))
    }
  }
  opened.close()
})

function bytesOf(file: RandomAccess, at: number): Buffer {
  return Buffer.concat(Array.from(file.pieces(at), (piece) => Buffer.from(piece)))
}

test('a file that becomes shorter is named', async () => {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'short')
  writeFileSync(path, 'a'.repeat(1000))
  using file = fileOnDisk(path)
  truncateSync(path, 10)
  throwsCode(() => file.read(0, 1000), 'ERR_FILE_CHANGED')
})

test.run()
