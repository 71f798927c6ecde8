import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nearest } from '../../src/cli/nearest.ts'

const test = suite('nearest')

test('finds a slip of the finger', () => {
  const commands = ['init', 'commit', 'status', 'checkout']
  assert.is(nearest('comit', commands), 'commit')
  assert.is(nearest('stauts', commands), 'status')
  assert.is(nearest('chekcout', commands), 'checkout')
  assert.is(nearest('inti', commands), 'init')
})

test('finds nothing where nothing is near', () => {
  assert.is(nearest('push', ['init', 'commit']), undefined)
  assert.is(nearest('', ['a']), 'a')
  assert.is(nearest('x', []), undefined)
})

test('prefers the nearest, and of equals the first', () => {
  assert.is(nearest('stat', ['start', 'stats', 'stat']), 'stat')
  assert.is(nearest('loh', ['log', 'lot']), 'log')
})

test.run()
