/** What a store says about its artifacts and versions. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { throwsCode } from '../support/rejects.ts'
import { type Workspace, workspace } from './workspace.ts'

const test = suite('versions')

/** bike:v0 to v2, and p/car:v0 between the last two. */
async function history(): Promise<Workspace> {
  const ws = await workspace()
  const { store } = ws
  const commit = (name: string, text: string, options = {}) =>
    store.commit([ws.write(`data-${name.replace('/', '-')}`, { a: text })], { name, ...options })
  await commit('bike', 'one', { aliases: ['good'], tags: ['x'] })
  await commit('bike', 'three')
  await commit('p/car', 'model', { type: 'model' })
  await commit('bike', 'seven letters', { description: 'last' })
  return ws
}

test('artifacts are listed by project and name, with their newest version', async () => {
  await using ws = await history()
  const facts = ws.store.artifacts().map(({ createdAt, updatedAt, ...rest }) => {
    assert.ok(createdAt <= updatedAt)
    return rest
  })
  assert.equal(facts, [
    {
      name: 'bike',
      project: 'default',
      type: 'dataset',
      versions: 3,
      latest: 'v2',
      files: 1,
      bytes: 13,
    },
    { name: 'car', project: 'p', type: 'model', versions: 1, latest: 'v0', files: 1, bytes: 5 },
  ])
})

test('versions are listed newest first, of one artifact or of all', async () => {
  await using ws = await history()
  const { store } = ws
  const refs = (versions: readonly { ref: string }[]): string[] => versions.map(({ ref }) => ref)
  assert.equal(refs(store.versions('bike')), ['bike:v2', 'bike:v1', 'bike:v0'])
  assert.equal(refs(store.versions('p/car')), ['p/car:v0'])
  assert.equal(refs(store.history()), ['bike:v2', 'p/car:v0', 'bike:v1', 'bike:v0'])
  assert.equal(refs(store.history({ limit: 2 })), ['bike:v2', 'p/car:v0'])
  throwsCode(() => store.versions('boat'), 'ERR_NOT_FOUND')
})

test('a version is found by number, alias, id, and by counting back', async () => {
  await using ws = await history()
  const { store } = ws
  const { id, digest } = store.version('bike:v1')
  for (const ref of [
    'bike:v1',
    'bike~1',
    'bike:latest~1',
    'bike:v2~1',
    `bike@${id.slice(0, 6)}`,
    `@${id}`,
  ]) {
    assert.is(store.version(ref).version, 'v1', ref)
  }
  assert.is(store.version('default/bike:good').version, 'v0')
  assert.is(store.version('p/car').type, 'model')
  for (const ref of ['bike:v3', 'bike~3', 'bike:bad', 'car', '@000000', `@${digest}`]) {
    throwsCode(() => store.version(ref), 'ERR_NOT_FOUND')
  }
})

test('a version says who made it, when, and with what', async () => {
  await using ws = await history()
  const { user, host, tool, createdAt, operation, ...rest } = ws.store.version('bike')
  assert.ok(user !== '' && host !== '')
  assert.match(tool, /^artifacts\//)
  assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 600_000)
  assert.is(operation, 4)
  assert.equal(
    [rest.description, rest.metadata, rest.parents, rest.aliases, rest.tags],
    ['last', {}, [], ['latest'], []],
  )
})

test.run()
