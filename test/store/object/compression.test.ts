import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Codec, compress, decompress } from '../../../src/store/object/compression.ts'
import { CHUNK, NODE, RECIPE, VERSION } from '../../../src/store/object/id.ts'
import { seededRandom } from '../../support/random.ts'
import { throwsCode } from '../../support/rejects.ts'

const test = suite('compression')

test('what was compressed comes back, and is stored smaller by 8 % or as it is', () => {
  const source = fc.record({
    seed: fc.nat(),
    size: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 40_000 })),
    noise: fc.double({ min: 0, max: 1, noNaN: true }),
    kind: fc.constantFrom(CHUNK, RECIPE, NODE, VERSION),
  })
  fc.assert(
    fc.property(source, ({ seed, size, noise, kind }) => {
      const raw = mixed(seed, size, noise)
      const { codec, bytes } = compress(raw, kind)
      if (codec === Codec.none) assert.is(bytes, raw)
      else assert.ok(bytes.length <= raw.length * 0.92)
      assert.equal(Buffer.from(decompress(codec, bytes, raw.length)), raw)
    }),
  )
})

test('text is compressed', () => {
  for (const size of [200, 1_000, 16_384, 16_385, 200_000]) {
    const { codec, bytes } = compress(Buffer.from(seededRandom(size).text(size)), CHUNK)
    assert.is(codec, Codec.brotli)
    assert.ok(bytes.length < size * 0.6, `${size} became ${bytes.length}`)
  }
})

test('noise and float32 weights are stored as they are', () => {
  for (const size of [1_000, 4_096, 65_536, 524_288]) {
    for (const raw of [seededRandom(size).bytes(size), weights(size)]) {
      const { codec, bytes } = compress(raw, CHUNK)
      assert.is(codec, Codec.none)
      assert.is(bytes, raw)
    }
  }
})

test('what looks like noise in a sample is not tried', () => {
  // Repeated 16 times, so that trying would show how small it gets.
  const raw = Buffer.alloc(16 * 4_096, symbols(190, 4_096))
  assert.is(compress(raw, CHUNK).codec, Codec.none)
  assert.is(compress(raw, NODE).codec, Codec.brotli)
})

test('a saving of less than 8 % is given up', () => {
  // log2(200) bits a byte: 4.5 % less.
  assert.is(compress(symbols(200, 20_000), NODE).codec, Codec.none)
  assert.is(compress(symbols(120, 20_000), NODE).codec, Codec.brotli)
})

test('nodes are compressed although most of their bytes are ids', () => {
  const random = seededRandom(1)
  const items = Array.from({ length: 500 }, (_, i) =>
    Buffer.concat([Buffer.from(`\x08\x09${String(i).padStart(5, '0')}.txt\x01`), random.bytes(32)]),
  )
  const node = Buffer.concat(items)
  assert.is(compress(node, NODE).codec, Codec.brotli)
})

test('bytes that decompress to more than they should are refused without being decompressed', () => {
  const fast = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }
  const bomb = zlib.brotliCompressSync(Buffer.alloc(64 << 20), fast)
  const error = throwsCode(() => decompress(Codec.brotli, bomb, 100_000), 'ERR_DAMAGED')
  assert.match(error.message, '100000')
  assert.is((error.cause as NodeJS.ErrnoException).code, 'ERR_BUFFER_TOO_LARGE')
})

test('bytes that decompress to one byte more or less are refused', () => {
  const raw = Buffer.from(seededRandom(1).text(5_000))
  const stored = zlib.brotliCompressSync(raw)
  assert.equal(decompress(Codec.brotli, stored, 5_000), raw)
  throwsCode(() => decompress(Codec.brotli, stored, 4_999), 'ERR_DAMAGED')
  throwsCode(() => decompress(Codec.brotli, stored, 5_001), 'ERR_DAMAGED')
  throwsCode(() => decompress(Codec.none, raw, 5_001), 'ERR_DAMAGED')
  throwsCode(() => decompress(Codec.brotli, zlib.brotliCompressSync(raw), 0), 'ERR_DAMAGED')
})

test('bytes that are cut off, empty or no compression at all are refused', () => {
  const stored = zlib.brotliCompressSync(Buffer.from(seededRandom(1).text(5_000)))
  for (const length of [0, 1, 10, stored.length - 1]) {
    throwsCode(() => decompress(Codec.brotli, stored.subarray(0, length), 5_000), 'ERR_DAMAGED')
  }
  throwsCode(() => decompress(Codec.brotli, seededRandom(2).bytes(5_000), 5_000), 'ERR_DAMAGED')
})

test('an empty object comes back', () => {
  assert.is(decompress(Codec.none, Buffer.alloc(0), 0).length, 0)
  assert.is(decompress(Codec.brotli, zlib.brotliCompressSync(Buffer.alloc(0)), 0).length, 0)
})

test('a codec of a newer version is named', () => {
  const error = throwsCode(() => decompress(7, Buffer.alloc(1), 1), 'ERR_UNSUPPORTED')
  assert.match(error.message, '"7"')
})

test('zstd is read where Node can, and named where it can not', () => {
  const raw = 'zstd zstd zstd zstd zstd zstd zstd zstd zstd zstd!'
  const stored = Buffer.from(ZSTD, 'hex')
  if ('zstdDecompressSync' in zlib) {
    assert.is(Buffer.from(decompress(Codec.zstd, stored, raw.length)).toString(), raw)
    throwsCode(() => decompress(Codec.zstd, stored, raw.length - 1), 'ERR_DAMAGED')
    throwsCode(() => decompress(Codec.zstd, stored.subarray(4), raw.length), 'ERR_DAMAGED')
  } else {
    const error = throwsCode(() => decompress(Codec.zstd, stored, raw.length), 'ERR_UNSUPPORTED')
    assert.match(error.message, '"zstd"')
  }
})

/** What `zstd -3` makes of the text above. */
const ZSTD = '28b52ffd0458650000307a73746420210100c12c5a01f4f889'

function mixed(seed: number, size: number, noise: number): Buffer {
  const random = seededRandom(seed)
  const noisy = random.bytes(Math.floor(size * noise))
  return Buffer.concat([Buffer.from(random.text(size - noisy.length)), noisy])
}

/** Noise of so many different bytes. */
function symbols(count: number, size: number): Buffer {
  const random = seededRandom(count)
  return Buffer.from(Array.from({ length: size }, () => random.integer(0, count - 1)))
}

/** Normally distributed, as trained weights are. */
function weights(size: number): Buffer {
  const random = seededRandom(size)
  const values = Float32Array.from({ length: size / 4 }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.next()))
    return 0.02 * radius * Math.cos(2 * Math.PI * random.next())
  })
  return Buffer.from(values.buffer)
}

test.run()
