/** Portfolios: artifacts whose versions are links to versions of others. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pathsOf, type Workspace, workspace } from './library/workspace.ts'
import { rejects } from './support/rejects.ts'

const test = suite('portfolios')

/** bike:v0 and v1, of which v0 and v1 are champion:v1 (prod) and champion:v0. */
async function linked(): Promise<Workspace> {
  const ws = await workspace()
  const { store } = ws
  await store.commit([ws.write('data', { a: '1' })], { name: 'bike', type: 'model' })
  await store.commit([ws.write('data', { b: '2' })], { name: 'bike' })
  await store.link('bike:v1', 'champion')
  await store.link('bike:v0', 'champion', { aliases: ['prod'] })
  return ws
}

test('a link has a number and aliases of its own, and the content of its version', async () => {
  await using ws = await linked()
  const { store } = ws
  assert.equal(
    store.versions('champion').map(({ ref, source, aliases }) => [ref, source, aliases]),
    [
      ['champion:v1', 'bike:v0', ['latest', 'prod']],
      ['champion:v0', 'bike:v1', []],
    ],
  )
  for (const ref of ['champion', 'champion:v1', 'champion:prod', 'champion:v1~0'])
    assert.equal(pathsOf(store, ref), ['a'], ref)
  assert.equal(pathsOf(store, 'champion~1'), ['a', 'b'])
  assert.equal(pathsOf(store, `champion@${store.version('bike:v1').id.slice(0, 8)}`), ['a', 'b'])
  assert.equal(store.version('bike:v0').links, ['champion:v1'])
  assert.equal(store.version('bike:v0').aliases, [])
})

test('portfolios are listed as such', async () => {
  await using ws = await linked()
  const facts = ws.store.artifacts().map(({ name, portfolio = false, versions, latest, type }) => {
    return [name, portfolio, versions, latest, type]
  })
  assert.equal(facts, [
    ['bike', false, 2, 'v1', 'model'],
    ['champion', true, 2, 'v1', 'model'],
  ])
})

test('a portfolio may be in another project', async () => {
  await using ws = await linked()
  const { ref, project } = await ws.store.link('bike:v0', 'registry/models', { aliases: ['a'] })
  assert.equal([ref, project], ['registry/models:v0', 'registry'])
  assert.is(ws.store.version('registry/models:a').source, 'bike:v0')
})

test('what a portfolio cannot be called, or hold, is refused', async () => {
  await using ws = await linked()
  const { store } = ws
  await rejects(store.link('bike:v0', 'champion:v3'), 'ERR_INVALID_NAME')
  await rejects(store.link('bike:v0', 'other-entity/p/champion'), 'ERR_INVALID_NAME')
  await rejects(store.link('bike:v0', 'champion', { aliases: ['v3'] }), 'ERR_INVALID_NAME')
  await rejects(store.link('bike:v0', 'bike'), 'ERR_TYPE_MISMATCH')
  await rejects(store.commit([ws.at('data')], { name: 'champion' }), 'ERR_TYPE_MISMATCH')
  await store.commit([ws.at('data')], { name: 'table', type: 'dataset' })
  const error = await rejects(store.link('table', 'champion'), 'ERR_TYPE_MISMATCH')
  assert.match(error.message, '"model"')
  assert.is(store.versions('champion').length, 2)
})

test('a link can be linked, as the version it leads to', async () => {
  await using ws = await linked()
  const { source, ref } = await ws.store.link('champion:prod', 'second')
  assert.equal([ref, source], ['second:v0', 'bike:v0'])
})

test("aliases through a portfolio are the portfolio's", async () => {
  await using ws = await linked()
  const { store } = ws
  const { ref, aliases, added } = await store.alias('champion:v0', ['prod', 'x'])
  assert.equal([ref, aliases], ['champion:v0', ['prod', 'x']])
  assert.equal(added, [{ alias: 'prod', from: 'v1' }, { alias: 'x' }])
  assert.equal(pathsOf(store, 'champion:prod'), ['a', 'b'])
  assert.equal(store.version('bike:v1').aliases, ['latest'])
})

test('what happened to a portfolio is told in its own numbers', async () => {
  await using ws = await linked()
  const { store } = ws
  await store.alias('champion:v0', ['prod'])
  await store.unlink('champion:v1')
  assert.equal(
    [...store.operations({ limit: 4 })].map(({ summary }) => summary),
    [
      'unlink champion:v1',
      'alias champion:v0 prod',
      'link bike:v0 champion (prod)',
      'link bike:v1 champion',
    ],
  )
  const [newest] = store.aliasHistory('prod', { name: 'champion' })
  assert.equal([newest?.from, newest?.to], ['bike:v0', 'champion:v0'])
})

test('a linked version is removed only after the links', async () => {
  await using ws = await linked()
  const { store } = ws
  const error = await rejects(store.remove(['bike:v0']), 'ERR_IN_USE')
  assert.match(error.hint ?? '', 'champion:v1')
  const refused = await rejects(store.remove(['champion:v1']), 'ERR_USAGE')
  assert.match(refused.hint ?? '', '`artifacts unlink champion:v1`')
  const { aliases } = await store.unlink('champion:prod')
  assert.equal(aliases, [{ alias: 'latest', to: 'bike:v1' }, { alias: 'prod' }])
  await store.remove(['bike:v0'])
  await rejects(store.unlink('bike:v1'), 'ERR_USAGE')
  await rejects(store.unlink('champion:v1'), 'ERR_NOT_FOUND')
})

test('a portfolio has no versions of its own to be deleted, and keeps its type', async () => {
  await using ws = await linked()
  const { store } = ws
  await rejects(store.remove(['champion'], { allVersions: true }), 'ERR_USAGE')
  await rejects(store.editArtifact('champion', { type: 'dataset' }), 'ERR_TYPE_MISMATCH')
  await store.rename('champion', 'winner')
  assert.is(store.version('winner:prod').source, 'bike:v0')
})

test('undo takes a link away, and brings one back under its number', async () => {
  await using ws = await linked()
  const { store } = ws
  await store.unlink('champion:v1')
  await store.undo()
  assert.is(store.version('champion:prod').version, 'v1')
  await store.undo(4)
  assert.equal(
    store.versions('champion').map(({ ref }) => ref),
    ['champion:v0'],
  )
})

test('a version whose time has come stays while it is linked or was used', async () => {
  await using ws = await linked()
  const { store } = ws
  for (const ref of ['bike:v0', 'bike:v1']) await store.edit(ref, { ttl: 1 })
  await store.unlink('champion:v0')
  const run = await store.startRun()
  await store.commit([ws.write('other', { c: '3' })], { name: 'plain', run: run.id })
  await store.edit('plain:v0', { ttl: 1 })
  await run.useArtifact('bike:v1')
  await new Promise((resolve) => setTimeout(resolve, 1100))
  await store.gc({ grace: '0' })
  assert.equal(
    store.history().map(({ ref }) => ref),
    ['bike:v1', 'bike:v0'],
  )
})

test.run()
