import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { figureOf, isSteady, spreadOf } from '../../bench/stats.ts'

const test = suite('bench/stats')

test('the median of an odd number of values is the one in the middle, in whatever order they come', () => {
  assert.equal(figureOf([9, 1, 5]), { median: 5, min: 1, max: 9, count: 3 })
})

test('the median of an even number of values lies half-way between the middle two', () => {
  assert.is(figureOf([8, 1, 2, 4])?.median, 3)
})

test('values are ordered as numbers, and those given stay as they were', () => {
  const values = [10, 9, 100]
  assert.is(figureOf(values)?.median, 10)
  assert.equal(values, [10, 9, 100])
})

test('no values make no figure', () => {
  assert.is(figureOf([]), undefined)
})

test('the spread is the whole range as a part of the median', () => {
  assert.is(spreadOf({ median: 4, min: 3, max: 5, count: 5 }), 0.5)
})

test('a figure is steady up to a quarter of its median and not beyond', () => {
  assert.ok(isSteady({ median: 4, min: 4, max: 5, count: 5 }))
  assert.not(isSteady({ median: 4, min: 4, max: 5.01, count: 5 }))
})

test.run()
