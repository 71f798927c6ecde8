import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { age, columns, count, escaped, lapse, listed, size, styleOf } from '../../src/cli/render.ts'

const test = suite('render')

test('sizes are decimal, with two digits below ten', () => {
  const sizes: readonly [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1549, '1.5 kB'],
    [9_949, '9.9 kB'],
    [9_950, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [4_100_000_000, '4.1 GB'],
    [2 ** 53, '9.0 PB'],
    [1e18, '1000 PB'],
  ]
  for (const [bytes, shown] of sizes) assert.is(size(bytes), shown)
})

test('a size never grows wider than seven characters below 1000 PB', () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => size(bytes).length <= 7))
})

test('counts have thousands marked and one is one', () => {
  assert.is(count(1, 'file'), '1 file')
  assert.is(count(0, 'file'), '0 files')
  assert.is(count(1_234_567, 'file'), '1,234,567 files')
  assert.is(count(2, 'entry', 'entries'), '2 entries')
})

test('ages are rounded down, and a date beyond a month', () => {
  const now = Date.parse('2026-05-10T12:00:00.000Z')
  assert.is(age('2026-05-10T11:59:30.000Z', now), 'just now')
  assert.is(age('2026-05-10T13:00:00.000Z', now), 'just now')
  assert.is(age('2026-05-10T11:58:59.000Z', now), '1 minute ago')
  assert.is(age('2026-05-10T09:00:01.000Z', now), '2 hours ago')
  assert.is(age('2026-05-07T12:00:00.000Z', now), '3 days ago')
  assert.is(age('2026-01-07T12:00:00.000Z', now), '2026-01-07')
})

test('columns are as wide as their widest cell, with nothing behind the last', () => {
  assert.is(
    columns([
      ['a', '12 files', ''],
      ['bike', '1 file', 'x'],
    ]),
    'a     12 files\nbike  1 file    x\n',
  )
  assert.is(columns([]), '')
})

test('a list is cut at ten', () => {
  assert.is(listed(['a']), 'a')
  assert.is(listed(['a', 'b', 'c']), 'a, b and c')
  assert.match(listed(Array.from({ length: 47 }, (_, i) => `${i}`)), /8, 9 and 37 more$/)
})

test('what a terminal would obey is escaped, and only that', () => {
  assert.is(escaped('a\x1b[31mb\n\t\x7f\x9b\u202e'), 'a\\x1b[31mb\\n\\t\\x7f\\x9b\\u202e')
  assert.is(escaped('größe 数据 😀 \\ "x"'), 'größe 数据 😀 \\ "x"')
  assert.is(escaped('a\nb', true), 'a\nb')
})

test('names are escaped on a terminal and left alone elsewhere', () => {
  assert.is(styleOf(true, false).name('a\nb'), 'a\\nb')
  assert.is(styleOf(false, false).name('a\nb'), 'a\nb')
})

test('colours appear only where they are wanted', () => {
  assert.is(styleOf(true, true).added('x'), '\x1b[32mx\x1b[0m')
  assert.is(styleOf(true, false).added('x'), 'x')
})

test('how long something took is told in two units at most', () => {
  assert.equal([0, 1234, 59_949, 59_999, 245_000, 3_599_400, 9_000_000].map(lapse), [
    '0.0 s',
    '1.2 s',
    '59.9 s',
    '1 min 0 s',
    '4 min 5 s',
    '59 min 59 s',
    '2 h 30 min',
  ])
})

test.run()
