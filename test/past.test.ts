import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commitOperation } from '../src/store/index/commit-point.ts'
import type { Change } from '../src/store/log/change.ts'
import { openStore } from '../src/store/open.ts'
import type { ArtifactId, ObjectId } from '../src/types.ts'
import { type Bikes, bikes, tip } from './stores.ts'
import { rejects, throwsCode } from './support/rejects.ts'

const test = suite('the store as it was')

test('is after each operation as it was then', async () => {
  await using bike = await bikes()
  const { store } = bike
  const steps: (() => Promise<unknown>)[] = [
    () => store.alias('bike:v0', ['best']),
    () => store.edit('bike:v2', { description: 'x', metadata: { a: 1 }, ttl: 5 }),
    () => store.remove(['bike:v2']),
    () => store.rename('bike', 'bicycle'),
    () => bike.commit('car'),
    () => store.restore(['bicycle:v2']),
    () => store.undo(),
  ]
  const start = tip(store)
  const seen: unknown[] = [[store.artifacts(), store.history()]]
  for (const step of steps) {
    await step()
    seen.push([store.artifacts(), store.history()])
  }
  assert.is(tip(store), start + steps.length)
  for (const [i, wanted] of seen.entries()) {
    using then = store.at({ operation: start + i })
    assert.equal([then.artifacts(), then.history()], wanted, `operation ${start + i}`)
  }
  using beginning = store.at({ operation: 0 })
  assert.equal([beginning.artifacts(), beginning.history()], [[], []])
})

test('is read as it is today', async () => {
  await using bike = await bikes()
  const { store, path } = bike
  const before = tip(store)
  await store.remove(['bike'], { allVersions: true, aliases: true })
  await store.rename('bike', 'bicycle')
  const then = store.at({ operation: before })
  assert.is(then.version('bike:best').version, 'v1')
  assert.equal(
    [...then.entries('bike:v2')].map((entry) => entry.path),
    ['a.txt', 'b.txt', 'c.txt'],
  )
  assert.is(Buffer.concat([...then.read('bike:v0', 'a.txt')]).toString(), 'a\n')
  const { added } = await then.diff({ ref: 'bike:v0' }, { ref: 'bike:v1' })
  assert.is(added, 1)
  const dir = join(path, 'out')
  const report = await then.checkout('bike:best', dir)
  assert.equal([report.ref, report.added], ['bike:v1', 2])
  assert.is(readFileSync(join(dir, 'b.txt'), 'utf8'), 'b\n')
  assert.is(store.binding(dir)?.name, 'bicycle')
  assert.equal(
    then.aliasHistory('best').map(({ to }) => to),
    ['bike:v1'],
  )
})

test('is found by a time', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { at, operation } = store.operation(2)
  assert.is(store.at({ time: new Date(at) }).operation >= operation, true)
  assert.is(store.at({ time: new Date('2020-01-01') }).operation, 0)
  assert.is(store.at({ time: new Date('2100-01-01') }).operation, tip(store))
  const newest = Date.parse(store.operation(tip(store)).at)
  assert.is(store.at({ time: new Date(newest - 1) }).operation < tip(store), true)
})

test('says of what gc has removed since that it was', async () => {
  await using bike = await bikes()
  const { store, path } = bike
  const before = tip(store)
  const { id } = store.version('bike:v0')
  await store.remove(['bike:v0'])
  const { operation: removed = 0 } = await store.remove(['bike:v2'])
  const purge = await purgeVersion(bike, id)
  const then = store.at({ operation: before })
  const listed = then.versions('bike').map((version) => [version.version, version.removed])
  assert.equal(listed, [
    ['v2', undefined],
    ['v1', undefined],
    ['v0', purge],
  ])
  assert.is(then.version('bike:v0').removed, purge)
  const message = /"bike:v0" was removed by gc/
  assert.match(throwsCode(() => [...then.entries('bike:v0')], 'ERR_NOT_FOUND').message, message)
  assert.match(
    throwsCode(() => [...then.read('bike:v0', 'a.txt')], 'ERR_NOT_FOUND').message,
    message,
  )
  await rejects(then.checkout('bike:v0', join(path, 'out')), 'ERR_NOT_FOUND')
  await rejects(then.diff({ ref: 'bike:v0' }, { ref: 'bike:v1' }), 'ERR_NOT_FOUND')
  assert.match((await rejects(store.restore(['bike:v0']), 'ERR_NOT_FOUND')).message, message)
  assert.match(throwsCode(() => store.version('bike:v0'), 'ERR_NOT_FOUND').message, message)
  assert.match((await rejects(store.undo(removed - 1), 'ERR_NOT_FOUND')).message, message)
  const final = await rejects(store.undo(purge), 'ERR_CONFLICT')
  assert.match(final.message, 'only removed bytes')
  assert.is((await store.undo()).undone, removed)
})

test('the status of a directory whose version gc has removed says so', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { id } = store.version('bike:v2')
  await store.remove(['bike:v2'])
  await purgeVersion(bike, id)
  const [status] = await store.status()
  assert.equal([status?.state, status?.gone, status?.changes], ['unknown', 'removed', []])
})

test('is no operation that is not there', async () => {
  await using bike = await bikes()
  const error = throwsCode(() => bike.store.at({ operation: 99 }), 'ERR_NOT_FOUND')
  assert.match(error.hint ?? '', 'The newest is 4')
})

/** Writes what gc writes when it gives up a version; returns the operation. */
async function purgeVersion({ store }: Bikes, version: ObjectId): Promise<number> {
  const opened = await openStore({ root: store.root, tool: 'artifacts/0.1.0' })
  try {
    const artifact = opened.index.state.versionById(version)?.artifact as ArtifactId
    const changes: readonly Change[] = [{ kind: 'version.purge', artifact, version }]
    const { operation } = await commitOperation(opened, {
      packs: [],
      plan: () => ({ changes, outcome: undefined }),
    })
    return operation ?? 0
  } finally {
    opened.close()
  }
}

test.run()
