import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Outline, outlineOf } from '../../src/previews/outline.ts'
import type { Json } from '../../src/types.ts'

const test = suite('previews/outline')

/** The outline says of the value what is so; a cut one says no more than that. */
function agrees(outline: Outline, value: Json, isCut: boolean): void {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  assert.is(outline.type, type)
  if (value === null || typeof value !== 'object') return
  const all = Array.isArray(value) ? value : Object.values(value)
  if (outline.size !== undefined) {
    assert.ok(isCut ? outline.size <= all.length : outline.size === all.length)
  }
  const keys = Array.isArray(value) ? [] : Object.keys(value)
  for (const [index, { key, value: member }] of (outline.members ?? []).entries()) {
    if (!Array.isArray(value)) assert.is(key, keys[index])
    agrees(member, all[index] as Json, isCut)
  }
}

/** Values whose keys are in one order however they are read. */
const values = fc
  .jsonValue({ maxDepth: 5 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Json)

test('of any value, the outline says what is so', () => {
  fc.assert(
    fc.property(values, fc.constantFrom(0, 2), (value, indent) => {
      const outline = outlineOf(JSON.stringify(value, null, indent), true)
      assert.ok(outline)
      agrees(outline as Outline, value, false)
    }),
    { numRuns: 300 },
  )
})

test('of the beginning of a value too', () => {
  fc.assert(
    fc.property(values, fc.nat(), (value, at) => {
      const text = JSON.stringify(value)
      const beginning = text.slice(0, at % (text.length + 1))
      const outline = outlineOf(beginning, false)
      // A word or number that is cut may be another.
      if (outline !== undefined && value !== null && typeof value === 'object') {
        assert.is(outline.type, Array.isArray(value) ? 'array' : 'object')
        const size = Object.keys(value).length
        assert.ok((outline.size ?? 0) <= size, `${outline.size} of ${size} in ${beginning}`)
      }
      if (beginning !== text && typeof value === 'object') {
        assert.is(outlineOf(beginning, true), undefined)
      }
    }),
    { numRuns: 500 },
  )
})

test('what is no JSON has no outline', () => {
  for (const text of [
    '',
    'a',
    '{',
    '{"a"}',
    '{"a":}',
    '[1 2]',
    '[1,]',
    '{a:1}',
    '"x',
    '1 2',
    '[}',
  ]) {
    assert.is(outlineOf(text, true), undefined, text)
  }
  for (const text of ['a b', '[1 2', '{"a" 1', '{1', '[x,']) {
    assert.is(outlineOf(text, false), undefined, text)
  }
})

test("Python's numbers, long texts and any depth are fine", () => {
  assert.equal(outlineOf('[NaN, -Infinity, 1e5, 12345678901234567890]', true)?.members, [
    { value: { type: 'number', text: 'NaN' } },
    { value: { type: 'number', text: '-Infinity' } },
    { value: { type: 'number', text: '1e5' } },
    { value: { type: 'number', text: '12345678901234567890' } },
  ])
  assert.is(outlineOf(JSON.stringify('x'.repeat(1000)), true)?.text, `${'x'.repeat(80)}…`)
  const deep = '['.repeat(100_000)
  assert.is(outlineOf(deep, false)?.isCut, true)
  assert.is(outlineOf(deep + ']'.repeat(100_000), true)?.size, 1)
})

test.run()
