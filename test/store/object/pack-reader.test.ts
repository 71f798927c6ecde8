import { closeSync, copyFileSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../../src/errors.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { loadHashes, xxh64 } from '../../../src/store/object/checksum.ts'
import { Codec } from '../../../src/store/object/compression.ts'
import {
  CHUNK,
  chunkHash,
  NODE,
  objectHash,
  objectId,
  RECIPE,
  readId,
} from '../../../src/store/object/id.ts'
import { kindOf, tableEntries } from '../../../src/store/object/pack.ts'
import {
  readObject,
  readTable,
  type StoredObject,
  salvage,
} from '../../../src/store/object/pack-reader.ts'
import { PackWriter, publish } from '../../../src/store/object/pack-writer.ts'
import { seededRandom } from '../../support/random.ts'
import { throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('pack-reader')

/** Five objects, one of them compressed: see the test of the writer. */
const GOLDEN = 'd1dec37ce9567d0c4d7ebf69ba0f1357ebe8ab5e7e48273b0f4238583c05c9a0.pack'
const goldenPath = join('test/golden/object', GOLDEN)
const golden = readFileSync(goldenPath)

test('the golden pack gives its objects', () => {
  const texts = readAll(goldenPath)
    .map((bytes) => bytes.toString())
    .sort()
  assert.equal(texts, [
    'seventy bytes of a file that is too long to stand inline in the tree..',
    'the bytes of an object of kind 1',
    'the bytes of an object of kind 2',
    'the bytes of an object of kind 3',
    'to be or not to be, that is the question; to be or not to be, that is the question',
  ])
})

test('a changed bit never leads to a wrong byte, and is noticed by the table or one object', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, GOLDEN)
  const objects = entriesOf(goldenPath)
  const right = readAll(goldenPath)
  const compressed = objects.find(({ type }) => (type & 0x0f) === Codec.brotli) as StoredObject
  let harmless = 0
  for (let bit = 0; bit < golden.length * 8; bit++) {
    const bytes = Buffer.from(golden)
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
    writeFileSync(path, bytes)
    const isTableFine = !failsAsDamaged(() => readTable(path))
    if (bit >> 3 >= 287) {
      // From the table on: the objects are as they were.
      assert.not(isTableFine, `bit ${bit}`)
      continue
    }
    const fd = openSync(path, 'r')
    const wrong = objects.filter((object, i) =>
      failsAsDamaged(() => {
        const read = readObject(fd, kindOf(object.type), object)
        assert.equal(Buffer.from(read), right[i], `bit ${bit}`)
      }),
    )
    closeSync(fd)
    const payload = (bit >> 3) - compressed.offset - 10
    const isHarmless = wrong.length === 0 && payload >= 0 && payload < compressed.stored
    if (isHarmless) harmless++
    else assert.is(wrong.length, isTableFine ? 1 : 0, `bit ${bit}`)
  }
  // Such as the size of brotli's window: the same bytes come out.
  assert.ok(harmless < 10, `${harmless} bits do not matter`)
})

test('a pack that is cut off anywhere has no table, and its whole records can be salvaged', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, GOLDEN)
  const objects = entriesOf(goldenPath).sort((a, b) => a.offset - b.offset)
  for (let length = 0; length < golden.length; length++) {
    writeFileSync(path, golden.subarray(0, length))
    throwsCode(() => readTable(path), 'ERR_DAMAGED')
    const whole = objects.filter(({ offset, stored }) => offset + 10 + stored <= length)
    assert.equal([...salvage(path)], whole, `${length} bytes`)
  }
})

test('a pack under the name of another is refused', async () => {
  await using dir = await temporaryDirectory()
  for (const name of [`${'0'.repeat(64)}.pack`, GOLDEN.slice(0, -5), `x${GOLDEN}`]) {
    copyFileSync(goldenPath, join(dir.path, name))
    const error = throwsCode(() => readTable(join(dir.path, name)), 'ERR_DAMAGED')
    assert.match(error.message, name)
  }
})

test('bytes behind the end of a pack, or a pack over 64 MiB, are refused', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, GOLDEN)
  writeFileSync(path, Buffer.concat([golden, Buffer.alloc(1)]))
  throwsCode(() => readTable(path), 'ERR_DAMAGED')
  writeFileSync(path, Buffer.concat([golden, Buffer.alloc(64 << 20)]))
  assert.match(throwsCode(() => readTable(path), 'ERR_DAMAGED').message, /longer/)
})

test('a table that contradicts itself is refused although all its hashes are right', async () => {
  await using dir = await temporaryDirectory()
  const table = Buffer.from(readTable(goldenPath).bytes)
  // The first record now claims to lie where the second one does.
  table.copy(table, 8 + 32, 8 + 53 + 32, 8 + 53 + 36)
  const path = join(dir.path, `${chunkHash(table).toString('hex')}.pack`)
  const bytes = Buffer.from(golden)
  table.copy(bytes, 287)
  bytes.writeBigUInt64LE(xxh64(table), bytes.length - 16)
  writeFileSync(path, bytes)
  assert.match(throwsCode(() => readTable(path), 'ERR_DAMAGED').message, /overlap/)
})

test('an object that is not where it is said to be is refused', () => {
  const [object] = entriesOf(goldenPath) as [StoredObject]
  const other = objectId(CHUNK, Buffer.from('other'))
  const cases: [string, Partial<StoredObject>][] = [
    ['behind the end', { offset: golden.length }],
    ['across the end', { offset: golden.length - 15 }],
    ['in the magic', { offset: 0 }],
    ['in the middle of a record', { offset: object.offset + 1 }],
    ['with another length', { stored: object.stored - 1, raw: object.raw - 1 }],
    ['with another length decompressed', { raw: object.raw + 1 }],
    ['with another codec', { type: object.type ^ 1 }],
    ['with another kind', { type: object.type ^ 0x10 }],
    ['under another id', { id: other }],
  ]
  const fd = openSync(goldenPath, 'r')
  for (const [what, change] of cases) {
    const asked = { ...object, ...change }
    const error = throwsCode(() => readObject(fd, kindOf(asked.type), asked), 'ERR_DAMAGED')
    assert.match(error.message, asked.id, what)
  }
  closeSync(fd)
})

test('an object of another kind than was asked for is refused, unless its id is the same', async () => {
  await using dir = await temporaryDirectory()
  const node = Buffer.from('abc')
  const chunk = Buffer.from('artifacts.node\0abc')
  for (const [kind, stored] of [
    [NODE, node],
    [CHUNK, chunk],
  ] as const) {
    const path = await writePack(dir.path, [[kind, stored]])
    const [object] = entriesOf(path) as [StoredObject]
    const fd = openSync(path, 'r')
    assert.equal(Buffer.from(readObject(fd, NODE, object)), node)
    assert.equal(Buffer.from(readObject(fd, CHUNK, object)), chunk)
    throwsCode(() => readObject(fd, RECIPE, object), 'ERR_DAMAGED')
    closeSync(fd)
  }
})

test('an object is read into the buffer that is given, where it fits', () => {
  const fd = openSync(goldenPath, 'r')
  for (const object of entriesOf(goldenPath)) {
    const kind = kindOf(object.type)
    const right = Buffer.from(readObject(fd, kind, object))
    const scratch = Buffer.alloc(object.stored + 10)
    const read = readObject(fd, kind, object, scratch)
    assert.equal(Buffer.from(read), right)
    assert.is(read.buffer === scratch.buffer, (object.type & 0x0f) === Codec.none)
    const small = readObject(fd, kind, object, scratch.subarray(1))
    assert.equal(Buffer.from(small), right)
    assert.is.not(small.buffer, scratch.buffer)
  }
  closeSync(fd)
})

test('salvaging steps over a record that can not be decompressed', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, GOLDEN)
  const objects = entriesOf(goldenPath).sort((a, b) => a.offset - b.offset)
  const compressed = objects.find(({ type }) => (type & 0x0f) === Codec.brotli) as StoredObject
  const bytes = Buffer.from(golden)
  bytes.fill(0xff, compressed.offset + 10, compressed.offset + 10 + compressed.stored)
  writeFileSync(path, bytes)
  assert.equal(
    [...salvage(path)],
    objects.filter((object) => object !== compressed),
  )
})

test('salvaging stops at noise', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'noise')
  writeFileSync(path, Buffer.concat([Buffer.from('ARTPACK1'), seededRandom(1).bytes(10_000)]))
  assert.equal([...salvage(path)], [])
  writeFileSync(path, 'AR')
  assert.equal([...salvage(path)], [])
})

/** Objects with their places, ordered by id. */
function entriesOf(path: string): StoredObject[] {
  return tableEntries(readTable(path)).map(({ id, offset, type, stored, raw }) => {
    return { id: readId(id), offset, type, stored, raw }
  })
}

function readAll(path: string): Buffer[] {
  const fd = openSync(path, 'r')
  const objects = entriesOf(path).map((object) => {
    return Buffer.from(readObject(fd, kindOf(object.type), object))
  })
  closeSync(fd)
  return objects
}

function failsAsDamaged(run: () => unknown): boolean {
  try {
    run()
    return false
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return true
    throw error
  }
}

async function writePack(
  directory: string,
  objects: readonly (readonly [kind: typeof CHUNK | typeof NODE, bytes: Buffer])[],
): Promise<string> {
  const io = createIo({ durability: 'process' })
  const writer = new PackWriter(io, join(directory, 'new'))
  for (const [kind, stored] of objects) {
    const id = objectHash(kind, stored)
    writer.append({ kind, codec: Codec.none, id, stored, rawLength: stored.length })
  }
  const path = join(directory, `${(await writer.finish()).id}.pack`)
  publish(io, join(directory, 'new'), path)
  return path
}

await loadHashes()
test.run()
