import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { historySentences } from '../src/history-sentences.ts'
import type { Session } from '../src/session.ts'
import { planAliases } from '../src/store/log/plan-aliases.ts'
import { planArtifactEdit, planEdit } from '../src/store/log/plan-edit.ts'
import { planRemove } from '../src/store/log/plan-remove.ts'
import { planRename } from '../src/store/log/plan-rename.ts'
import { planRunLabels } from '../src/store/log/plan-run.ts'
import type { ObjectId } from '../src/types.ts'
import { Machine, someObject } from './sync/merge/machine.ts'

const test = suite('sentences of a merge')

test('what both sides changed is told with the command that sets one’s own value again', () => {
  const [one, two, remote] = machines()
  const [v0, v1] = [one.commit('bike'), one.commit('bike')]
  one.sync(remote)
  two.sync(remote)
  label(one, v0.id, 'red', { lr: 0.1, tags: ['x'] }, 86_400)
  label(two, v0.id, "it's blue", { lr: 0.2, tags: { a: 1 } }, 90)
  alias(one, v0.id, 'best')
  alias(two, v1.id, 'best')
  const { id: artifact } = one.artifact('bike')
  one.plan(planArtifactEdit(one.state, { artifact, description: 'ours', type: 'model' }))
  two.plan(planArtifactEdit(two.state, { artifact, description: 'theirs', type: 'result' }))
  one.plan(planRename(one.state, { artifact, name: 'cycle' }))
  two.plan(planRename(two.state, { artifact, name: 'tandem' }))
  one.sync(remote)
  const { remarks } = two.pull(remote)
  const end = 'which stands; here it was'
  const again = 'To set it again: `artifacts'
  assert.equal(historySentences(sessionOf(two), remarks, { name: 'origin' }), [
    `Both sides changed the name of "cycle": on "origin" it is "cycle", ${end} "tandem". ${again} rename cycle tandem\`.`,
    `Both sides changed the description of "cycle": on "origin" it is "ours", ${end} "theirs". ${again} edit cycle --artifact -m theirs\`.`,
    `Both sides changed the type of "cycle": on "origin" it is "model", ${end} "result". ${again} edit cycle --artifact -t result\`.`,
    `Both sides changed the metadata "lr" of "cycle:v0": on "origin" it is 0.1, ${end} 0.2. ${again} edit cycle:v0 --meta lr=0.2\`.`,
    `Both sides changed the metadata "tags" of "cycle:v0": on "origin" it is ["x"], ${end} {"a":1}. ${again} edit cycle:v0 --meta 'tags={"a":1}'\`.`,
    `Both sides changed the description of "cycle:v0": on "origin" it is "red", ${end} "it's blue". ${again} edit cycle:v0 -m 'it'\\''s blue'\`.`,
    `Both sides changed the time to live of "cycle:v0": on "origin" it is 1d, ${end} 90s. ${again} edit cycle:v0 --ttl 90s\`.`,
    `Both sides changed the alias "best" of "cycle": on "origin" it is cycle:v0, ${end} cycle:v1. ${again} alias cycle:v1 best\`.`,
  ])
})

test('what was taken away here comes back, with the command that takes it away again', () => {
  const [one, two, remote] = machines()
  const v0 = one.commit('bike')
  alias(one, v0.id, 'best')
  label(one, v0.id, 'red', { lr: 1 }, 60)
  const v1 = one.commit('bike')
  one.sync(remote)
  two.sync(remote)
  label(one, v0.id, 'blue', { lr: 2 }, 120)
  alias(one, v1.id, 'best')
  two.plan(
    planEdit(two.state, {
      ...target(v0.id),
      description: '',
      ttl: null,
      metadata: { unset: ['lr'] },
    }),
  )
  two.plan(planAliases(two.state, { ...target(v0.id), aliases: ['best'], mode: 'remove' }))
  one.sync(remote)
  const { remarks } = two.pull(remote)
  const commands = historySentences(sessionOf(two), remarks, { name: 'origin' }).map(
    (text) => /`artifacts (.*)`/.exec(text)?.[1],
  )
  assert.equal(
    commands.sort(),
    [
      'alias bike:v1 best --remove',
      "edit bike:v0 -m ''",
      'edit bike:v0 --ttl inherit',
      'edit bike:v0 --unset-meta lr',
    ].sort(),
  )
})

test('of runs, of numbers, and of what stays although somebody deleted it', () => {
  const [one, two, remote] = machines()
  const v0 = one.commit('bike', someObject(1))
  one.commit('bike', someObject(2))
  const start = { project: 'default', startedAt: '2026-01-01T00:00:00.000Z' }
  one.apply([{ kind: 'run.start', run: 'r1', ...start, by: { user: 'ann', host: 'pc' } }])
  one.apply([{ kind: 'run.uses', run: 'r1', slot: 's', version: v0.id }])
  one.sync(remote)
  two.sync(remote)
  one.plan(planRunLabels(one.state, 'r1', { notes: 'mine', config: { lr: 1 } }))
  two.plan(planRunLabels(two.state, 'r1', { notes: 'yours', config: { lr: 2 } }))
  one.plan(planRemove(one.state, { versions: [target(v0.id)], aliases: false }))
  alias(two, v0.id, 'best')
  one.commit('bike', someObject(3))
  two.commit('bike', someObject(4))
  one.sync(remote)
  const { remarks } = two.pull(remote)
  const end = 'which stands; here it was'
  assert.equal(historySentences(sessionOf(two), remarks, { name: 'origin' }), [
    'The primary remote has given numbers of "bike" to other versions: v2 -> v3.',
    '"bike:v0" was deleted on one side, and stays: the other has begun to need it (alias "best").',
    `Both sides changed the notes of run "r1": on "origin" it is "mine", ${end} "yours". To set it again: \`artifacts run edit r1 --notes yours\`.`,
    `Both sides changed the config "lr" of run "r1": on "origin" it is 1, ${end} 2. To set it again: \`artifacts run edit r1 --config lr=2\`.`,
  ])
})

test('of two artifacts that want one name', () => {
  const [one, two, remote] = machines()
  const bike = one.commit('bike')
  one.sync(remote)
  two.sync(remote)
  one.plan(planRename(one.state, { artifact: bike.artifact, name: 'cycle' }))
  two.commit('cycle')
  one.sync(remote)
  const { remarks, unmerged } = two.pull(remote)
  assert.equal([...unmerged], [bike.artifact])
  assert.equal(historySentences(sessionOf(two), remarks, { name: 'origin' }), [
    'Two artifacts want the name "cycle", one here and one of "origin": "bike" keeps its name for now. To give yours another: `artifacts rename cycle NEW`.',
  ])
  const cycle = two.artifact('cycle').id
  two.plan(planRename(two.state, { artifact: cycle, name: 'other' }))
  assert.equal(two.pull(remote).remarks, [])
  assert.is(two.artifact('cycle').id, bike.artifact)
})

test.run()

function machines(): [Machine, Machine, Machine] {
  return [new Machine('one'), new Machine('two'), new Machine('remote')]
}

/** All of a session that sentences look at. */
function sessionOf({ state }: Machine): Session {
  const session = { opened: { index: { state } }, state, defaults: { project: 'default' } }
  return session as unknown as Session
}

function target(version: ObjectId): { version: ObjectId; name: string } {
  return { version, name: 'bike' }
}

function alias(machine: Machine, version: ObjectId, name: string): void {
  machine.plan(planAliases(machine.state, { ...target(version), aliases: [name], mode: 'add' }))
}

function label(
  machine: Machine,
  version: ObjectId,
  description: string,
  metadata: Record<string, string | number | string[] | { a: number }>,
  ttl: number,
): void {
  const labels = { description, metadata: { replace: metadata }, ttl }
  machine.plan(planEdit(machine.state, { ...target(version), ...labels }))
}
