import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bikes, tip } from './stores.ts'
import { throwsCode } from './support/rejects.ts'

const test = suite('operations')

test('tells in the words of commands what each operation did, the newest first', async () => {
  await using bike = await bikes()
  const { store } = bike
  await store.tag('bike:v0', ['x'])
  await store.edit('bike:v0', { description: 'd', ttl: 'never' })
  await store.editArtifact('bike', { type: 'model' })
  await store.alias('bike:v0', ['best', 'prod'], { mode: 'set' })
  await store.alias('bike:v0', ['prod'], { mode: 'remove' })
  await store.remove(['bike:v0', 'bike:v2'], { aliases: true })
  await store.restore(['bike:v0'])
  await store.rename('bike', 'bicycle')
  await store.undo()
  assert.equal(
    [...store.operations()].map(({ summary }) => summary),
    [
      'undo 12',
      'rename bike bicycle',
      'restore bike:v0',
      'alias bike:v0 best --remove; rm bike:v0, bike:v2',
      'alias bike:v0 prod --remove',
      'alias bike:v0 best; alias bike:v0 prod',
      'edit bike (type)',
      'edit bike:v0 (description, ttl)',
      'tag bike:v0',
      'commit bike:v2',
      'alias bike:v1 best',
      'commit bike:v1',
      'commit bike:v0',
    ],
  )
  const [undo, rename] = store.operations()
  assert.equal([undo?.undoes, undo?.undone, rename?.undone], [12, undefined, 13])
})

test('names a commit with the aliases it gave', async () => {
  await using bike = await bikes()
  const { store, path } = bike
  const options = { name: 'bike', jobs: 0, reuse: 'never' as const }
  await store.commit([`${path}/bike-data`], { ...options, aliases: ['prod', 'latest'] })
  const [newest] = store.operations()
  assert.is(newest?.summary, 'commit bike:v3 (prod)')
})

test('reads no more than is asked for, over many operations', async () => {
  await using bike = await bikes()
  const { store } = bike
  for (let i = 0; i < 120; i++) await store.tag('bike:v0', [`t${i % 3}`], { mode: 'set' })
  const all = [...store.operations()].map(({ operation }) => operation)
  assert.equal(
    all,
    Array.from({ length: tip(store) }, (_, i) => tip(store) - i),
  )
  assert.equal(
    [...store.operations({ limit: 101 })].map(({ operation }) => operation),
    all.slice(0, 101),
  )
  assert.equal([...store.operations({ limit: 0 })], [])
})

test('tells all of one operation, with what it replaced', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { id } = store.version('bike:v1')
  const { operation = 0 } = await store.edit('bike:v1', { metadata: { a: 1 }, ttl: 60 })
  const details = store.operation(operation)
  const set = { metadata: { a: 1 }, ttl: 60 }
  const old = { metadata: null, ttl: null }
  const { changes, words, prev, hash } = details
  assert.equal(
    changes.map(({ kind }) => kind),
    ['version.edit'],
  )
  assert.equal(changes[0], { ...changes[0], version: id, set, old })
  assert.equal(words, ['version bike:v1: metadata null -> {"a":1}, ttl null -> 60'])
  assert.is(prev, store.operation(operation - 1).hash)
  assert.match(hash, /^[0-9a-f]{64}$/)
  assert.is(store.operation(1).packs.length > 0, true)
  assert.match(store.operation(1).words.join('\n'), /artifact default\/bike of type dataset made/)
  assert.match(store.operation(1).words.join('\n'), /version bike:v0 added: 1 file, 2 bytes/)
})

test('knows no operation that is not there', async () => {
  await using bike = await bikes()
  const error = throwsCode(() => bike.store.operation(99), 'ERR_NOT_FOUND')
  assert.match(error.hint ?? '', 'The newest is 4')
})

test.run()
