import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CommitOutcome, planCommit } from '../../../src/store/log/plan.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import { throwsCode } from '../../support/rejects.ts'
import { memoryState, removeLatest, sampleIntent } from '../index/memory-state.ts'
import { sampleArtifact, sampleObject } from './samples.ts'

const test = suite('plan')

const A = sampleObject('A')
const B = sampleObject('B')

test('makes the artifact with its first version, v0, and gives it latest', () => {
  const { state, commit } = memoryState()
  const { changes, outcome } = commit('bike', A, {
    type: 'model',
    tags: ['b', 'a', 'b'],
    description: 'x',
  })
  const artifact = sampleArtifact('bike')
  assert.equal(changes, [
    { kind: 'artifact.create', artifact, project: 'default', name: 'bike', type: 'model' },
    {
      kind: 'version.add',
      artifact,
      number: 0,
      version: versionId(A),
      object: A,
      description: 'x',
      tags: ['a', 'b'],
    },
    { kind: 'alias.set', artifact, alias: 'latest', version: versionId(A), old: null },
  ])
  assert.is(outcome.kind, 'created')
  assert.is(state.alias(artifact, 'latest'), versionId(A))
})

test('calls an artifact without a given type a dataset', () => {
  const { state, commit } = memoryState()
  commit('bike', A)
  assert.is(state.artifactByName('default', 'bike')?.type, 'dataset')
})

test('gives A, B, A the numbers 0, 1 and 2', () => {
  const { commit } = memoryState()
  const numbers = [A, B, sampleObject('A', 1)].map((object) =>
    numberOf(commit('bike', object).outcome),
  )
  assert.equal(numbers, [0, 1, 2])
})

test('changes nothing for the content that latest names', () => {
  const { commit } = memoryState()
  commit('bike', A)
  commit('bike', B)
  const { changes, outcome } = commit('bike', sampleObject('B', 1))
  assert.equal(changes, [])
  assert.equal(outcome, unchanged(1, B))
})

test('compares with the version that latest names, wherever it was moved', () => {
  const { state, commit, apply } = memoryState()
  commit('bike', A)
  commit('bike', B)
  const artifact = sampleArtifact('bike')
  apply({ kind: 'alias.set', artifact, alias: 'latest', version: versionId(A), old: versionId(B) })
  assert.equal(commit('bike', sampleObject('A', 1)).outcome, unchanged(0, A))
  assert.is(numberOf(commit('bike', sampleObject('B', 1)).outcome), 2)
  assert.is(state.nextNumber(artifact), 3)
})

test('compares with the highest version where there is no latest', () => {
  const memory = memoryState()
  const { commit } = memory
  commit('bike', A)
  commit('bike', B)
  removeLatest(memory, 'bike')
  assert.equal(commit('bike', sampleObject('B', 1)).outcome, unchanged(1, B))
  assert.is(numberOf(commit('bike', sampleObject('A', 1)).outcome), 2)
})

test('moves given aliases for unchanged content, and names the labels that are not applied', () => {
  const { state, commit } = memoryState()
  commit('bike', A, {
    aliases: ['best'],
    tags: ['t'],
    description: 'one',
    metadata: { a: 1, b: [2] },
  })
  commit('bike', B, { aliases: ['prod'] })
  const artifact = sampleArtifact('bike')
  const again = sampleObject('B', 1)
  const { changes, outcome } = commit('bike', again, {
    aliases: ['best', 'prod', 'best'],
    tags: ['t'],
  })
  assert.equal(changes, [
    { kind: 'alias.set', artifact, alias: 'best', version: versionId(B), old: versionId(A) },
  ])
  assert.equal(outcome, {
    ...unchanged(1, B),
    moved: [{ alias: 'best', from: versionId(A) }],
    ignored: ['tags'],
  })
  assert.equal(state.aliasesOf(versionId(B)), ['best', 'latest', 'prod'])

  const same = { tags: ['t'], description: 'one', metadata: { b: [2], a: 1 } }
  const any = commit('bike', sampleObject('A', 1), { reuse: 'any', ...same })
  assert.equal(any.outcome, unchanged(0, A))
  const other = { tags: [], description: '', metadata: {} }
  const differs = commit('bike', sampleObject('A', 1), { reuse: 'any', ...other })
  assert.equal(differs.outcome, { ...unchanged(0, A), ignored: ['description', 'metadata'] })
})

test('with reuse any, takes any version of the artifact with this content, the current one first', () => {
  const { state, commit } = memoryState()
  commit('bike', A)
  commit('bike', B)
  commit('car', sampleObject('C'))
  assert.equal(commit('bike', sampleObject('A', 1), { reuse: 'any' }).outcome, unchanged(0, A))
  assert.is(state.alias(sampleArtifact('bike'), 'latest'), versionId(B))
  assert.is(numberOf(commit('bike', sampleObject('C', 1), { reuse: 'any' }).outcome), 2)
  commit('bike', sampleObject('A', 2), { reuse: 'never' })
  commit('bike', sampleObject('D'))
  const { outcome } = commit('bike', sampleObject('A', 3), { reuse: 'any' })
  assert.is(numberOf(outcome), 3)
})

test('with reuse never, makes a version of the same content', () => {
  const { commit } = memoryState()
  commit('bike', A)
  const { outcome } = commit('bike', sampleObject('A', 1), { reuse: 'never' })
  assert.is(outcome.kind, 'created')
  assert.is(numberOf(outcome), 1)
})

test('asks for another version object when a version has that very id', () => {
  const { commit } = memoryState()
  commit('bike', A)
  for (const plan of [commit('bike', A, { reuse: 'never' }), commit('car', A)]) {
    assert.equal(plan, { changes: [], outcome: { kind: 'taken' } })
  }
})

test('refuses another type, also for unchanged content, and keeps the type that is not given', () => {
  const { state, commit } = memoryState()
  commit('bike', A, { type: 'model' })
  for (const object of [B, sampleObject('A', 1)]) {
    const intent = sampleIntent('bike', object, { type: 'dataset' })
    const error = throwsCode(() => planCommit(state, intent), 'ERR_TYPE_MISMATCH')
    assert.match(error.message, '"default/bike" has the type "model", not "dataset"')
    assert.match(error.hint ?? '', '-n ')
  }
  const { outcome } = commit('bike', B)
  assert.is(outcome.kind === 'created' && outcome.type, 'model')
})

test('keeps names of different projects apart', () => {
  const { state, commit } = memoryState()
  commit('bike', A, { project: 'one', type: 'model', newArtifact: sampleArtifact(1) })
  const { outcome } = commit('bike', sampleObject('A', 1), {
    project: 'two',
    newArtifact: sampleArtifact(2),
  })
  assert.is(numberOf(outcome), 0)
  assert.equal(
    state.artifacts().map(({ project, type }) => [project, type]),
    [
      ['one', 'model'],
      ['two', 'dataset'],
    ],
  )
})

test('gives a version the aliases asked for, and says where they were', () => {
  const { commit } = memoryState()
  commit('bike', A, { aliases: ['best'] })
  const { outcome } = commit('bike', B, { aliases: ['best', 'latest'] })
  assert.equal(outcome.kind === 'created' && outcome.moved, [
    { alias: 'latest', from: versionId(A) },
    { alias: 'best', from: versionId(A) },
  ])
})

test('plans the same for the same state, and changes nothing itself', () => {
  const { state, commit } = memoryState()
  commit('bike', A)
  const intent = sampleIntent('bike', B, { aliases: ['x'], metadata: { a: 1 } })
  assert.equal(planCommit(state, intent), planCommit(state, intent))
  assert.is(state.nextNumber(sampleArtifact('bike')), 1)
})

function unchanged(number: number, object: typeof A): CommitOutcome {
  return {
    kind: 'unchanged',
    artifact: sampleArtifact('bike'),
    type: 'dataset',
    version: versionId(object),
    number,
    moved: [],
    ignored: [],
  }
}

function numberOf(outcome: CommitOutcome): number | undefined {
  return outcome.kind === 'taken' ? undefined : outcome.number
}

test.run()
