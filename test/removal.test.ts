import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bikes, tip } from './stores.ts'
import { rejects, throwsCode } from './support/rejects.ts'

const test = suite('deleting and restoring')

test('a deleted version is in no list, and a ref to it says how to get it back', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { removed, aliases, operation } = await store.remove(['bike:v2'])
  assert.equal(
    removed.map(({ ref, files, bytes }) => [ref, files, bytes]),
    [['bike:v2', 3, 6]],
  )
  assert.equal(aliases, [{ artifact: 'bike', alias: 'latest', from: 'bike:v2', to: 'bike:v1' }])
  assert.is(operation, tip(store))
  assert.equal(
    store.versions('bike').map(({ version }) => version),
    ['v1', 'v0'],
  )
  assert.is(store.version('bike').version, 'v1')
  const error = throwsCode(() => store.version('bike:v2'), 'ERR_NOT_FOUND')
  assert.match(error.hint ?? '', '`artifacts restore bike:v2`')
})

test('several versions go in one operation, and none where one is held', async () => {
  await using bike = await bikes()
  const { store } = bike
  const before = tip(store)
  const error = await rejects(store.remove(['bike:v0', 'bike:v1']), 'ERR_IN_USE')
  assert.match(error.message, '"bike:v1" (best)')
  assert.is(tip(store), before)
  await store.remove(['bike:v0', 'bike:best'], { aliases: true })
  assert.is(tip(store), before + 1)
  assert.is(store.versions('bike').length, 1)
  await rejects(store.remove(['bike:v2', 'bike:v0']), 'ERR_NOT_FOUND')
  await rejects(store.remove([]), 'ERR_USAGE')
})

test('all versions of an artifact go, and it is hidden until the next commit', async () => {
  await using bike = await bikes()
  const { store } = bike
  await rejects(store.remove(['bike:v0'], { allVersions: true }), 'ERR_USAGE')
  await rejects(store.remove(['bike'], { allVersions: true }), 'ERR_IN_USE')
  const { removed } = await store.remove(['bike'], { allVersions: true, aliases: true })
  assert.is(removed.length, 3)
  assert.equal(store.artifacts(), [])
  assert.equal(store.versions('bike'), [])
  assert.match(throwsCode(() => store.version('bike'), 'ERR_NOT_FOUND').message, 'All versions')
  assert.is((await store.remove(['bike'], { allVersions: true })).operation, undefined)
  assert.is(await bike.commit(), 'bike:v3')
})

test('a restored version is as it was, aliases apart', async () => {
  await using bike = await bikes()
  const { store } = bike
  await store.tag('bike:v1', ['x'])
  const { aliases: _, ...before } = store.version('bike:v1')
  await store.remove(['bike:v1'], { aliases: true })
  const report = await store.restore(['bike:v1', 'bike:v0'])
  assert.equal(
    [report.restored.map(({ ref }) => ref), report.live, report.latest],
    [['bike:v1'], ['bike:v0'], []],
  )
  const { aliases, ...after } = store.version('bike:v1')
  assert.equal([aliases, after], [[], before])
  assert.is(await bike.commit(), 'bike:v3')
})

test('a version is restored by its id, and makes a hidden artifact appear again', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { id } = store.version('bike:v1')
  await store.remove(['bike'], { allVersions: true, aliases: true })
  const report = await store.restore([`@${id}`])
  assert.equal(report.latest, ['bike:v1'])
  assert.is(store.version('bike').version, 'v1')
  await rejects(store.restore(['bike:v9']), 'ERR_NOT_FOUND')
})

test('the status of a directory says that its version is deleted', async () => {
  await using bike = await bikes()
  const { store } = bike
  await store.remove(['bike:v2'])
  const [status] = await store.status()
  assert.equal([status?.ref, status?.state, status?.gone], ['bike:v2', 'clean', 'deleted'])
})

test('a type that was wrong is right after the only version was removed', async () => {
  await using bike = await bikes()
  const { store, path } = bike
  const options = { name: 'wrong', jobs: 0 }
  await store.commit([`${path}/bike-data`], { ...options, type: 'modle' })
  await store.undo()
  const { ref, type } = await store.commit([`${path}/bike-data`], { ...options, type: 'model' })
  assert.equal([ref, type], ['wrong:v1', 'model'])
})

test.run()
