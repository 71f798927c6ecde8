import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readMetadata } from '../../src/cli/metadata.ts'

const test = suite('metadata')

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'metadata-')), 'meta.json')
  writeFileSync(file, text)
  return file
}

test('a value is JSON if it parses, else text', () => {
  assert.equal(
    readMetadata(['lr=1e-3', 'on=true', 'list=[1,"a"]', 'note=so so', 'hex=0x10'], undefined),
    {
      lr: 0.001,
      on: true,
      list: [1, 'a'],
      note: 'so so',
      hex: '0x10',
    },
  )
})

test('a number that JSON cannot hold as written stays text', () => {
  assert.equal(readMetadata(['id=12345678901234567890', 'big=1e999', 'zip=00123'], undefined), {
    id: '12345678901234567890',
    big: '1e999',
    zip: '00123',
  })
})

test('the value begins at the first equals sign and may be empty', () => {
  assert.equal(readMetadata(['a=b=c', 'empty='], undefined), { a: 'b=c', empty: '' })
})

test('a key named like a part of every object is a key', () => {
  const metadata = readMetadata(['__proto__=1'], undefined)
  assert.is(JSON.stringify(metadata), '{"__proto__":1}')
})

test('pairs are laid over the file', () => {
  const file = fileWith('{"a": 1, "b": {"c": 2}}')
  assert.equal(readMetadata(['a=2'], file), { a: 2, b: { c: 2 } })
})

test('without flags there is no metadata', () => {
  assert.is(readMetadata([], undefined), undefined)
})

test('what is no pair, no JSON or no object is refused by name', () => {
  assert.throws(() => readMetadata(['accuracy'], undefined), /"accuracy" is not metadata/)
  assert.throws(() => readMetadata(['=1'], undefined), /"=1" is not metadata/)
  const broken = fileWith('{"a": ')
  assert.throws(() => readMetadata([], broken), new RegExp(`"${broken}" is not JSON`))
  assert.throws(() => readMetadata([], fileWith('[1]')), /holds no JSON object/)
})

test.run()
