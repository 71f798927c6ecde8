import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type EditIntent,
  type MetadataEdit,
  planArtifactEdit,
  planEdit,
} from '../../../src/store/log/plan-edit.ts'
import { planRemove } from '../../../src/store/log/plan-remove.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import type { Json } from '../../../src/types.ts'
import { throwsCode } from '../../support/rejects.ts'
import { BIKE, type Bikes, bike, bikeId, bikes } from './bikes.ts'
import { sampleObject } from './samples.ts'

const test = suite('plan of edits')

type Edit = Omit<EditIntent, 'version' | 'name'>

function edit({ write }: Bikes, number: number, intent: Edit): ReturnType<typeof planEdit> {
  return write((state) => planEdit(state, { ...bike(number), ...intent }))
}

test('changes only what is given and is another one, and says what it was', () => {
  const memory = bikes()
  const { changes, outcome } = edit(memory, 1, {
    description: 'two',
    metadata: { merge: { acc: 1 } },
    tags: { mode: 'add', tags: ['b'] },
    ttl: 60,
  })
  const set = { description: 'two', ttl: 60 }
  const old = { description: 'one', ttl: null }
  assert.equal(changes, [{ kind: 'version.edit', artifact: BIKE, version: bikeId(1), set, old }])
  assert.equal(outcome.changed, ['description', 'ttl'])
  assert.equal(edit(memory, 1, { description: 'two', ttl: 60 }).changes, [])
})

test('removes a description with an empty one, and a time to live with null', () => {
  const memory = bikes()
  edit(memory, 1, { ttl: 'never' })
  assert.is(memory.state.versionById(bikeId(1))?.ttl, 'never')
  edit(memory, 1, { description: '', ttl: null })
  const row = memory.state.versionById(bikeId(1))
  assert.equal([row?.description, row?.ttl], [undefined, undefined])
  assert.equal(edit(memory, 1, { description: '', ttl: null }).changes, [])
})

test('replaces metadata, then merges keys, then removes some', () => {
  const metadata = (intent: MetadataEdit): Json | undefined => {
    const memory = bikes()
    edit(memory, 1, { metadata: intent })
    return memory.state.versionById(bikeId(1))?.metadata
  }
  assert.equal(metadata({ merge: { acc: 2, new: null } }), { acc: 2, lr: [2], new: null })
  assert.equal(metadata({ unset: ['lr', 'nothing'] }), { acc: 1 })
  assert.equal(metadata({ replace: { x: 1 } }), { x: 1 })
  assert.equal(metadata({ replace: { x: 1, y: 2 }, merge: { x: 3 }, unset: ['y'] }), { x: 3 })
  assert.is(metadata({ unset: ['lr', 'acc'] }), undefined)
  assert.is(metadata({ replace: {} }), undefined)
})

test('sees no change in metadata of another key order, and in removing what is not there', () => {
  const memory = bikes()
  assert.equal(edit(memory, 1, { metadata: { replace: { lr: [2], acc: 1 } } }).changes, [])
  assert.equal(edit(memory, 0, { metadata: { unset: ['x'] } }).changes, [])
  const object = sampleObject(3)
  memory.commit('bike', object, { metadata: {} })
  const empty = versionId(object)
  const { changes } = memory.write((state) =>
    planEdit(state, { version: empty, name: 'bike', metadata: { replace: {} } }),
  )
  assert.equal(changes, [])
})

test('keeps metadata keys that mean something to JavaScript', () => {
  const memory = bikes()
  edit(memory, 0, { metadata: { merge: JSON.parse('{"__proto__":1,"constructor":2}') } })
  const row = memory.state.versionById(bikeId(0))
  assert.is(JSON.stringify(row?.metadata), '{"__proto__":1,"constructor":2}')
  edit(memory, 0, { metadata: { unset: ['__proto__'] } })
  assert.is(JSON.stringify(memory.state.versionById(bikeId(0))?.metadata), '{"constructor":2}')
})

test('adds, removes and sets tags', () => {
  const memory = bikes()
  const tags = (mode: 'add' | 'remove' | 'set', ...given: readonly string[]): readonly string[] => {
    edit(memory, 1, { tags: { mode, tags: given } })
    return memory.state.tagsOf(bikeId(1))
  }
  assert.equal(tags('add', 'c', 'a', 'c'), ['a', 'b', 'c'])
  assert.equal(tags('remove', 'a', 'x'), ['b', 'c'])
  assert.equal(tags('set', 'z', 'y', 'z'), ['y', 'z'])
  assert.equal(tags('set'), [])
  assert.equal(edit(memory, 1, { tags: { mode: 'remove', tags: ['y'] } }).changes, [])
})

test('says the whole list of tags before and after', () => {
  const { changes } = edit(bikes(), 1, { tags: { mode: 'remove', tags: ['a', 'b'] } })
  const set = { tags: null }
  const old = { tags: ['a', 'b'] }
  assert.equal(changes, [{ kind: 'version.edit', artifact: BIKE, version: bikeId(1), set, old }])
})

test('refuses a version that is deleted by now', () => {
  const { state, write } = bikes()
  write((now) => planRemove(now, { versions: [bike(2)], aliases: false }))
  throwsCode(() => planEdit(state, { ...bike(2), description: 'x' }), 'ERR_NOT_FOUND')
})

test('changes type and description of an artifact', () => {
  const { state, write } = bikes()
  const plan = write((now) =>
    planArtifactEdit(now, { artifact: BIKE, type: 'model', description: 'x' }),
  )
  assert.equal(plan.outcome.changed, ['description', 'type'])
  assert.is(state.artifactById(BIKE)?.type, 'model')
  const { changes } = write((now) =>
    planArtifactEdit(now, { artifact: BIKE, type: 'model', description: '' }),
  )
  const set = { description: null }
  assert.equal(changes, [{ kind: 'artifact.edit', artifact: BIKE, set, old: { description: 'x' } }])
})

test.run()
