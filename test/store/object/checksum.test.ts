import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createFingerprint,
  fingerprint,
  loadHashes,
  xxh64,
} from '../../../src/store/object/checksum.ts'

const test = suite('checksum')

test('nothing is hashed before the hashes are loaded', () => {
  assert.throws(() => xxh64(Buffer.from('abc')), /loadHashes/)
})

test('the hash is XXH64 with seed 0', async () => {
  await loadHashes()
  // From the specification's implementation: xxhsum -H64
  assert.is(xxh64(Buffer.alloc(0)), 0xef46db3751d8e999n)
  assert.is(xxh64(Buffer.from('abc')), 0x44bc2cf5ad770999n)
})

test('a fingerprint is those 8 bytes, lowest first, where it was asked for', async () => {
  await loadHashes()
  const into = new Uint8Array(12).fill(7)
  fingerprint(Buffer.from('abc'), into, 2)
  assert.is(Buffer.from(into).toString('hex'), '0707990977adf52cbc440707')
})

test('bytes that come in pieces have the same fingerprint', async () => {
  await loadHashes()
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (pieces) => {
      const whole = new Uint8Array(8)
      fingerprint(Buffer.concat(pieces), whole, 0)
      const running = createFingerprint()
      for (const piece of pieces) running.update(piece)
      assert.equal(running.digest(), whole)
    }),
  )
})

test.run()
