import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CandidateList } from '../../../src/store/object/candidates.ts'
import {
  type ChunkSizes,
  CutSelector,
  chunkSizesFor,
  cutBuffer,
  scanCandidates,
} from '../../../src/store/object/chunker.ts'
import { chunkId } from '../../../src/store/object/id.ts'
import { seededRandom } from '../../support/random.ts'

const test = suite('chunker')

/** Sizes of docs/format.md, in its own terms. */
interface Rule {
  readonly min: number
  readonly target: number
  readonly max: number
  readonly strongBits: number
  readonly weakBits: number
}
const SMALL: Rule = { min: 16384, target: 65536, max: 262144, strongBits: 18, weakBits: 14 }
const LARGE: Rule = { min: 131072, target: 524288, max: 2097152, strongBits: 21, weakBits: 17 }
/** Small enough for thousands of cuts in a test. */
const TINY: Rule = { min: 40, target: 160, max: 640, strongBits: 9, weakBits: 5 }

test('files are cut as the format says, whatever the parts and buffers they are scanned in', () => {
  const cases = fc.record({
    data: fc.record({ seed: fc.nat(), size: fc.integer({ min: 1, max: 12_000 }), kind: fc.nat(4) }),
    parts: fc.array(fc.nat(12_000), { maxLength: 6 }),
    buffers: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 4 }),
    alignment: fc.nat(7),
  })
  fc.assert(
    fc.property(cases, ({ data, parts, buffers, alignment }) => {
      const bytes = misaligned(sampleData(data.kind, data.seed, data.size), alignment)
      const ends = [...new Set([...parts.filter((end) => end < data.size), data.size])]
      ends.sort((a, b) => a - b)
      assert.equal(scanInParts(bytes, TINY, ends, buffers), cutsByTheFormat(bytes, TINY))
    }),
    { numRuns: 200 },
  )
})

test('a file in memory is cut as the format says, at any address', () => {
  for (const alignment of [0, 1, 2, 7]) {
    for (const kind of [0, 1]) {
      const bytes = misaligned(sampleData(kind, alignment, 600_001 + alignment), alignment)
      const expected = cutsByTheFormat(bytes, SMALL)
      assert.ok(expected.length > 3)
      assert.equal(cutBuffer(bytes), expected, `alignment ${alignment}, kind ${kind}`)
    }
  }
})

test('data whose every position is a candidate is cut as the format says', () => {
  const byte = byteWithCandidates(TINY)
  const bytes = Buffer.alloc(5_000, byte)
  assert.equal(scanInParts(bytes, TINY, [1_000, 5_000], [300]), cutsByTheFormat(bytes, TINY))
})

test('zeros give chunks of the greatest size', () => {
  assert.equal(cutBuffer(Buffer.alloc(700_000)), [262_144, 524_288, 700_000])
  assert.equal(cutBuffer(Buffer.alloc(262_144 + 1)), [262_144, 262_145])
})

test('a file of up to 262,144 bytes is one chunk, an empty one has none', () => {
  const bytes = seededRandom(1).bytes(262_144)
  assert.equal(cutBuffer(bytes), [262_144])
  assert.equal(cutBuffer(bytes.subarray(0, 65)), [65])
  assert.equal(cutBuffer(Buffer.alloc(0)), [])
})

test('the sizes depend on the size of the file alone', () => {
  assert.equal(chunkSizesFor(262_145), sizesOf(SMALL))
  assert.equal(chunkSizesFor(2 ** 30), sizesOf(SMALL))
  assert.equal(chunkSizesFor(2 ** 30 + 1), sizesOf(LARGE))
})

test('an insertion moves only the cuts near it', () => {
  const bytes = seededRandom(2).bytes(3 << 20)
  const changed = Buffer.concat([
    bytes.subarray(0, 1_500_000),
    Buffer.from('x'),
    bytes.subarray(1_500_000),
  ])
  const before = new Set(cutBuffer(bytes))
  const shifted = cutBuffer(changed).map((cut) => (cut > 1_500_000 ? cut - 1 : cut))
  const moved = shifted.filter((cut) => !before.has(cut))
  assert.ok(moved.length <= 3, `${moved.length} of ${shifted.length} cuts moved`)
})

test('scanning in the middle of a file needs the bytes before', () => {
  const scan = () =>
    scanCandidates(Buffer.alloc(100), 31, 100, chunkSizesFor(1), 5_000, new CandidateList(5_031))
  assert.throws(scan, /32 bytes before/)
})

test('cuts never change from one release to the next', () => {
  const golden = JSON.parse(readFileSync('test/golden/object/cuts.json', 'utf8')) as Golden
  const small = seededRandom(3).bytes(4 << 20)
  assert.equal(describe(small, cutBuffer(small)), golden.small)
  const large = seededRandom(4).bytes(12 << 20)
  const cuts = scanInParts(large, LARGE, [5 << 20, 12 << 20], [1 << 20])
  assert.equal(describe(large, cuts), golden.large)
})

interface Golden {
  readonly small: readonly string[]
  readonly large: readonly string[]
}

/** Each chunk as its end and the begin of its id. */
function describe(bytes: Buffer, cuts: readonly number[]): string[] {
  return cuts.map(
    (cut, i) => `${cut} ${chunkId(bytes.subarray(cuts[i - 1] ?? 0, cut)).slice(0, 16)}`,
  )
}

/** The cuts, word for word as docs/format.md section 3 defines them. */
function cutsByTheFormat(bytes: Uint8Array, rule: Rule): number[] {
  const size = bytes.length
  const { min, target, max, strongBits, weakBits } = rule
  const is = (p: number, bits: number) => p >= 32 && hashBefore(bytes, p) < 2 ** (32 - bits)
  const cuts: number[] = []
  let c = 0
  while (c < size) {
    let next = size
    if (size - c > min) {
      next = c + max
      for (let p = c + min; p < c + max && p < size; p++) {
        if (is(p, p < c + target ? strongBits : weakBits)) {
          next = p
          break
        }
      }
    }
    c = Math.min(next, size)
    cuts.push(c)
  }
  return cuts
}

function hashBefore(bytes: Uint8Array, p: number): number {
  let h = 0
  // `>>> 0` is mod 2^32.
  for (let i = Math.max(p - 32, 0); i < p; i++)
    h = (h * 2 + (G[bytes[i] as number] as number)) >>> 0
  return h
}

const G = Array.from({ length: 256 }, (_, i) =>
  createHash('sha256')
    .update('artifacts.gear\0')
    .update(Buffer.from([i]))
    .digest()
    .readUInt32LE(0),
)

/** Scans parts one after another, each through buffers of these sizes in turn, and chooses the cuts. */
function scanInParts(
  bytes: Buffer,
  rule: Rule,
  ends: readonly number[],
  buffers: readonly number[],
): number[] {
  const sizes = sizesOf(rule)
  const selector = new CutSelector(sizes, bytes.length)
  const cuts: number[] = []
  let from = 0
  for (const end of ends) {
    const found = new CandidateList(from)
    for (let at = from, turn = 0; at < end; turn++) {
      const to = Math.min(at + (buffers[turn % buffers.length] as number), end)
      const lead = Math.min(at, 32)
      const buffer = Buffer.from(bytes.subarray(at - lead, to))
      scanCandidates(buffer, lead, buffer.length, sizes, at - lead, found)
      at = to
    }
    cuts.push(...selector.add(found.bytes(), end))
    from = end
  }
  return cuts
}

function sizesOf({ strongBits, weakBits, ...sizes }: Rule): ChunkSizes {
  return { ...sizes, strong: -1 << (32 - strongBits), weak: -1 << (32 - weakBits) }
}

/** Noise, text, zeros with noise in them, one byte over and over, a short pattern over and over. */
function sampleData(kind: number, seed: number, size: number): Buffer {
  const random = seededRandom(seed)
  if (kind === 0) return random.bytes(size)
  if (kind === 1) return Buffer.from(random.text(size))
  if (kind === 2) {
    const bytes = Buffer.alloc(size)
    random.bytes(Math.min(size, 500)).copy(bytes, random.integer(0, size))
    return bytes
  }
  if (kind === 3) return Buffer.alloc(size, random.integer(0, 255))
  return Buffer.alloc(size, random.bytes(random.integer(2, 200)))
}

/** A byte whose repetition makes every position a weak candidate. */
function byteWithCandidates({ weakBits }: Rule): number {
  for (let byte = 0; byte < 256; byte++) {
    if (hashBefore(Buffer.alloc(32, byte), 32) < 2 ** (32 - weakBits)) return byte
  }
  throw new Error('No byte repeats into candidates.')
}

function misaligned(bytes: Buffer, by: number): Buffer {
  const memory = Buffer.allocUnsafeSlow(bytes.length + by)
  bytes.copy(memory, by)
  return memory.subarray(by)
}

test.run()
