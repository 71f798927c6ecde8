/** Labels, deleting and undoing that lose the race for an operation's number to another process, which changes the plan. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Store } from '../src/index.ts'
import { commitOperation } from '../src/store/index/commit-point.ts'
import { intercept } from '../src/store/io/intercept.ts'
import type { Change } from '../src/store/log/change.ts'
import { openStore } from '../src/store/open.ts'
import type { ObjectId } from '../src/types.ts'
import { type Bikes, bikes, openAgain, tip } from './stores.ts'
import { rejects } from './support/rejects.ts'

const test = suite('labels, second in the race')

/** Runs something between the planning of `late` and its commit point. */
async function raced<T>(
  { store }: Bikes,
  late: (store: Store) => Promise<T>,
  early: (other: Store) => unknown,
): Promise<T> {
  using other = await openAgain(store)
  let isDone = false
  const stop = intercept({
    before(call) {
      if (call.kind !== 'link' || isDone) return
      isDone = true
      // Runs to its end before the link is made: nothing in it waits.
      early(other)
    },
  })
  try {
    return await late(store)
  } finally {
    stop()
    assert.ok(isDone, 'the race took place')
  }
}

test('a version that got an alias meanwhile is not removed', async () => {
  await using bike = await bikes()
  const error = await rejects(
    raced(
      bike,
      (store) => store.remove(['bike:v0']),
      (other) => other.alias('bike:v0', ['mine']),
    ),
    'ERR_IN_USE',
  )
  assert.match(error.message, '"bike:v0" (mine)')
  assert.is(bike.store.versions('bike').length, 3)
})

test('latest falls to what is left by then, and all versions are all there are by then', async () => {
  await using bike = await bikes()
  const { store } = bike
  await raced(
    bike,
    () => store.remove(['bike:v2']),
    (other) => other.remove(['bike:v0']),
  )
  assert.is(store.version('bike').version, 'v1')
  const report = await raced(
    bike,
    () => store.remove(['bike'], { allVersions: true, aliases: true }),
    (other) => other.restore(['bike:v2', 'bike:v0']),
  )
  assert.is(report.removed.length, 3)
})

test('what is removed by both is removed once', async () => {
  await using bike = await bikes()
  const { removed, operation } = await raced(
    bike,
    (store) => store.remove(['bike:v0']),
    (other) => other.remove(['bike:v0']),
  )
  assert.equal([removed, operation], [[], undefined])
})

test('a version that was removed meanwhile gets no labels', async () => {
  await using bike = await bikes()
  const lates: readonly ((store: Store) => Promise<unknown>)[] = [
    (store) => store.tag('bike:v0', ['x']),
    (store) => store.alias('bike:v0', ['x']),
    (store) => store.edit('bike:v0', { description: 'x' }),
  ]
  for (const late of lates) {
    await rejects(
      raced(bike, late, (other) => other.remove(['bike:v0'])),
      'ERR_NOT_FOUND',
    )
    await bike.store.restore(['bike:v0'])
  }
})

test('labels of another process are kept', async () => {
  await using bike = await bikes()
  const { store } = bike
  await raced(
    bike,
    () => store.edit('bike:v0', { metadata: { mine: 1 } }),
    (other) => other.edit('bike:v0', { metadata: { yours: 2 } }),
  )
  assert.equal(store.version('bike:v0').metadata, { yours: 2, mine: 1 })
  const tagged = await raced(
    bike,
    () => store.tag('bike:v0', ['mine']),
    (other) => other.tag('bike:v0', ['yours']),
  )
  assert.equal(tagged.tags, ['mine', 'yours'])
})

test('a name that was taken meanwhile is not given again', async () => {
  await using bike = await bikes()
  await bike.commit('car')
  await rejects(
    raced(
      bike,
      (store) => store.rename('bike', 'bus'),
      (other) => other.rename('car', 'bus'),
    ),
    'ERR_EXISTS',
  )
})

test('an operation whose value was changed meanwhile is not undone', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { operation } = await store.alias('bike:v0', ['mine'])
  const error = await rejects(
    raced(
      bike,
      () => store.undo(operation),
      (other) => other.alias('bike:v1', ['mine']),
    ),
    'ERR_CONFLICT',
  )
  assert.is(error.data['later'], tip(store))
  const twice = await rejects(
    raced(
      bike,
      () => store.undo(),
      (other) => other.undo(),
    ),
    'ERR_CONFLICT',
  )
  assert.match(twice.message, 'undone already')
})

test('a version that gc purged meanwhile is not restored, nor is its deletion undone', async () => {
  await using bike = await bikes()
  const { store } = bike
  const lates: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['bike:v0', () => store.restore(['bike:v0'])],
    ['bike:v2', () => store.undo()],
  ]
  for (const [ref, late] of lates) {
    const { id } = store.version(ref)
    await store.remove([ref])
    const opened = await openStore({ root: store.root, tool: 'artifacts/0.1.0' })
    const error = await rejects(
      raced(bike, late, () => purge(opened, id)),
      'ERR_NOT_FOUND',
    )
    opened.close()
    assert.is(error.message, `Version "${ref}" was removed by gc.`)
  }
})

/** What gc writes; to its end at once. */
function purge(opened: Awaited<ReturnType<typeof openStore>>, version: ObjectId): void {
  const artifact = opened.index.state.versionById(version)?.artifact
  if (artifact === undefined) throw new Error('no such version')
  const changes: readonly Change[] = [{ kind: 'version.purge', artifact, version }]
  commitOperation(opened, { packs: [], plan: () => ({ changes, outcome: undefined }) }).catch(
    assert.unreachable,
  )
}

test.run()
