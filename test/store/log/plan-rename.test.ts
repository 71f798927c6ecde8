import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planRemove } from '../../../src/store/log/plan-remove.ts'
import { planRename } from '../../../src/store/log/plan-rename.ts'
import { throwsCode } from '../../support/rejects.ts'
import { BIKE, bike, bikes } from './bikes.ts'
import { sampleArtifact, sampleObject } from './samples.ts'

const test = suite('plan of renaming')

test('gives an artifact another name, and its versions and aliases stay', () => {
  const { state, write } = bikes()
  const { changes, outcome } = write((now) => planRename(now, { artifact: BIKE, name: 'bicycle' }))
  assert.equal(changes, [{ kind: 'artifact.rename', artifact: BIKE, name: 'bicycle', old: 'bike' }])
  assert.equal(outcome, { project: 'default', old: 'bike' })
  assert.is(state.artifactByName('default', 'bike'), undefined)
  assert.is(state.artifactByName('default', 'bicycle')?.id, BIKE)
  assert.is(state.versions(BIKE).length, 3)
})

test('changes nothing for the name that it has', () => {
  assert.equal(
    bikes().write((now) => planRename(now, { artifact: BIKE, name: 'bike' })).changes,
    [],
  )
})

test('refuses a name that another artifact of the project has', () => {
  const { state, commit } = bikes()
  commit('car', sampleObject('car'))
  commit('bus', sampleObject('bus'), { project: 'other', newArtifact: sampleArtifact('bus') })
  const error = throwsCode(() => planRename(state, { artifact: BIKE, name: 'car' }), 'ERR_EXISTS')
  assert.match(error.message, '"default/car" already')
  assert.is(planRename(state, { artifact: BIKE, name: 'bus' }).changes.length, 1)
})

test('says of a name whose artifact is hidden how to free it', () => {
  const { state, commit, write } = bikes()
  commit('car', sampleObject('car'))
  const car = sampleArtifact('car')
  const versions = [0, 1, 2].map(bike)
  write((now) => planRemove(now, { versions, aliases: true }))
  const error = throwsCode(() => planRename(state, { artifact: car, name: 'bike' }), 'ERR_EXISTS')
  assert.match(error.message, 'versions are all deleted')
  assert.match(error.hint ?? '', '`artifacts rename bike bike-old`')
})

test.run()
