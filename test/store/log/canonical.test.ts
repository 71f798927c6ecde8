import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { canonicalJson } from '../../../src/store/log/canonical.ts'

const test = suite('canonical JSON')

test('writes the example of RFC 8785', () => {
  const value = {
    numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  }
  assert.is(
    canonicalJson(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('sorts keys by UTF-16 code units', () => {
  const keys = [
    '\u20ac',
    '\r',
    '\ufb33',
    '1',
    '\u{1f600}',
    '\u0080',
    '\u00f6',
    '10',
    '2',
    '__proto__',
  ]
  const value = Object.fromEntries(keys.map((key) => [key, 0]))
  const written = Object.keys(JSON.parse(canonicalJson(value).replace(/"(1|10|2)"/g, '"k$1"')))
  assert.equal(written, [
    '\r',
    'k1',
    'k10',
    'k2',
    '__proto__',
    '\u0080',
    '\u00f6',
    '\u20ac',
    '\u{1f600}',
    '\ufb33',
  ])
})

test('writes one text for one value, whatever the order of its keys', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      fc.pre(!/\\ud[89a-f]/i.test(JSON.stringify(value)))
      const text = canonicalJson(value)
      assert.is(canonicalJson(JSON.parse(text)), text)
      assert.is(canonicalJson(shuffled(value)), text)
      assert.equal(JSON.parse(text), value)
    }),
  )
})

test('writes minus zero as zero', () => {
  assert.is(canonicalJson([-0, 0]), '[0,0]')
})

test('refuses what JSON cannot hold, and says where it is', () => {
  const wrong: readonly [unknown, RegExp][] = [
    [undefined, /\$ is of type undefined/],
    [{ a: { b: undefined } }, /\$\.a\.b is of type undefined/],
    [{ a: [1, Number.NaN] }, /\$\.a\[1\] is NaN/],
    [Number.POSITIVE_INFINITY, /\$ is Infinity/],
    [1n, /bigint/],
    [() => 0, /function/],
    [Symbol('a'), /symbol/],
    [new Array(2), /\$\[0\] is of type undefined/],
    [new Date(0), /not a plain object/],
    [{ bytes: new Uint8Array(2) }, /\$\.bytes is not a plain object/],
    ['\ud800', /lone surrogate/],
    [{ '\udc00': 1 }, /lone surrogate/],
  ]
  for (const [value, message] of wrong) {
    assert.throws(
      () => canonicalJson(value),
      (error: unknown) => error instanceof TypeError && message.test(error.message),
    )
  }
})

test('refuses values that are too deep, and cycles', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
  assert.is(canonicalJson(nested(100)).length, 201)
  assert.throws(() => canonicalJson(nested(101)), TypeError)
  const cycle: unknown[] = []
  cycle.push(cycle)
  assert.throws(() => canonicalJson(cycle), TypeError)
})

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, shuffled(inner)]),
  )
}

test.run()
