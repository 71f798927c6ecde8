import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  checkPath,
  comparePaths,
  decodePath,
  encodePath,
  MAX_PATH,
  quotePath,
} from '../../../src/store/tree/paths.ts'
import { throwsCode } from '../../support/rejects.ts'

const test = suite('paths')

const part = 'p'.repeat(255)
const refused: readonly (readonly [string, string])[] = [
  ['', 'it is empty'],
  ['/', 'it is absolute'],
  ['/a', 'it is absolute'],
  ['a//b', 'it has an empty part'],
  ['a/', 'it has an empty part'],
  ['.', 'it has a part "."'],
  ['a/.', 'it has a part "."'],
  ['./a', 'it has a part "."'],
  ['..', 'it has a part ".."'],
  ['a/../b', 'it has a part ".."'],
  ['a\0b', 'it holds a NUL'],
  ['é\0', 'it holds a NUL'],
  ['.git', 'it has a part ".git"'],
  ['.GiT/config', 'it has a part ".git"'],
  ['a/.git', 'it has a part ".git"'],
  ['.artifacts', 'it has a part ".artifacts"'],
  ['a/.ARTIFACTS/b', 'it has a part ".artifacts"'],
  [`a/${part}p`, 'it has a part of more than 255 bytes'],
  [`${'é'.repeat(128)}/a`, 'it has a part of more than 255 bytes'],
  [`${`${part}/`.repeat(16)}a`, 'it is longer than 4096 bytes'],
  [`${`${'é'.repeat(127)}/`.repeat(16)}${'é'.repeat(9)}`, 'it is longer than 4096 bytes'],
  ['a\ud800', 'it is not valid UTF-8'],
  ['\udc00/a', 'it is not valid UTF-8'],
  ['\udc00\ud800', 'it is not valid UTF-8'],
]

const allowed: readonly string[] = [
  'a',
  'a/b/c.txt',
  '...',
  '.gitignore',
  '.git2',
  '.gits/a',
  'git',
  'x.git',
  '.artifactsignore',
  '.artifacts2',
  ' ',
  'a\\b',
  'C:/a',
  'NUL',
  'a.',
  '\u0001\u007f',
  'é/\u{1f600}',
  '.gıt',
  part,
  'é'.repeat(127),
  `${part}/`.repeat(16).slice(0, -1),
]

for (const [path, rule] of refused) {
  test(`${quotePath(path).slice(0, 40)} is refused: ${rule}`, () => {
    const error = throwsCode(() => checkPath(path), 'ERR_INVALID_PATH')
    assert.equal(error.data, { path, rule })
    assert.ok(error.message.includes(rule), error.message)
    assert.ok(error.message.includes(quotePath(path)), error.message)
  })

  if (rule === 'it is not valid UTF-8') continue
  test(`${quotePath(path).slice(0, 40)} is refused as bytes: ${rule}`, () => {
    const key = Buffer.from(path)
    assert.equal(decodePath(key, key.length), { fault: rule })
  })
}

test('everything else is a path, as text and as bytes', () => {
  for (const path of allowed) {
    assert.is(checkPath(path), path)
    const key = Buffer.alloc(MAX_PATH, 0xff)
    const length = encodePath(path, key)
    assert.equal(key.subarray(0, length), Buffer.from(path))
    assert.equal(decodePath(key, length), { path })
  }
})

test('bytes that are not UTF-8 are refused', () => {
  for (const hex of ['ff', 'c3', '61c080', 'eda080', 'f4908080', 'c3a9e2']) {
    const key = Buffer.from(hex, 'hex')
    assert.equal(decodePath(key, key.length), { fault: 'it is not valid UTF-8' }, hex)
  }
})

test('bytes shared with a checked path are not checked again, but the part they end in is', () => {
  for (const [path, checked, rule] of [
    ['a/.git', 3, 'it has a part ".git"'],
    ['a/.git', 5, 'it has a part ".git"'],
    ['a/..', 3, 'it has a part ".."'],
    [`b/${part}p`, 100, 'it has a part of more than 255 bytes'],
    ['a/b//c', 4, 'it has an empty part'],
  ] as const) {
    const key = Buffer.from(path)
    assert.equal(decodePath(key, key.length, checked), { fault: rule }, path)
  }
})

test('paths are ordered by their UTF-8 bytes', () => {
  const unit = fc.constantFrom(
    'a',
    'b',
    '/',
    '\u007f',
    'é',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
  )
  const path = fc.oneof(fc.string({ unit }), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(path, path, (a, b) => {
      const expected = Buffer.compare(Buffer.from(a), Buffer.from(b))
      assert.is(Math.sign(comparePaths(a, b)), expected)
    }),
    { numRuns: 1000 },
  )
  assert.ok(comparePaths('\uffff', '\u{10000}') < 0)
  assert.ok('\uffff' > '\u{10000}')
})

test('a quoted path holds nothing that a terminal would act on and is not endless', () => {
  assert.is(quotePath('a"b\\'), '"a\\"b\\\\"')
  assert.is(quotePath('\u001b[2J\n\u009b\u202e\u2028'), '"\\u001b[2J\\n\\u{9b}\\u{202e}\\u{2028}"')
  assert.is(quotePath('\ud800'), '"\\ud800"')
  assert.is(quotePath('é \u{1f600}'), '"é \u{1f600}"')
  assert.is(quotePath('x'.repeat(5000)).length, 303)
})

test.run()
