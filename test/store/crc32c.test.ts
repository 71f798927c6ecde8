import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { crc32c } from '../../src/store/crc32c.ts'

const test = suite('crc32c')

test('the vectors of RFC 3720', () => {
  const count = Uint8Array.from({ length: 32 }, (_, index) => index)
  assert.is(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.is(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  assert.is(crc32c(count), 0x46dd794e)
  assert.is(crc32c(count.toReversed()), 0x113fdb5c)
  assert.is(crc32c(Buffer.from('123456789')), 0xe3069283)
})

test('pieces give the same as the whole', () => {
  const bytes = Buffer.from('123456789')
  assert.is(crc32c(bytes.subarray(4), crc32c(bytes.subarray(0, 4))), 0xe3069283)
})

test.run()
