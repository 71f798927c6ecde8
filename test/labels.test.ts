import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bikes, tip } from './stores.ts'
import { rejects } from './support/rejects.ts'

const test = suite('labels')

test('moves aliases in one operation, and says where they were', async () => {
  await using bike = await bikes()
  const { store } = bike
  const before = tip(store)
  const { id, ...report } = await store.alias('bike', ['best', 'prod'])
  assert.equal(report, {
    ref: 'bike:v2',
    artifact: 'bike',
    project: 'default',
    version: 'v2',
    aliases: ['best', 'latest', 'prod'],
    added: [{ alias: 'best', from: 'v1' }, { alias: 'prod' }],
    removed: [],
    absent: [],
    operation: before + 1,
  })
  assert.is(store.version('bike:best').id, id)
  const again = await store.alias('bike', ['best'])
  assert.is(again.operation, undefined)
  assert.is(tip(store), before + 1)
  const removed = await store.alias('bike:v2', ['prod', 'x'], { mode: 'remove' })
  assert.equal([removed.removed, removed.absent], [['prod'], ['x']])
})

test('takes no alias that looks like a version', async () => {
  await using bike = await bikes()
  await rejects(bike.store.alias('bike', ['v7']), 'ERR_INVALID_NAME')
  await rejects(bike.store.tag('bike', ['a/b']), 'ERR_INVALID_NAME')
  await rejects(bike.store.alias('bike:nothing', ['x']), 'ERR_NOT_FOUND')
})

test('adds tags, removes and sets them', async () => {
  await using bike = await bikes()
  const { store } = bike
  assert.equal((await store.tag('bike:v0', ['b', 'a'])).tags, ['a', 'b'])
  assert.equal((await store.tag('bike:v0', ['c'], { mode: 'set' })).tags, ['c'])
  assert.equal((await store.tag('bike:v0', ['c'], { mode: 'remove' })).tags, [])
  assert.is((await store.tag('bike:v0', ['c'], { mode: 'remove' })).operation, undefined)
})

test('edits what is said of a version, and shows when it ends', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { id } = store.version('bike:v1')
  const report = await store.edit('bike:v1', {
    description: 'text',
    metadata: { acc: 0.5, drop: 1 },
    ttl: '30d',
  })
  assert.equal(report.changed, ['description', 'metadata', 'ttl'])
  const edited = await store.edit('bike:v1', { metadata: { lr: 1 }, unsetMetadata: ['drop'] })
  assert.equal(edited.metadata, { acc: 0.5, lr: 1 })
  const shown = store.version('bike:v1')
  assert.equal([shown.id, shown.description, shown.ttl], [id, 'text', 30 * 86_400])
  assert.is(Date.parse(shown.expiresAt ?? '') - Date.parse(shown.createdAt), 30 * 86_400_000)
  const replaced = await store.edit('bike:v1', { metadata: { x: 1 }, replaceMetadata: true })
  assert.equal(replaced.metadata, { x: 1 })
  await store.edit('bike:v1', { ttl: 'never' })
  assert.equal(
    [store.version('bike:v1').ttl, store.version('bike:v1').expiresAt],
    ['never', undefined],
  )
  await store.edit('bike:v1', { ttl: 'inherit', description: '' })
  const bare = store.version('bike:v1')
  assert.equal([bare.ttl, bare.description], [undefined, undefined])
  assert.is((await store.edit('bike:v1', { ttl: 90 })).ttl, 90)
})

test('shows an end that is farther away than dates go', async () => {
  await using bike = await bikes()
  await bike.store.edit('bike', { ttl: Number.MAX_SAFE_INTEGER })
  assert.match(bike.store.version('bike').expiresAt ?? '', /^\+275760-/)
})

test('takes no time to live that is none', async () => {
  await using bike = await bikes()
  for (const ttl of [0, -1, 1.5, Number.NaN, '0', '30', 'for ever', '1w']) {
    await rejects(bike.store.edit('bike', { ttl }), 'ERR_USAGE')
  }
})

test('edits an artifact, whose versions all have its type', async () => {
  await using bike = await bikes()
  const { store } = bike
  const report = await store.editArtifact('bike', { type: 'model', description: 'all bikes' })
  assert.equal(report.changed, ['description', 'type'])
  assert.is(store.version('bike:v0').type, 'model')
  assert.is(store.artifacts()[0]?.description, 'all bikes')
  await rejects(store.editArtifact('bike:v0', { type: 'x' }), 'ERR_USAGE')
  await rejects(store.editArtifact('bike', { type: 'a/b' }), 'ERR_INVALID_NAME')
})

test('renames an artifact, and its bound directories go with it', async () => {
  await using bike = await bikes()
  const { store, path } = bike
  const report = await store.rename('bike', 'bicycle')
  assert.equal([report.artifact, report.old, report.project], ['bicycle', 'bike', 'default'])
  assert.is(store.version('bicycle:best').version, 'v1')
  assert.throws(() => store.version('bike'), /No artifact named "bike"/)
  assert.is(store.binding(`${path}/bike-data`)?.name, 'bicycle')
  const committed = await store.commit([`${path}/bike-data`], { reuse: 'never', jobs: 0 })
  assert.is(committed.ref, 'bicycle:v3')
})

test('keeps an artifact in its project, and takes no name that is none', async () => {
  await using bike = await bikes()
  const { store } = bike
  await bike.commit('car')
  await rejects(store.rename('bike', 'other/bike'), 'ERR_USAGE')
  await rejects(store.rename('bike', 'car'), 'ERR_EXISTS')
  for (const name of ['car:v1', 'a b', '@123456', 'ann/default/x', '']) {
    await rejects(store.rename('bike', name), 'ERR_INVALID_NAME')
  }
  assert.is((await store.rename('bike', 'default/bikes')).artifact, 'bikes')
  assert.is((await store.rename('bikes', 'bikes')).operation, undefined)
})

test('tells who moved an alias when', async () => {
  await using bike = await bikes()
  const { store } = bike
  await store.alias('bike:v2', ['best'])
  await store.alias('bike:v2', ['best'], { mode: 'remove' })
  const moves = store.aliasHistory('best', { name: 'bike' })
  assert.equal(
    moves.map(({ from, to }) => [from, to]),
    [
      ['bike:v2', undefined],
      ['bike:v1', 'bike:v2'],
      [undefined, 'bike:v1'],
    ],
  )
  assert.is(moves[0]?.operation, tip(store))
  assert.is(store.aliasHistory('best', { limit: 1 }).length, 1)
  assert.equal(store.aliasHistory('nothing'), [])
})

test.run()
