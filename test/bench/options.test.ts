import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { optionsOf } from '../../bench/options.ts'

const test = suite('bench/options')
const known = { parts: ['small', 'table'], tools: ['ours', 'git'] }

test('without arguments everything runs five times at full size', () => {
  const { only, tools, rounds, scale, keep } = optionsOf([], known)
  assert.equal([only, tools, rounds, scale, keep], [undefined, undefined, 5, 1, false])
})

test('lists are cut at commas', () => {
  const { only, tools } = optionsOf(['--only', 'small,table', '--tools', 'git'], known)
  assert.equal(only, ['small', 'table'])
  assert.equal(tools, ['git'])
})

test('a name that is not known is named together with those that are', () => {
  assert.throws(() => optionsOf(['--only', 'smal'], known), /"smal" is none of small table/)
  assert.throws(() => optionsOf(['--tools', 'hg'], known), /"hg" is none of ours git/)
})

test('numbers have to be above 0', () => {
  for (const value of ['0', 'x', '', 'Infinity']) {
    assert.throws(() => optionsOf(['--rounds', value], known), /not a number above 0/)
  }
})

test.run()
