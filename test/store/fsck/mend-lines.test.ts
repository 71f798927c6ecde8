import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mendLines } from '../../../src/store/fsck/mend-lines.ts'

const test = suite('mend-lines')

const line = JSON.stringify({
  format: 1,
  store: '0123456789abcdef'.repeat(2),
  tool: 'artifacts/0.1.0',
})
const hash = createHash('sha256').update(line).digest('hex')
const good = Buffer.from(`${line}\n${hash}\n`)

test('any single bit is put right', () => {
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bytes = flipped(good, bit)
    assert.ok(mendLines(bytes, undefined)?.equals(good), `bit ${bit}`)
    assert.ok(mendLines(bytes, hash)?.equals(good), `bit ${bit}, with the hash`)
  }
})

test('the second line is not needed where the hash is known', () => {
  for (let length = line.length; length <= good.length; length++) {
    assert.ok(mendLines(good.subarray(0, length), hash)?.equals(good), `${length} bytes`)
  }
  const garbled = Buffer.concat([Buffer.from(line), Buffer.from('\n'), Buffer.alloc(70, 'x')])
  assert.ok(mendLines(garbled, hash)?.equals(good))
  assert.is(mendLines(garbled, undefined), undefined)
})

test('nothing is made up', () => {
  const two = flipped(flipped(good, 20), 200)
  assert.is(mendLines(two, undefined), undefined)
  assert.is(mendLines(two, hash), undefined)
  assert.is(mendLines(good, '0'.repeat(64)), undefined)
  assert.is(mendLines(Buffer.alloc(0), hash), undefined)
  assert.is(mendLines(Buffer.alloc(good.length), undefined), undefined)
  assert.is(mendLines(good.subarray(0, 30), undefined), undefined)
})

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
  return copy
}

test.run()
