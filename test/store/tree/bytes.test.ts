import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteReader, varintLength, writeVarint } from '../../../src/store/tree/bytes.ts'
import { throwsCode } from '../../support/rejects.ts'
import { varint } from './plain-tree.ts'

const test = suite('bytes')

const anyInteger = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc.nat(53).map((bits) => 2 ** bits - 1),
)

test('an integer is written in its shortest form and read back', () => {
  fc.assert(
    fc.property(anyInteger, (value) => {
      const bytes = Buffer.alloc(10)
      const end = writeVarint(bytes, 1, value)
      assert.equal(bytes.subarray(1, end), varint(value))
      assert.is(end - 1, varintLength(value))
      assert.is(new ByteReader(bytes.subarray(1, end), 'x').varint(), value)
    }),
  )
})

for (const [what, hex] of [
  ['that is not in its shortest form', '8000'],
  ['that is not in its shortest form', 'ff8000'],
  ['of more than 53 bits', 'ffffffffffffff10'],
  ['of more than 53 bits', 'ffffffffffffff7f'],
  ['of more than 53 bits', '808080808080808001'],
  ['of more than 53 bits', `${'80'.repeat(200)}01`],
] as const) {
  test(`an integer ${what} is refused: ${hex.slice(0, 20)}`, () => {
    const reader = new ByteReader(Buffer.from(hex, 'hex'), 'node "1"')
    const error = throwsCode(() => reader.varint(), 'ERR_DAMAGED')
    assert.match(error.message, what)
    assert.match(error.message, /^node "1" /)
  })
}

test('nothing is read beyond the end', () => {
  for (const hex of ['', '80', 'ffff']) {
    throwsCode(() => new ByteReader(Buffer.from(hex, 'hex'), 'x').varint(), 'ERR_DAMAGED')
  }
  const reader = new ByteReader(Buffer.alloc(5), 'x')
  assert.is(reader.skip(3), 0)
  assert.is(reader.rest, 2)
  throwsCode(() => reader.skip(3), 'ERR_DAMAGED')
  throwsCode(() => reader.skip(Number.MAX_SAFE_INTEGER), 'ERR_DAMAGED')
  assert.is(reader.skip(2), 3)
})

test('a view into a larger buffer is read by its own bounds', () => {
  const bytes = new Uint8Array([9, 9, 7, 9]).subarray(2, 3)
  const reader = new ByteReader(bytes, 'x')
  assert.is(reader.byte(), 7)
  throwsCode(() => reader.byte(), 'ERR_DAMAGED')
})

test.run()
