import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeNpy, encodeNpy, NdArray, type TypedArray } from '../../src/values/npy.ts'
import { throwsCode } from '../support/rejects.ts'

const test = suite('npy')

const arrays: fc.Arbitrary<TypedArray> = fc.oneof(
  fc.int8Array(),
  fc.uint8Array(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
  fc.float32Array(),
  fc.float64Array(),
)

test('arrays of every type come back as they were, NaN and minus zero included', () => {
  fc.assert(
    fc.property(arrays, (array) => {
      const found = decodeNpy(encodeNpy(array), 'a.npy') as TypedArray
      assert.is(found.constructor, array.constructor)
      assert.equal(raw(found), raw(array))
    }),
    { numRuns: 200 },
  )
})

test('a part of a larger buffer is stored alone, and bytes that lie anywhere in one are read', () => {
  const part = new Int32Array([9, 1, 2, 9]).subarray(1, 3)
  const bytes = encodeNpy(part)
  const moved = new Uint8Array(bytes.length + 3).subarray(3)
  moved.set(bytes)
  assert.equal(decodeNpy(moved, 'a.npy'), new Int32Array([1, 2]))
})

test('arrays of any other number of dimensions keep their shape', () => {
  for (const shape of [[], [2, 3], [1, 1], [2, 0], [2, 3, 4]]) {
    const count = shape.reduce((product, length) => product * length, 1)
    const array = new NdArray(
      Float64Array.from({ length: count }, (_, i) => i),
      shape,
    )
    assert.equal(decodeNpy(encodeNpy(array), 'a.npy'), array)
  }
})

test('a shape of another number of elements is refused', () => {
  throwsCode(() => new NdArray(new Int8Array(3), [2, 2]), 'ERR_INVALID_VALUE')
  throwsCode(() => new NdArray(new Int8Array(3), [-1, -3]), 'ERR_INVALID_VALUE')
  throwsCode(() => new NdArray(new Int8Array(3), [1.5, 2]), 'ERR_INVALID_VALUE')
})

test('numbers begin at a multiple of 64, behind a header that ends in a newline', () => {
  const bytes = Buffer.from(encodeNpy(new Float32Array([1])))
  assert.is((bytes.length - 4) % 64, 0)
  assert.is(bytes[bytes.length - 5], 0x0a)
  assert.is(bytes.toString('latin1', 0, 6), '\x93NUMPY')
})

test('numbers in the other byte order are turned', () => {
  const file = npy(
    "{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }",
    Buffer.from([0, 1, 1, 0]),
  )
  assert.equal(decodeNpy(file, 'a.npy'), new Int16Array([1, 256]))
})

test("Fortran's order is turned into ours", () => {
  const file = npy(
    "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
    Buffer.from([1, 4, 2, 5, 3, 6]),
  )
  assert.equal(decodeNpy(file, 'a.npy'), new NdArray(new Uint8Array([1, 2, 3, 4, 5, 6]), [2, 3]))
})

test('versions 2 and 3 of the format are read', () => {
  const header = "{'descr': '|i1', 'fortran_order': False, 'shape': (1,), }"
  assert.equal(decodeNpy(npy(header, Buffer.from([7]), 2), 'a.npy'), new Int8Array([7]))
  assert.equal(decodeNpy(npy(header, Buffer.from([7]), 3), 'a.npy'), new Int8Array([7]))
})

test('arrays of Python objects are refused and not run', () => {
  const file = npy(
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    Buffer.from('cos\nsystem\n'),
  )
  const { message } = throwsCode(() => decodeNpy(file, 'a.npy'), 'ERR_UNSUPPORTED')
  assert.match(message, 'Python objects')
})

test('elements that JavaScript has no array for are named', () => {
  for (const descr of ["'<f2'", "'<c8'", "'<U5'", "[('a', '<i4')]"]) {
    const file = npy(
      `{'descr': ${descr}, 'fortran_order': False, 'shape': (1,), }`,
      Buffer.alloc(8),
    )
    throwsCode(() => decodeNpy(file, 'a.npy'), 'ERR_UNSUPPORTED')
  }
})

const HUGE = 2 ** 53 - 1
const HOSTILE: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'a beginning': Buffer.from('\x93NUMPY\x01', 'latin1'),
  'another beginning': Buffer.from('\x93NUMPI\x01\x00\x00\x00{}', 'latin1'),
  'an unknown version': npy('{}', Buffer.alloc(0), 9),
  'a header longer than the file': Buffer.from('\x93NUMPY\x01\x00\xff\xff{}', 'latin1'),
  'a header of four gigabytes': Buffer.from('\x93NUMPY\x02\x00\xff\xff\xff\xff{}', 'latin1'),
  'an empty header': npy('', Buffer.alloc(8)),
  'no shape': npy("{'descr': '<i4', 'fortran_order': False, }", Buffer.alloc(8)),
  'a negative length': shaped('-1,', 8),
  'a length that is no number': shaped('x,', 8),
  'more elements than bytes': shaped('3,', 8),
  'fewer elements than bytes': shaped('1,', 8),
  'more elements than memory': shaped(`${HUGE},`, 8),
  'a product beyond all numbers': shaped(`${HUGE}, `.repeat(30), 8),
  'a product beyond all numbers, and nothing': shaped(`${`${HUGE}, `.repeat(30)} 0`, 8),
  'a length of a hundred digits': shaped(`${'9'.repeat(100)},`, 8),
  'too many dimensions': shaped('1, '.repeat(65), 4),
}

for (const [what, bytes] of Object.entries(HOSTILE)) {
  test(`${what} is refused by name`, () => {
    const { message } = throwsCode(() => decodeNpy(bytes, 'a.npy'), 'ERR_INVALID_VALUE')
    assert.match(message, '"a.npy"')
  })
}

test('a header of commas and blanks takes no time', () => {
  const began = performance.now()
  throwsCode(() => decodeNpy(shaped(' , '.repeat(20_000), 8), 'a.npy'), 'ERR_INVALID_VALUE')
  assert.ok(performance.now() - began < 1000)
})

const NUMPY = spawnSync('python3', ['-c', 'import numpy']).status === 0

if (NUMPY) {
  test('NumPy reads what is written here, and writes what is read here', () => {
    const program = [
      'import sys, io, numpy',
      'a = numpy.load(io.BytesIO(sys.stdin.buffer.read()))',
      'out = io.BytesIO(); numpy.save(out, numpy.asfortranarray(a * 2)); sys.stdout.buffer.write(out.getvalue())',
    ]
    const input = encodeNpy(new NdArray(new Float64Array([1, 2, 3, 4, 5, 6]), [2, 3]))
    const { stdout, stderr, status } = spawnSync('python3', ['-c', program.join('\n')], { input })
    assert.is(status, 0, String(stderr))
    const found = decodeNpy(stdout, 'a.npy')
    assert.equal(found, new NdArray(new Float64Array([2, 4, 6, 8, 10, 12]), [2, 3]))
  })
}

test.run()

/** A file with this header, which need not be one. */
function npy(header: string, data: Buffer, version = 1): Buffer {
  const length = Buffer.alloc(version === 1 ? 2 : 4)
  if (version === 1) length.writeUInt16LE(header.length)
  else length.writeUInt32LE(header.length)
  const magic = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1')
  return Buffer.concat([magic, length, Buffer.from(header, 'latin1'), data])
}

function shaped(shape: string, bytes: number): Buffer {
  return npy(`{'descr': '<i4', 'fortran_order': False, 'shape': (${shape}), }`, Buffer.alloc(bytes))
}

function raw({ buffer, byteOffset, byteLength }: TypedArray): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
