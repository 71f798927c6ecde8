import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../../src/errors.ts'
import type { StateView } from '../../../src/store/index/state.ts'
import type { Plan } from '../../../src/store/log/plan.ts'
import { currentVersion } from '../../../src/store/log/plan.ts'
import {
  type LinkOutcome,
  planLink,
  planUnlink,
  type UnlinkOutcome,
} from '../../../src/store/log/plan-link.ts'
import { planRemove } from '../../../src/store/log/plan-remove.ts'
import { planUndo } from '../../../src/store/log/plan-undo.ts'
import { bike, bikeId, bikes } from './bikes.ts'
import { sampleArtifact, sampleObject } from './samples.ts'

const test = suite('plan links')

const TOP = sampleArtifact('top')

function link(number: number, ...aliases: string[]): (state: StateView) => Plan<LinkOutcome> {
  const portfolio = { project: 'default', portfolio: 'top', newPortfolio: TOP }
  return (state) => planLink(state, { ...bike(number), ...portfolio, aliases })
}

function unlink(...numbers: number[]): (state: StateView) => Plan<UnlinkOutcome> {
  return (state) => planUnlink(state, { portfolio: TOP, versions: numbers.map(bikeId) })
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

test('a portfolio numbers its versions itself, and its latest is the newest link', () => {
  const { state, write } = bikes()
  assert.equal(write(link(2, 'prod')).outcome.number, 0)
  assert.equal(write(link(0)).outcome.number, 1)
  assert.equal(
    state.links(TOP).map(({ number, version }) => [number, version]),
    [
      [0, bikeId(2)],
      [1, bikeId(0)],
    ],
  )
  assert.is(currentVersion(state, TOP)?.id, bikeId(0))
  assert.is(state.alias(TOP, 'prod'), bikeId(2))
  assert.equal(state.artifactByName('default', 'top')?.type, 'dataset')
})

test('aliases of a portfolio and of the artifact are two things', () => {
  const { state, write } = bikes()
  write(link(0, 'best'))
  assert.is(state.alias(TOP, 'best'), bikeId(0))
  assert.equal(state.aliasesOf(bikeId(0)), [])
  assert.equal(state.aliasesOf(bikeId(1)), ['best'])
  assert.equal(state.aliasesOf(bikeId(0), TOP), ['best', 'latest'])
})

test('linking again makes no second link, and moves the aliases that are given', () => {
  const { state, write } = bikes()
  write(link(0))
  write(link(1))
  const { changes, outcome } = write(link(0, 'prod'))
  assert.equal([outcome.created, outcome.number], [false, 0])
  assert.equal(
    changes.map(({ kind }) => kind),
    ['alias.set'],
  )
  assert.is(state.alias(TOP, 'latest'), bikeId(1))
  assert.equal(write(link(0, 'prod')).changes, [])
})

test('a portfolio takes one type, and an artifact takes no links', () => {
  const memory = bikes()
  memory.commit('model', sampleObject(9), { type: 'model' })
  memory.write(link(0))
  const intent = { project: 'default', newPortfolio: TOP, aliases: [], name: 'bike' }
  const model = memory.state.highestLive(sampleArtifact('model'))?.id ?? bikeId(0)
  const other = { ...intent, version: model, portfolio: 'top' }
  assert.is(
    codeOf(() => planLink(memory.state, other)),
    'ERR_TYPE_MISMATCH',
  )
  const own = { ...intent, ...bike(0), portfolio: 'model' }
  assert.is(
    codeOf(() => planLink(memory.state, own)),
    'ERR_TYPE_MISMATCH',
  )
  memory.write(unlink(0))
  memory.write((state) => planLink(state, other))
  assert.is(memory.state.artifactById(TOP)?.type, 'model')
})

test('nothing is committed to a portfolio', () => {
  const memory = bikes()
  memory.write(link(0))
  assert.is(
    codeOf(() => memory.commit('top', sampleObject(5))),
    'ERR_TYPE_MISMATCH',
  )
})

test('a version that a portfolio holds is not removed, whatever its aliases', () => {
  const { state, write } = bikes()
  write(link(0))
  const remove = { versions: [bike(0)], aliases: true }
  assert.is(
    codeOf(() => planRemove(state, remove)),
    'ERR_IN_USE',
  )
  write(unlink(0))
  write((now) => planRemove(now, remove))
  assert.is(state.versionById(bikeId(0))?.deleted, 6)
  assert.is(
    codeOf(() => link(0)(state)),
    'ERR_NOT_FOUND',
  )
})

test('unlinking takes the aliases along, and latest falls to the highest link that is left', () => {
  const { state, write } = bikes()
  write(link(0))
  write(link(1, 'prod'))
  write(link(2))
  const { outcome } = write(unlink(1, 2))
  assert.equal(outcome.aliases, [
    { alias: 'prod', from: bikeId(1), to: null },
    { alias: 'latest', from: bikeId(2), to: bikeId(0) },
  ])
  assert.equal(state.aliases(TOP), [{ alias: 'latest', version: bikeId(0) }])
  assert.equal(state.linksOf(bikeId(1)), [])
})

test('a number is not given again to another link', () => {
  const { write } = bikes()
  write(link(0))
  write(unlink(0))
  assert.is(write(link(0)).outcome.number, 1)
})

test('undoing a link takes it away with its aliases, and undoing that brings it back as it was', () => {
  const { state, write } = bikes()
  const { changes } = write(link(0, 'prod'))
  const undone = write((now) => planUndo(now, { operation: 4, undone: changes }))
  assert.equal([state.links(TOP), state.aliases(TOP)], [[], []])
  write((now) => planUndo(now, { operation: 5, undone: undone.changes }))
  assert.is(state.linkOf(TOP, bikeId(0))?.number, 0)
  assert.is(state.alias(TOP, 'prod'), bikeId(0))
})

test('undoing refuses while an alias was moved onto the link, or its version is gone', () => {
  const { state, write, apply } = bikes()
  const linked = write(link(0))
  apply({ kind: 'alias.set', artifact: TOP, alias: 'prod', version: bikeId(0), old: null })
  assert.equal(planUndo(state, { operation: 4, undone: linked.changes }).outcome, {
    kind: 'conflict',
    slot: { kind: 'alias', artifact: TOP, alias: 'prod' },
  })
  const unlinked = write(unlink(0))
  write((now) => planRemove(now, { versions: [bike(0)], aliases: false }))
  const { outcome } = planUndo(state, { operation: 6, undone: unlinked.changes })
  assert.is(outcome.kind === 'conflict' && outcome.slot.kind, 'life')
})

test('undoing a commit refuses while a portfolio holds the version', () => {
  const memory = bikes()
  const { changes } = memory.commit('car', sampleObject(8))
  const version = memory.state.highestLive(sampleArtifact('car'))?.id ?? bikeId(0)
  const portfolio = { project: 'default', portfolio: 'top', newPortfolio: TOP, aliases: [] }
  memory.write((state) => planLink(state, { version, name: 'car', ...portfolio }))
  assert.equal(planUndo(memory.state, { operation: 4, undone: changes }).outcome, {
    kind: 'conflict',
    slot: { kind: 'link', portfolio: TOP, version },
  })
})

test.run()
