import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../../src/errors.ts'
import type { StateView } from '../../../src/store/index/state.ts'
import type { Plan } from '../../../src/store/log/plan.ts'
import { planRemove } from '../../../src/store/log/plan-remove.ts'
import {
  planFinish,
  planRunLabels,
  planStart,
  planUse,
  type StartIntent,
} from '../../../src/store/log/plan-run.ts'
import { planUndo } from '../../../src/store/log/plan-undo.ts'
import { sampleIntent } from '../index/memory-state.ts'
import { type Bikes, bike, bikeId, bikes } from './bikes.ts'
import { sampleArtifact, sampleObject } from './samples.ts'

const test = suite('plan runs')

const TIME = '2026-11-20T10:00:00.000Z'
const BY = { user: 'ann', host: 'laptop' }

function start(run: string, more: Partial<StartIntent> = {}): (state: StateView) => Plan<string> {
  const intent = { run, project: 'default', startedAt: TIME, by: BY, chosen: true, ...more }
  return (state) => planStart(state, intent)
}

function withRun(): Bikes {
  const memory = bikes()
  memory.write(start('r1', { name: 'one', tags: ['b', 'a'], config: { lr: 1 } }))
  return memory
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof ArtifactsError) return error.code
    throw error
  }
  return 'none'
}

test('a run has what it was started with', () => {
  const { state } = withRun()
  assert.equal(state.run('r1'), {
    id: 'r1',
    project: 'default',
    name: 'one',
    tags: ['b', 'a'],
    config: { lr: 1 },
    user: 'ann',
    host: 'laptop',
    startedAt: TIME,
    state: 'running',
    operation: 4,
  })
})

test('an id that is taken starts no second run', () => {
  const { state } = withRun()
  assert.is(
    codeOf(() => start('r1')(state)),
    'ERR_EXISTS',
  )
})

test('a run ends once, and saying so again changes nothing', () => {
  const { state, write } = withRun()
  const finish = { run: 'r1', state: 'failed', endedAt: TIME, exitCode: 3 } as const
  write((now) => planFinish(now, finish))
  assert.equal([state.run('r1')?.state, state.run('r1')?.exitCode], ['failed', 3])
  assert.equal(planFinish(state, finish).changes, [])
  const otherwise = { ...finish, state: 'finished' } as const
  assert.is(
    codeOf(() => planFinish(state, otherwise)),
    'ERR_CONFLICT',
  )
  assert.is(
    codeOf(() => planFinish(state, { ...finish, run: 'r2' })),
    'ERR_NOT_FOUND',
  )
})

test('labels of a run change one by one, and what is so already is not written', () => {
  const { state, write } = withRun()
  const wanted = { name: null, tags: ['a', 'b'], config: { lr: 2 }, notes: 'n' }
  const { changes } = write((now) => planRunLabels(now, 'r1', wanted))
  assert.equal(changes, [
    {
      kind: 'run.update',
      run: 'r1',
      set: { name: null, config: { lr: 2 }, notes: 'n' },
      old: { name: 'one', config: { lr: 1 }, notes: null },
    },
  ])
  assert.equal(planRunLabels(state, 'r1', wanted).changes, [])
  assert.is(state.run('r1')?.name, undefined)
})

test('a use is recorded once for each slot, and only of live versions', () => {
  const { state, write } = withRun()
  const use = (number: number, slot: string) => ({ version: bikeId(number), slot, ref: 'bike' })
  const intent = { run: 'r1', uses: [use(0, 'bike'), use(0, 'bike'), use(0, 'other')] }
  assert.is(write((now) => planUse(now, intent)).changes.length, 2)
  assert.equal(planUse(state, intent).changes, [])
  assert.ok(state.isUsed(bikeId(0)))
  assert.not.ok(state.isUsed(bikeId(1)))
  write((now) => planRemove(now, { versions: [bike(0)], aliases: true }))
  const again = { run: 'r1', uses: [use(0, 'third')] }
  assert.is(
    codeOf(() => planUse(state, again)),
    'ERR_NOT_FOUND',
  )
  assert.is(state.edgesOfVersion(bikeId(0)).length, 2)
})

test('a commit in a run records the edge in the same operation', () => {
  const { state, commit } = withRun()
  const object = { ...sampleObject(7), run: 'r1' }
  const { changes, outcome } = commit('bike', object, { run: { id: 'r1', slot: 'data file' } })
  assert.equal(
    changes.map(({ kind }) => kind),
    ['version.add', 'alias.set', 'run.logs'],
  )
  if (outcome.kind !== 'created') throw new Error('nothing was made')
  assert.equal(state.edgesOfRun('r1'), [
    {
      run: 'r1',
      direction: 'output',
      slot: 'data file',
      version: outcome.version,
      deduplicated: false,
      operation: 5,
    },
  ])
})

test('unchanged content makes no version, and the edge all the same, once', () => {
  const { state, commit } = withRun()
  const again = { run: { id: 'r1' } }
  const { outcome } = commit('bike', { ...sampleObject(2, 9), run: 'r1' }, again)
  assert.is(outcome.kind, 'unchanged')
  const [edge] = state.edgesOfRun('r1')
  assert.equal([edge?.slot, edge?.version, edge?.deduplicated], ['bike', bikeId(2), true])
  assert.equal(commit('bike', { ...sampleObject(2, 10), run: 'r1' }, again).changes, [])
})

test('what a run logs again of its own is not called deduplicated', () => {
  const { state, commit } = withRun()
  commit('car', { ...sampleObject(5), run: 'r1' }, { run: { id: 'r1' } })
  commit('car', { ...sampleObject(5, 1), run: 'r1' }, { run: { id: 'r1', slot: 'second' } })
  assert.equal(
    state.edgesOfRun('r1').map(({ slot, deduplicated }) => [slot, deduplicated]),
    [
      ['car', false],
      ['second', false],
    ],
  )
})

test('a commit in a run that does not exist is refused', () => {
  const { state, commit } = withRun()
  const intent = { ...sampleIntent('bike', sampleObject(8)), run: { id: 'r2' } }
  assert.is(
    codeOf(() => commit('bike', intent.object, intent)),
    'ERR_NOT_FOUND',
  )
  assert.is(state.nextNumber(sampleArtifact('bike')), 3)
})

test('undoing takes back the version that a run logged, and leaves what the run did', () => {
  const { state, commit, write } = withRun()
  const { changes } = commit('car', { ...sampleObject(5), run: 'r1' }, { run: { id: 'r1' } })
  write((now) => planFinish(now, { run: 'r1', state: 'finished', endedAt: TIME }))
  assert.is(state.newestUndoable('ann', 'laptop')?.n, 5)
  const undone = write((now) => planUndo(now, { operation: 5, undone: changes }))
  assert.is(undone.outcome.kind, 'undone')
  assert.is(state.highestLive(sampleArtifact('car')), undefined)
  assert.is(state.edgesOfRun('r1').length, 1)
  assert.is(state.run('r1')?.state, 'finished')
})

test('undoing gives a run the labels it had, unless others were given since', () => {
  const { state, write } = withRun()
  const first = write((now) => planRunLabels(now, 'r1', { notes: 'x', tags: null }))
  write((now) => planUndo(now, { operation: 5, undone: first.changes }))
  assert.equal([state.run('r1')?.notes, state.run('r1')?.tags], [undefined, ['a', 'b']])
  const second = write((now) => planRunLabels(now, 'r1', { job: 'a' }))
  write((now) => planRunLabels(now, 'r1', { job: 'b' }))
  const { outcome } = planUndo(state, { operation: 7, undone: second.changes })
  assert.equal(outcome, { kind: 'conflict', slot: { kind: 'run', run: 'r1', field: 'job' } })
})

test.run()
