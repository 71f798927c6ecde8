import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AliasIntent, planAliases } from '../../../src/store/log/plan-aliases.ts'
import { planRemove } from '../../../src/store/log/plan-remove.ts'
import { throwsCode } from '../../support/rejects.ts'
import { BIKE, bike, bikeId, bikes } from './bikes.ts'

const test = suite('plan of aliases')

function intent(
  number: number,
  mode: AliasIntent['mode'],
  ...aliases: readonly string[]
): AliasIntent {
  return { ...bike(number), mode, aliases }
}

test('gives aliases to a version, and takes them from the ones that had them', () => {
  const { state, write } = bikes()
  const { changes, outcome } = write((now) =>
    planAliases(now, intent(2, 'add', 'best', 'new', 'new')),
  )
  const set = { kind: 'alias.set', artifact: BIKE, version: bikeId(2) }
  assert.equal(changes, [
    { ...set, alias: 'best', old: bikeId(1) },
    { ...set, alias: 'new', old: null },
  ])
  assert.equal(outcome, {
    added: [
      { alias: 'best', from: bikeId(1) },
      { alias: 'new', from: null },
    ],
    removed: [],
    absent: [],
  })
  assert.equal(state.aliasesOf(bikeId(2)), ['best', 'latest', 'new'])
})

test('changes nothing for aliases that the version has', () => {
  const { write } = bikes()
  assert.equal(write((now) => planAliases(now, intent(1, 'add', 'best'))).changes, [])
  assert.equal(write((now) => planAliases(now, intent(1, 'set', 'best'))).changes, [])
})

test('takes aliases away, and names those that the version does not have', () => {
  const { state, write } = bikes()
  const { changes, outcome } = write((now) =>
    planAliases(now, intent(1, 'remove', 'best', 'latest', 'none')),
  )
  assert.equal(changes, [{ kind: 'alias.remove', artifact: BIKE, alias: 'best', old: bikeId(1) }])
  assert.equal(outcome, { added: [], removed: ['best'], absent: ['latest', 'none'] })
  assert.is(state.alias(BIKE, 'latest'), bikeId(2))
})

test('moves and removes latest by hand', () => {
  const { state, write } = bikes()
  write((now) => planAliases(now, intent(0, 'add', 'latest')))
  assert.is(state.alias(BIKE, 'latest'), bikeId(0))
  write((now) => planAliases(now, intent(0, 'remove', 'latest')))
  assert.is(state.alias(BIKE, 'latest'), undefined)
})

test('sets all aliases of a version, latest apart', () => {
  const { state, write } = bikes()
  write((now) => planAliases(now, intent(2, 'add', 'x', 'y')))
  write((now) => planAliases(now, intent(2, 'set', 'y', 'best')))
  assert.equal(state.aliasesOf(bikeId(2)), ['best', 'latest', 'y'])
  write((now) => planAliases(now, intent(2, 'set')))
  assert.equal(state.aliasesOf(bikeId(2)), ['latest'])
  write((now) => planAliases(now, intent(1, 'set', 'latest')))
  assert.equal(state.aliases(BIKE), [{ alias: 'latest', version: bikeId(1) }])
})

test('refuses a version that is deleted by now', () => {
  const { state, write } = bikes()
  write((now) => planRemove(now, { versions: [bike(2)], aliases: false }))
  const error = throwsCode(() => planAliases(state, intent(2, 'add', 'x')), 'ERR_NOT_FOUND')
  assert.is(error.message, 'Version "bike:v2" is deleted.')
})

test.run()
