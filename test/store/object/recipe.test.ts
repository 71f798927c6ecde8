import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { objectHash, RECIPE } from '../../../src/store/object/id.ts'
import {
  type ChunkedFile,
  decodePart,
  decodeRecipe,
  encodeRecipe,
  type FileRecipe,
  splitRecipe,
} from '../../../src/store/object/recipe.ts'
import { seededRandom } from '../../support/random.ts'
import { throwsCode } from '../../support/rejects.ts'

const test = suite('recipe')

test('a recipe of chunks is laid out as the format says', () => {
  const recipe = encodeRecipe({ of: 'chunks', ...twoChunks() })
  const header = `00e093040000000000${'cc'.repeat(32)}02000000`
  const items = `${'aa'.repeat(32)}400d0300${'bb'.repeat(32)}a0860100`
  assert.is(recipe.toString('hex'), header + items)
})

test('recipes of parts and a part are laid out as the format says', () => {
  const sha256 = Buffer.alloc(32, 0xcc)
  const ids = Buffer.alloc(32, 0xaa)
  const parts = encodeRecipe({ of: 'parts', size: 2 ** 40, sha256, ids, lengths: [2 ** 40] })
  const layout = `010000000000010000${'cc'.repeat(32)}01000000${'aa'.repeat(32)}0000000000010000`
  assert.is(parts.toString('hex'), layout)
  const part = encodeRecipe({ of: 'part', ids, lengths: [258] })
  assert.is(part.toString('hex'), `0201000000${'aa'.repeat(32)}02010000`)
})

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 2, max: 60 }), (seed, count) => {
      const file = someFile(seed, count)
      const chunks = { of: 'chunks', ...file } as const
      assert.equal(decodeRecipe(encodeRecipe(chunks), 'x'), chunks)
      const part = { of: 'part', ids: file.ids, lengths: file.lengths } as const
      assert.equal(decodeRecipe(encodeRecipe(part), 'x'), part)
    }),
  )
})

test('up to 4,096 chunks stand in one recipe', () => {
  const file = someFile(1, 4_096)
  const { root, parts } = splitRecipe(file)
  assert.is(parts.length, 0)
  assert.equal(decodeRecipe(encodeRecipe(root), 'x'), { of: 'chunks', ...file })
})

test('the parts of a long list are its chunks, and end where their ids say', () => {
  const file = someFile(2, 30_000)
  const { root, parts } = splitRecipe(file)
  assert.is(root.of, 'parts')
  assert.ok(parts.length > 2, `${parts.length} parts`)
  const decoded = readParts(root, parts)
  assert.equal(Buffer.concat(decoded.map(({ ids }) => ids)), file.ids)
  assert.equal(
    decoded.flatMap(({ lengths }) => lengths),
    file.lengths,
  )
  for (const { ids } of decoded.slice(0, -1)) {
    assert.is(ids.readUInt16BE(ids.length - 32) & 0x0fff, 0)
  }
  const partIds = parts.map((part) => objectHash(RECIPE, part))
  assert.equal(root.ids, Buffer.concat(partIds))
})

test('a part without an end in it has 16,384 chunks', () => {
  const file = someFile(3, 40_000, 0x01)
  const { root, parts } = splitRecipe(file)
  const counts = readParts(root, parts).map(({ lengths }) => lengths.length)
  assert.equal(counts, [16_384, 16_384, 7_232])
})

test('a change of one chunk changes one part', () => {
  const file = someFile(4, 40_000)
  const ids = Buffer.from(file.ids)
  ids.fill(0x55, 20_000 * 32, 20_001 * 32)
  const before = splitRecipe(file).parts.map((part) => part.toString('latin1'))
  const after = splitRecipe({ ...file, ids }).parts.filter(
    (part) => !before.includes(part.toString('latin1')),
  )
  assert.is(after.length, 1)
})

test('what no recipe can be is refused', () => {
  const chunks = encodeRecipe({ of: 'chunks', ...twoChunks() })
  const cases: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['unknown kind', changed(chunks, 0, 3)],
    ['a header cut off', chunks.subarray(0, 44)],
    ['an item cut off', chunks.subarray(0, chunks.length - 1)],
    ['a byte more', Buffer.concat([chunks, Buffer.alloc(1)])],
    ['a count of more', changed(chunks, 41, 3)],
    ['a count beyond memory', changed(chunks, 44, 0xff)],
    ['another size', changed(chunks, 1, 0)],
    ['a size beyond 53 bits', changed(chunks, 8, 0xff)],
    ['one chunk', file({ lengths: [300_000], ids: Buffer.alloc(32) })],
    ['no chunk', file({ size: 300_000, lengths: [], ids: Buffer.alloc(0) })],
    ['4,097 chunks', file(someFile(5, 4_097))],
    ['an empty chunk', file({ lengths: [300_000, 0], ids: Buffer.alloc(64) })],
    ['a chunk over 2 MiB', file({ lengths: [2 ** 21 + 1, 5], ids: Buffer.alloc(64) })],
    ['a file of one chunk', file({ lengths: [262_000, 144], ids: Buffer.alloc(64) })],
    ['no parts', file({ size: 300_000, of: 'parts', lengths: [], ids: Buffer.alloc(0) })],
    ['an empty part', file({ of: 'parts', lengths: [0, 300_000], ids: Buffer.alloc(64) })],
    ['a part of nothing', encodeRecipe({ of: 'part', lengths: [], ids: Buffer.alloc(0) })],
    ['a part behind its end', encodeRecipe({ of: 'part', lengths: [9, 9], ids: Buffer.alloc(64) })],
    [
      'a part of 16,385 chunks',
      encodeRecipe({
        of: 'part',
        lengths: Array(16_385).fill(9),
        ids: Buffer.alloc(16_385 * 32, 1),
      }),
    ],
  ]
  for (const [what, bytes] of cases) {
    const error = throwsCode(() => decodeRecipe(bytes, 'Recipe "x"'), 'ERR_DAMAGED')
    assert.match(error.message, /^Recipe "x"/, what)
  }
})

test('a part that is not the one its file names is refused', () => {
  const { root, parts } = splitRecipe(someFile(6, 30_000))
  const [first, second] = parts as [Buffer, Buffer]
  const part = decodePart(first, root, 0, 'x')
  const rest = { ids: part.ids.subarray(0, -32), lengths: part.lengths.slice(0, -1) }
  const shorter = encodeRecipe({ of: 'part', ...rest })
  const length = rest.lengths.reduce((sum, one) => sum + one)
  const whole = encodeRecipe({ of: 'chunks', ...twoChunks() })
  const { size, ...pieces } = someFile(7, 10)
  const few = encodeRecipe({ of: 'part', ...pieces })
  const cases: [string, Buffer, FileRecipe, number][] = [
    ['another part', second, root, 0],
    ['a recipe of a file', whole, { ...root, lengths: [5, 300_000] }, 1],
    ['an end that is none', shorter, { ...root, lengths: [length, ...root.lengths.slice(1)] }, 0],
    ['so few chunks that they need no part', few, { ...root, lengths: [size] }, 0],
  ]
  for (const [what, bytes, of, index] of cases) {
    assert.ok(
      throwsCode(() => decodePart(bytes, of, index, 'x'), 'ERR_DAMAGED'),
      what,
    )
  }
})

function twoChunks(): ChunkedFile {
  return {
    size: 300_000,
    sha256: Buffer.alloc(32, 0xcc),
    ids: Buffer.concat([Buffer.alloc(32, 0xaa), Buffer.alloc(32, 0xbb)]),
    lengths: [200_000, 100_000],
  }
}

/** `first`: what every id begins with; default anything. */
function someFile(seed: number, count: number, first?: number): ChunkedFile {
  const random = seededRandom(seed)
  const ids = random.bytes(count * 32)
  if (first !== undefined) for (let i = 0; i < count; i++) ids[i * 32] = first
  // Below 4,096 ids one that ends a part would make a part of them invalid.
  if (count < 4_096) for (let i = 0; i < count; i++) ids[i * 32 + 1] = 1
  const lengths = Array.from({ length: count }, () => random.integer(200_000, 2 ** 21))
  return { size: lengths.reduce((sum, one) => sum + one), sha256: random.bytes(32), ids, lengths }
}

/** A recipe that may be wrong; its size is what its lengths add up to unless given. */
function file(recipe: Partial<FileRecipe> & Pick<FileRecipe, 'ids' | 'lengths'>): Buffer {
  const size = recipe.lengths.reduce((sum, one) => sum + one, 0)
  return encodeRecipe({ of: 'chunks', size, sha256: Buffer.alloc(32), ...recipe })
}

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}

function readParts(root: FileRecipe, parts: readonly Buffer[]): ReturnType<typeof decodePart>[] {
  const decoded = decodeRecipe(encodeRecipe(root), 'x') as FileRecipe
  return parts.map((part, index) => decodePart(part, decoded, index, `part ${index}`))
}

test.run()
