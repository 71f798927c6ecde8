import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planAliases } from '../../../src/store/log/plan-aliases.ts'
import { planArtifactEdit, planEdit } from '../../../src/store/log/plan-edit.ts'
import { planLink, planUnlink } from '../../../src/store/log/plan-link.ts'
import { planRemove } from '../../../src/store/log/plan-remove.ts'
import { planRename } from '../../../src/store/log/plan-rename.ts'
import type { Target } from '../../../src/store/log/targets.ts'
import type { ObjectId } from '../../../src/types.ts'
import { sampleArtifact } from '../../store/log/samples.ts'
import { throwsCode } from '../../support/rejects.ts'
import { type everything, Machine, someObject } from './machine.ts'

const test = suite('merging histories')

test('what one store pushes another one pulls, with numbers, labels and ids', () => {
  const [one, two, remote] = machines()
  const v0 = one.commit('bike')
  const v1 = one.commit('bike')
  one.plan(planAliases(one.state, { ...target(v0), aliases: ['best'], mode: 'add' }))
  const { added, changes } = one.push(remote)
  assert.equal(
    added.map(({ id }) => id),
    [v0.id, v1.id],
  )
  assert.is(changes.filter(({ kind }) => kind === 'version.add').length, 2)
  two.pull(remote)
  assert.equal(two.numbers(), one.numbers())
  assert.is(two.state.alias(two.artifact('bike').id, 'best'), v0.id)
  assert.is(two.artifact('bike').id, one.artifact('bike').id)
  assert.equal(two.pull(remote).changes, [])
})

test('two stores that made an artifact of one name have one, and know both ids', () => {
  const [one, two, remote] = machines()
  const a = one.commit('bike', someObject(1))
  const b = two.commit('bike', someObject(2))
  one.push(remote)
  const { changes, remarks } = two.pull(remote)
  const [mine, other] = [two.artifact('bike').id, one.artifact('bike').id]
  assert.equal(changes[0], { kind: 'artifact.join', artifact: mine, as: other })
  assert.equal(two.state.versionById(a.id)?.number, 0)
  assert.equal(two.state.versionById(b.id)?.number, 1)
  assert.equal(remarks, [
    {
      kind: 'renumbered',
      artifact: { id: mine, project: 'default', name: 'bike' },
      version: b.id,
      old: 0,
      number: 1,
    },
  ])
  two.push(remote)
  one.pull(remote)
  assert.equal(one.numbers(), two.numbers())
  // Whatever it is called now.
  two.plan(planRename(two.state, { artifact: mine, name: 'cycle' }))
  two.sync(remote)
  one.pull(remote)
  assert.is(one.artifact('cycle').id, other)
})

test('one name with two types is refused, with a way out', () => {
  const [one, two, remote] = machines()
  one.commit('bike', someObject(), 'model')
  two.commit('bike')
  one.push(remote)
  const error = throwsCode(() => two.pull(remote), 'ERR_TYPE_MISMATCH')
  assert.match(error.hint ?? '', 'artifacts rename default/bike')
})

test('some versions of an artifact come with their labels, and the others stay where they are', () => {
  const [one, two, remote] = machines()
  const [v0, v1, v2] = [one.commit('bike'), one.commit('bike'), one.commit('bike')]
  one.push(remote)
  const bike = remote.artifact('bike').id
  two.pull(remote, { selection: new Map([[bike, new Set([v1.id])]]) })
  assert.equal(
    two.state.versions(bike).map(({ id, number }) => [id, number]),
    [[v1.id, 1]],
  )
  assert.is(two.state.alias(bike, 'latest'), v1.id)
  two.pull(remote, { selection: new Map([[bike, new Set([v0.id])]]) })
  assert.equal(
    two.state.versions(bike).map(({ id, number }) => [id, number]),
    [
      [v0.id, 0],
      [v1.id, 1],
    ],
  )
  two.pull(remote)
  assert.is(two.state.alias(bike, 'latest'), v2.id)
  assert.equal(two.numbers(), one.numbers())
})

test('what was not asked for stays as it is here', () => {
  const [one, two, remote] = machines()
  const [v0, v1] = [one.commit('bike'), one.commit('bike')]
  one.sync(remote)
  two.sync(remote)
  for (const version of [v0.id, v1.id]) describe(one, version, 'new')
  one.plan(planAliases(one.state, { ...target(v1), aliases: ['best'], mode: 'add' }))
  one.plan(planArtifactEdit(one.state, { artifact: v0.artifact, description: 'new' }))
  one.sync(remote)
  const selection = new Map([[remote.artifact('bike').id, new Set([v0.id])]])
  two.pull(remote, { selection })
  assert.is(two.state.versionById(v0.id)?.description, 'new')
  assert.is(two.state.versionById(v1.id)?.description, undefined)
  assert.is(two.artifact('bike').description, undefined)
  assert.is(two.state.alias(v0.artifact, 'best'), undefined)
  two.pull(remote)
  assert.is(two.state.versionById(v1.id)?.description, 'new')
  assert.is(two.artifact('bike').description, 'new')
  assert.is(two.state.alias(v0.artifact, 'best'), v1.id)
})

test('two that have a version in common are one, whatever they are called', () => {
  const [one, two, remote] = machines()
  const elsewhere = new Machine('elsewhere')
  const v0 = two.commit('bike')
  two.sync(elsewhere)
  // Another store has made a bike of its own, and brings both together.
  const mine = one.commit('bike')
  one.sync(remote)
  const third = new Machine('third')
  third.sync(elsewhere)
  third.sync(remote)
  two.plan(planRename(two.state, { artifact: v0.artifact, name: 'cycle' }))
  two.pull(remote)
  assert.is(two.state.versionById(mine.id)?.artifact, v0.artifact)
  assert.is(two.state.artifactByJoinedId(mine.artifact)?.id, v0.artifact)
  assert.is(two.artifact('bike').id, v0.artifact)
})

test('a portfolio brings what it holds, and a link that was removed is removed', () => {
  const [one, two, remote] = machines()
  const [v0, v1] = [one.commit('bike'), one.commit('bike')]
  link(one, v0.id, 'shelf')
  one.sync(remote)
  const shelf = remote.artifact('shelf').id
  two.pull(remote, { selection: new Map([[shelf, 'all']]) })
  assert.equal(two.numbers(), [`bike:v0 ${v0.id.slice(0, 6)}`, `shelf:v0 ${v0.id.slice(0, 6)}`])
  two.sync(remote)
  link(two, v1.id, 'shelf')
  two.plan(planUnlink(two.state, { portfolio: shelf, versions: [v0.id] }))
  two.plan(planRemove(two.state, { versions: [target(v0)], aliases: false }))
  two.sync(remote)
  one.pull(remote)
  assert.equal(one.numbers(), [`bike:v1 ${v1.id.slice(0, 6)}`, `shelf:v1 ${v1.id.slice(0, 6)}`])
})

test('a version that a portfolio has begun to hold is not deleted', () => {
  const [one, two, remote] = machines()
  const [v0] = [one.commit('bike'), one.commit('bike')]
  one.sync(remote)
  two.sync(remote)
  one.plan(planRemove(one.state, { versions: [target(v0)], aliases: false }))
  one.sync(remote)
  link(two, v0.id, 'shelf')
  const { remarks } = two.pull(remote)
  assert.is(two.state.versionById(v0.id)?.deleted, undefined)
  assert.equal(
    remarks.map((remark) => remark.kind === 'kept' && remark.users),
    [[`portfolio:${two.artifact('shelf').id}`]],
  )
  two.sync(remote)
  one.pull(remote)
  assert.equal(one.numbers(), two.numbers())
})

test('a version that was deleted comes back for a portfolio that is new', () => {
  const [one, two, remote] = machines()
  const [v0] = [one.commit('bike'), one.commit('bike')]
  one.sync(remote)
  two.sync(remote)
  two.plan(planRemove(two.state, { versions: [target(v0)], aliases: false }))
  link(one, v0.id, 'shelf')
  one.sync(remote)
  const shelf = remote.artifact('shelf').id
  // That the version has been linked is known of old, and not what it is linked into.
  two.pull(remote, { selection: new Map([[v0.artifact, 'all']]) })
  two.plan(planRemove(two.state, { versions: [target(v0)], aliases: false }))
  two.pull(remote, { selection: new Map([[shelf, 'all']]) })
  assert.is(two.state.versionById(v0.id)?.deleted, undefined)
  assert.is(two.state.linkOf(shelf, v0.id)?.number, 0)
})

test('a version that a draft starts from is not deleted', () => {
  const [one, two, remote] = machines()
  const [v0] = [one.commit('bike'), one.commit('bike')]
  one.sync(remote)
  two.sync(remote)
  const draft = { draft: 'd'.repeat(32), project: 'default', name: 'bike', key: 'night' }
  two.apply([{ kind: 'draft.open', ...draft, base: v0.id }])
  one.plan(planRemove(one.state, { versions: [target(v0)], aliases: false }))
  one.sync(remote)
  const { remarks } = two.pull(remote)
  assert.equal(
    remarks.map((remark) => remark.kind === 'kept' && remark.users),
    [['draft:night']],
  )
  assert.is(two.state.versionById(v0.id)?.deleted, undefined)
})

test('runs come along with what they used and logged', () => {
  const [one, two, remote] = machines()
  const data = one.commit('data')
  const start = { project: 'default', startedAt: '2026-01-01T00:00:00.000Z' }
  const source = { commit: 'a'.repeat(40), dirty: true, patch: 'secret' }
  one.apply([
    {
      kind: 'run.start',
      run: 'r1',
      ...start,
      by: { user: 'ann', host: 'pc' },
      name: 'nightly',
      source,
    },
    { kind: 'run.uses', run: 'r1', slot: 'in', version: data.id },
  ])
  const model = one.commit('model')
  one.apply([{ kind: 'run.logs', run: 'r1', slot: 'model', version: model.id }])
  const of = remoteSelection(one, 'model')
  one.push(remote, { selection: of, other: { runs: 'of-versions' } })
  assert.equal(remote.state.run('r1')?.source, { commit: 'a'.repeat(40), dirty: true })
  assert.equal(
    remote.state.edgesOfRun('r1').map(({ direction, version, name }) => [direction, version, name]),
    [
      ['input', data.id, 'default/data:v0'],
      ['output', model.id, undefined],
    ],
  )
  // Whoever used it is not told with what was used.
  const other = new Machine('other')
  one.push(other, { selection: remoteSelection(one, 'data'), other: { runs: 'of-versions' } })
  assert.is(other.state.run('r1'), undefined)
  two.pull(remote)
  one.apply([{ kind: 'run.finish', run: 'r1', state: 'finished', endedAt: start.startedAt }])
  one.sync(remote)
  two.pull(remote)
  assert.is(two.state.run('r1')?.state, 'finished')
  assert.is(two.state.run('r1')?.name, 'nightly')
})

test.run()

function machines(): [Machine, Machine, Machine] {
  return [new Machine('one'), new Machine('two'), new Machine('remote')]
}

function target({ id }: { readonly id: ObjectId }): Target {
  return { version: id, name: 'bike' }
}

function describe(machine: Machine, version: ObjectId, description: string): void {
  machine.plan(planEdit(machine.state, { version, name: 'bike', description }))
}

function link(machine: Machine, version: ObjectId, portfolio: string): void {
  machine.plan(
    planLink(machine.state, {
      version,
      name: 'bike',
      project: 'default',
      portfolio,
      newPortfolio: sampleArtifact(`${machine.name} ${portfolio}`),
      aliases: [],
    }),
  )
}

function remoteSelection(machine: Machine, name: string): ReturnType<typeof everything> {
  return new Map([[machine.artifact(name).id, 'all']])
}
