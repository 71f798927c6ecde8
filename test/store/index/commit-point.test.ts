import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commitOperation } from '../../../src/store/index/commit-point.ts'
import { installFaults, watchCalls } from '../../../src/store/io/faults.ts'
import { intercept } from '../../../src/store/io/intercept.ts'
import { operationPath } from '../../../src/store/layout.ts'
import { canonicalJson } from '../../../src/store/log/canonical.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import type { ArtifactId, ObjectId } from '../../../src/types.ts'
import { rejects } from '../../support/rejects.ts'
import { sampleArtifact, sampleObject, sampleOperation } from '../log/samples.ts'
import {
  commitTo,
  contentOf,
  removeIndexFiles,
  type Store,
  storeIn,
  temporaryStore,
  writePack,
} from './temporary-store.ts'

const test = suite('commit point')

test('writes nothing where nothing changes', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitTo(store, index, 'bike', sampleObject(1))
  const watched = watchCalls()
  const { outcome, operation } = await commitTo(store, index, 'bike', sampleObject(1, 5))
  assert.equal(watched.stop(), [])
  assert.is(outcome.kind, 'unchanged')
  assert.is(operation, undefined)
})

test('syncs two things a commit: the operation and its name', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  for (let i = 0; i < 3; i++) {
    assert.equal(await syncsOf(() => commitTo(store, index, 'bike', sampleObject(i))), [
      'fsync',
      'fsyncDirectory',
    ])
  }
  using next = store.open()
  assert.equal(await syncsOf(() => commitTo(store, next, 'bike', sampleObject(9))), [
    'fsync',
    'fsyncDirectory',
  ])
})

test('syncs the names of operations first whose durability nobody has seen', async () => {
  await using store = await temporaryStore()
  {
    using index = store.open()
    await commitTo(store, index, 'bike', sampleObject(1))
    await commitTo(store, index, 'bike', sampleObject(2))
  }
  removeIndexFiles(store)
  using index = store.open()
  const expected = ['fsyncDirectory', 'fsync', 'fsyncDirectory']
  assert.equal(await syncsOf(() => commitTo(store, index, 'bike', sampleObject(3))), expected)

  using faults = installFaults({
    at: 1,
    kinds: ['fsyncDirectory'],
    fault: { do: 'fail', code: 'EIO' },
  })
  await rejects(commitTo(store, index, 'bike', sampleObject(4)), 'ERR_DURABILITY_UNKNOWN')
  faults.reset()
  assert.is(index.refresh().applied, 4)
  assert.equal(await syncsOf(() => commitTo(store, index, 'bike', sampleObject(5))), expected)
})

test('says that nothing changes only when what is there is durable', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  {
    using there = store.open()
    using faults = installFaults({ at: 1, kinds: ['link'], fault: { do: 'die', when: 'after' } })
    const died = await commitTo(store, there, 'bike', sampleObject(1)).catch((error) => error)
    assert.is(died.name, 'DeadError')
    faults.reset()
  }
  const again = (): Promise<unknown> => commitTo(store, index, 'bike', sampleObject(1))
  {
    using _ = installFaults({ at: 1, fault: { do: 'fail', code: 'EIO' } })
    await rejects(again(), 'ERR_DURABILITY_UNKNOWN')
  }
  assert.equal(await syncsOf(again), ['fsyncDirectory'])
  assert.equal(await syncsOf(again), [])
})

test('plans again on the state that won the race', async () => {
  await using store = await temporaryStore()
  using here = store.open()
  using there = store.open()
  let races = 0
  let racing = false
  const stop = intercept({
    before(call) {
      if (call.kind !== 'link' || racing || races === 2) return
      races++
      racing = true
      // Runs to its end before this link is made: nothing in it waits.
      commitTo(store, there, 'bike', sampleObject(`other ${races}`)).catch(assert.unreachable)
      racing = false
    },
  })
  const { outcome, operation } = await commitTo(store, here, 'bike', sampleObject('mine'))
  stop()
  assert.is(races, 2)
  assert.is(operation, 3)
  assert.is(outcome.kind === 'created' && outcome.number, 2)
  assert.equal(outcome.kind === 'created' && outcome.moved, [
    { alias: 'latest', from: versionId(sampleObject('other 2')) },
  ])
})

test('names no pack again that another operation named meanwhile', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { pack } = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
  const more = await writePack(store)
  await commitTo(store, index, 'bike', sampleObject(2), { packs: [pack, more.pack] })
  const packs = index.read((c) => c.all('SELECT name, operation FROM pack ORDER BY operation'))
  assert.equal(packs, [
    { name: pack.id, operation: 1 },
    { name: more.pack.id, operation: 2 },
  ])
})

test('ends with the reason of the signal, untouched, and commits nothing', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  assert.is(
    await commitTo(store, index, 'bike', sampleObject(1), { signal }).catch((e) => e),
    reason,
  )

  const controller = new AbortController()
  using there = store.open()
  const stop = intercept({
    before(call) {
      if (call.kind !== 'link' || controller.signal.aborted) return
      controller.abort(reason)
      commitTo(store, there, 'bike', sampleObject('other')).catch(assert.unreachable)
    },
  })
  const { signal: late } = controller
  const lost = await commitTo(store, index, 'bike', sampleObject(1), { signal: late }).catch(
    (e) => e,
  )
  stop()
  assert.is(lost, reason)
  assert.equal(readdirSync(store.layout.log), ['000000000001.json'])
})

test('ends with what the plan throws', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitTo(store, index, 'bike', sampleObject(1), { intent: { type: 'model' } })
  const again = commitTo(store, index, 'bike', sampleObject(2), { intent: { type: 'dataset' } })
  await rejects(again, 'ERR_TYPE_MISMATCH')
  assert.is(index.refresh().applied, 1)
})

test('reads a store that a newer program has written to, and does not write to it', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  await commitTo(store, index, 'bike', sampleObject(1))
  const { hash } = index.refresh()
  const newer = {
    ...sampleOperation(2, hash, []),
    tool: 'artifacts/9.9.9',
    changes: [{ kind: 'run.start' }],
  }
  const line = canonicalJson(newer)
  const second = createHash('sha256').update(line).digest('hex')
  writeFileSync(operationPath(store.layout, 2), `${line}\n${second}\n`)
  for (const how of ['open', 'rebuilt']) {
    if (how === 'rebuilt') removeIndexFiles(store)
    using reader = store.open()
    assert.is(reader.refresh().applied, 1)
    assert.is(reader.state.versions(sampleArtifact('bike')).length, 1)
    const error = await rejects(commitTo(store, reader, 'bike', sampleObject(2)), 'ERR_UNSUPPORTED')
    assert.match(error.message, 'Operation 2, written by "artifacts/9.9.9"')
    assert.match(error.message, 'run.start')
  }
  assert.is(readdirSync(store.layout.log).length, 2)
})

test('takes up its own commit, so that it can be read at once', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { operation } = await commitTo(store, index, 'bike', sampleObject(1))
  const row = index.read((c) => c.get<{ applied: number }>('SELECT applied FROM store'))
  assert.is(row?.applied, operation)
})

test('runs a plan of any kind', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  const { io, layout } = store
  const artifact = 'a'.repeat(32) as ArtifactId
  const committed = await commitOperation(
    { io, layout, index, by: { user: 'u', host: 'h' }, tool: 't/1' },
    {
      packs: [],
      plan: (state) => ({
        changes: [{ kind: 'artifact.create', artifact, project: 'p', name: 'n', type: 't' }],
        outcome: state.artifacts().length,
      }),
    },
  )
  assert.equal(committed, { outcome: 0, operation: 1 })
  const { tool, user, host } = index.state.operation(1) ?? {}
  assert.equal({ tool, user, host }, { tool: 't/1', user: 'u', host: 'h' })
})

interface Done {
  readonly operation: number
  readonly number: number
  readonly version: ObjectId
}

test('loses no commit of processes that race for every number', async () => {
  await using store = await temporaryStore()
  const results = await Promise.all([race(store, 'bike', 50, 'a'), race(store, 'bike', 50, 'b')])
  const all = results.flat().sort((a, b) => a.operation - b.operation)
  const numbers = Array.from({ length: 100 }, (_, i) => i)
  assert.equal(
    all.map(({ operation }) => operation),
    numbers.map((n) => n + 1),
  )
  assert.equal(
    all.map(({ number }) => number),
    numbers,
  )
  using index = store.open()
  assert.equal(
    index.state.versions(sampleArtifact('bike')).map(({ id }) => id),
    all.map(({ version }) => version),
  )
  const incremental = contentOf(index)
  index.close()
  removeIndexFiles(store)
  using rebuilt = storeIn(store.layout.root).open()
  assert.equal(contentOf(rebuilt), incremental)
  assert.equal(
    readdirSync(store.layout.log).filter((name) => name.startsWith('.')),
    [],
  )
})

test('lets processes that open a new store at once all commit', async () => {
  await using store = await temporaryStore('process')
  const results = await Promise.all(
    ['a', 'b', 'c', 'd'].map((self) => race(store, `of-${self}`, 3, self)),
  )
  assert.is(new Set(results.flat().map(({ operation }) => operation)).size, 12)
  using index = store.open()
  assert.is(index.state.artifacts().length, 4)
})

async function race(store: Store, name: string, count: number, self: string): Promise<Done[]> {
  const script = fileURLToPath(new URL('./race-child.js', import.meta.url))
  const child = spawn(process.execPath, [script, store.layout.root, name, String(count), self])
  const [output, errors] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  assert.is(errors, '')
  return JSON.parse(output)
}

async function syncsOf(work: () => Promise<unknown>): Promise<string[]> {
  const watched = watchCalls()
  await work()
  return watched.stop().flatMap(({ kind }) => (kind.startsWith('fsync') ? [kind] : []))
}

test.run()
