import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bikes, tip } from './stores.ts'
import { rejects } from './support/rejects.ts'

const test = suite('prune')

test('removes what no rule keeps, in one operation that can be undone', async () => {
  await using bike = await bikes()
  const { store } = bike
  await bike.commit()
  await bike.commit()
  const before = bike.picture()
  const operations = tip(store)
  const dry = await store.prune('bike', { keepLast: 1, keepAliased: true, dryRun: true })
  assert.is(bike.picture(), before)
  const report = await store.prune('bike', { keepLast: 1, keepAliased: true })
  assert.equal({ ...dry, dryRun: false, operation: operations + 1 }, report)
  assert.equal(
    report.kept.map(({ ref, reasons }) => [ref, reasons]),
    [
      ['bike:v1', ['aliased']],
      ['bike:v4', ['last']],
    ],
  )
  assert.equal(
    report.removed.map(({ ref, files }) => [ref, files]),
    [
      ['bike:v0', 1],
      ['bike:v2', 3],
      ['bike:v3', 4],
    ],
  )
  assert.is(tip(store), operations + 1)
  await store.undo()
  assert.is(bike.picture(), before)
})

test('nothing to remove is no operation', async () => {
  await using bike = await bikes()
  const before = tip(bike.store)
  const { removed, operation } = await bike.store.prune('bike', { keepWithin: '1d' })
  assert.equal([removed, operation], [[], undefined])
  assert.is(tip(bike.store), before)
})

test('rules that make no sense are refused', async () => {
  await using bike = await bikes()
  const { store } = bike
  await rejects(store.prune('bike', {}), 'ERR_USAGE')
  await rejects(store.prune('bike', { keepLast: 0 }), 'ERR_USAGE')
  await rejects(store.prune('bike', { keepLast: 1.5 }), 'ERR_USAGE')
  await rejects(store.prune('bike', { keepWithin: 'soon' }), 'ERR_USAGE')
  await rejects(store.prune('bike', { keepBest: 'acc' }), 'ERR_USAGE')
  await rejects(store.prune('bike', { keepBest: 'meta.acc' }), 'ERR_NOT_FOUND')
  await rejects(store.prune('bike:v1', { keepLast: 1 }), 'ERR_USAGE')
  await rejects(store.prune('car', { keepLast: 1 }), 'ERR_NOT_FOUND')
  await rejects(store.prune('bike', { keepLast: 1 }), 'ERR_IN_USE')
})

test('the best version is found in the metadata', async () => {
  await using bike = await bikes()
  const { store } = bike
  await store.edit('bike:v0', { metadata: { loss: 0.1 } })
  await store.edit('bike:v2', { metadata: { loss: 0.2 } })
  const { removed } = await store.prune('bike', { keepBest: 'meta.loss:min', keepAliased: true })
  assert.equal(
    removed.map(({ ref }) => ref),
    ['bike:v2'],
  )
  assert.is(store.version('bike').version, 'v1')
})

test.run()
