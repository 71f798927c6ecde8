import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planCommit } from '../../../src/store/log/plan.ts'
import { planAliases } from '../../../src/store/log/plan-aliases.ts'
import { planRemove, planRestore } from '../../../src/store/log/plan-remove.ts'
import { throwsCode } from '../../support/rejects.ts'
import { sampleIntent } from '../index/memory-state.ts'
import { BIKE, type Bikes, bike, bikeId, bikes, numbersOf } from './bikes.ts'
import { sampleArtifact, sampleObject } from './samples.ts'

const test = suite('plan of deleting and restoring')

function remove({ write }: Bikes, ...numbers: readonly number[]): ReturnType<typeof planRemove> {
  return write((now) => planRemove(now, { versions: numbers.map(bike), aliases: true }))
}

test('deletes a version that nothing holds', () => {
  const { state, write } = bikes()
  const { changes, outcome } = write((now) =>
    planRemove(now, { versions: [bike(0), bike(0)], aliases: false }),
  )
  assert.equal(changes, [{ kind: 'version.delete', artifact: BIKE, version: bikeId(0) }])
  assert.equal(numbersOf(outcome.removed), [0])
  assert.equal(numbersOf(state.versions(BIKE)), [1, 2])
})

test('refuses a version that an alias other than latest names, unless the aliases may go too', () => {
  const { state, write } = bikes()
  const versions = [0, 1, 2].map(bike)
  const error = throwsCode(() => planRemove(state, { versions, aliases: false }), 'ERR_IN_USE')
  assert.match(error.message, '"bike:v1" (best)')
  assert.match(error.hint ?? '', '`artifacts rm bike:v1 --aliases`')
  assert.equal(error.data, { held: [{ ref: 'bike:v1', aliases: ['best'] }] })
  const { changes, outcome } = write((now) =>
    planRemove(now, { versions: [bike(1)], aliases: true }),
  )
  assert.equal(changes, [
    { kind: 'alias.remove', artifact: BIKE, alias: 'best', old: bikeId(1) },
    { kind: 'version.delete', artifact: BIKE, version: bikeId(1) },
  ])
  assert.equal(outcome.aliases, [{ artifact: BIKE, alias: 'best', from: bikeId(1), to: null }])
})

test('lets latest fall to the highest version that is left', () => {
  const memory = bikes()
  const { changes } = remove(memory, 2)
  assert.equal(changes, [
    { kind: 'alias.set', artifact: BIKE, alias: 'latest', version: bikeId(1), old: bikeId(2) },
    { kind: 'version.delete', artifact: BIKE, version: bikeId(2) },
  ])
  const both = bikes()
  remove(both, 1, 2)
  assert.is(both.state.alias(BIKE, 'latest'), bikeId(0))
})

test('leaves latest where it is when another version goes, and away when it was removed', () => {
  const memory = bikes()
  const { state, write } = memory
  write((now) => planAliases(now, { ...bike(0), mode: 'add', aliases: ['latest'] }))
  remove(memory, 2)
  assert.is(state.alias(BIKE, 'latest'), bikeId(0))
  remove(memory, 0)
  assert.is(state.alias(BIKE, 'latest'), bikeId(1))
  write((now) => planAliases(now, { ...bike(1), mode: 'remove', aliases: ['latest'] }))
  remove(memory, 1)
  assert.is(state.alias(BIKE, 'latest'), undefined)
})

test('hides an artifact with its last version, and goes on with its numbers', () => {
  const memory = bikes()
  const { state, commit } = memory
  remove(memory, 0, 1, 2)
  assert.equal(state.versions(BIKE), [])
  assert.equal(state.aliases(BIKE), [])
  const { outcome } = commit('bike', sampleObject(0, 7))
  assert.is(outcome.kind === 'created' && outcome.number, 3)
  assert.is(state.alias(BIKE, 'latest') !== undefined, true)
})

test('takes another type for an artifact that is hidden', () => {
  const memory = bikes()
  const intent = sampleIntent('bike', sampleObject(9), { type: 'model' })
  throwsCode(() => planCommit(memory.state, intent), 'ERR_TYPE_MISMATCH')
  remove(memory, 0, 1, 2)
  const { outcome } = memory.write((now) => planCommit(now, intent))
  assert.is(outcome.kind === 'created' && outcome.type, 'model')
  assert.is(memory.state.artifactById(BIKE)?.type, 'model')
})

test('deletes nothing that another process has deleted by then', () => {
  const memory = bikes()
  remove(memory, 0)
  const { changes, outcome } = remove(memory, 0, 2)
  assert.is(changes.length, 2)
  assert.equal(numbersOf(outcome.removed), [2])
  assert.equal(remove(memory, 0, 2).changes, [])
})

test('deletes versions of several artifacts', () => {
  const memory = bikes()
  memory.commit('car', sampleObject('car'))
  const id = memory.state.versions(sampleArtifact('car'))[0]?.id ?? bikeId(0)
  const versions = [bike(2), { version: id, name: 'car' }]
  memory.write((now) => planRemove(now, { versions, aliases: false }))
  assert.equal(memory.state.versions(sampleArtifact('car')), [])
  assert.is(memory.state.alias(sampleArtifact('car'), 'latest'), undefined)
})

test('restores versions without the aliases they had', () => {
  const memory = bikes()
  const { state, write } = memory
  remove(memory, 1, 2)
  const { changes, outcome } = write((now) =>
    planRestore(now, [bike(1), bike(2), bike(0), bike(1)]),
  )
  assert.equal(changes, [
    { kind: 'version.restore', artifact: BIKE, version: bikeId(1) },
    { kind: 'version.restore', artifact: BIKE, version: bikeId(2) },
  ])
  assert.equal([numbersOf(outcome.restored), outcome.latest], [[1, 2], []])
  assert.equal(state.aliases(BIKE), [{ alias: 'latest', version: bikeId(0) }])
  assert.equal(state.tagsOf(bikeId(1)), ['a', 'b'])
  assert.equal(write((now) => planRestore(now, [bike(1)])).changes, [])
})

test('gives latest to the highest restored version where no other was left', () => {
  const memory = bikes()
  remove(memory, 0, 1, 2)
  const { outcome } = memory.write((now) => planRestore(now, [bike(1), bike(0)]))
  assert.equal(outcome.latest, [bikeId(1)])
  assert.equal(memory.state.aliases(BIKE), [{ alias: 'latest', version: bikeId(1) }])
})

test('does not restore what gc has removed', () => {
  const memory = bikes()
  remove(memory, 0)
  memory.apply({ kind: 'version.purge', artifact: BIKE, version: bikeId(0) })
  const error = throwsCode(() => planRestore(memory.state, [bike(0)]), 'ERR_NOT_FOUND')
  assert.is(error.message, 'Version "bike:v0" was removed by gc.')
})

test.run()
