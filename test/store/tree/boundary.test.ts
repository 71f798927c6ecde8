import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import xxhash from 'xxhash-wasm'
import { endsNaturally, xxh32 } from '../../../src/store/tree/boundary.ts'

const test = suite('boundary')
const { h32Raw } = await xxhash()

test('xxh32 is the one of xxhash-wasm at every length up to 64 and every kind of seed', () => {
  const bytes = Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 151 + 200) & 255))
  for (let length = 0; length <= 64; length++) {
    for (const seed of [0, 1, 11, 0x7fffffff, 0x80000000, 0xffffffff]) {
      const expected = h32Raw(bytes.subarray(0, length), seed) >>> 0
      assert.is(xxh32(bytes, length, seed), expected, `length ${length}, seed ${seed}`)
    }
  }
})

test('xxh32 is the one of xxhash-wasm on random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000, size: 'max' }), fc.nat(11), (bytes, seed) => {
      assert.is(xxh32(bytes, bytes.length, seed), h32Raw(bytes, seed) >>> 0)
    }),
    { numRuns: 100 },
  )
})

test('one key in 512 ends a node, and another one on every level', () => {
  const ends = [0, 1].map((level) =>
    Array.from({ length: 100_000 }, (_, i) => Buffer.from(`folder/file-${i}`)).filter((key) =>
      endsNaturally(key, key.length, level),
    ),
  )
  for (const keys of ends) assert.ok(Math.abs(keys.length - 195) < 60, `${keys.length} ends`)
  assert.not.equal(ends[0], ends[1])
})

test.run()
