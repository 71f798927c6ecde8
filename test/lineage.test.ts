/** The graph of what versions come from and what came of them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Lineage } from '../src/index.ts'
import { type Workspace, workspace } from './library/workspace.ts'
import { rejects } from './support/rejects.ts'

const test = suite('lineage')

/** raw -> (prepare) -> data -> (train) -> model -> (report) -> page; train uses base, too; data:v1 is derived from data:v0. */
async function pipeline(): Promise<Workspace> {
  const ws = await workspace()
  const { store } = ws
  const commit = (name: string, text: string, options = {}): Promise<unknown> =>
    store.commit([ws.write('files', { a: text })], { name, ...options })
  await commit('raw', 'raw')
  await commit('base', 'base')
  for (const [job, inputs, output] of [
    ['prepare', ['raw'], 'data'],
    ['train', ['data', 'base'], 'model'],
    ['report', ['model'], 'page'],
  ] as const) {
    await using run = await store.startRun({ name: job })
    for (const input of inputs) await run.useArtifact(input)
    await commit(output, `made by ${job}`, { run: run.id })
  }
  await commit('data', 'data again', { base: 'data:v0' })
  return ws
}

function told({ versions, runs, edges }: Lineage): Record<string, unknown> {
  const names = new Map<string, string>([
    ...versions.map(({ id, ref }) => [id, ref] as const),
    ...runs.map(({ id, name = '' }) => [id, name] as const),
  ])
  return {
    versions: versions.map(({ ref, distance }) => `${ref} ${distance}`).sort(),
    edges: edges.map(({ from, to, kind }) => `${names.get(from)} ${kind} ${names.get(to)}`).sort(),
  }
}

test('leads up to all that a version was made from, and down to all that was made from it', async () => {
  await using ws = await pipeline()
  assert.equal(told(ws.store.lineage('model')), {
    versions: ['base:v0 -1', 'data:v0 -1', 'model:v0 0', 'page:v0 1', 'raw:v0 -2'],
    edges: [
      'base:v0 uses train',
      'data:v0 uses train',
      'model:v0 uses report',
      'prepare logs data:v0',
      'raw:v0 uses prepare',
      'report logs page:v0',
      'train logs model:v0',
    ],
  })
})

test('goes one way, and only so far', async () => {
  await using ws = await pipeline()
  const { store } = ws
  const up = store.lineage('page', { direction: 'up', depth: 1 })
  assert.equal(told(up)['versions'], ['model:v0 -1', 'page:v0 0'])
  assert.ok(up.more)
  assert.not.ok(store.lineage('page', { direction: 'up', depth: 3 }).more)
  const down = store.lineage('raw', { direction: 'down' })
  assert.equal(told(down)['versions'], [
    'data:v0 1',
    'data:v1 2',
    'model:v0 2',
    'page:v0 3',
    'raw:v0 0',
  ])
  assert.equal(store.lineage('raw', { direction: 'up' }).edges, [])
  assert.equal(store.lineage('raw', { depth: 0 }).versions.length, 1)
})

test('knows parents and children, also of a version that was deleted', async () => {
  await using ws = await pipeline()
  const { store } = ws
  await store.remove(['data:v0'])
  const { versions, edges } = store.lineage('data:v1', { depth: 1 })
  assert.equal(
    versions.map(({ ref, state }) => [ref, state]),
    [
      ['data:v1', 'live'],
      ['data:v0', 'deleted'],
    ],
  )
  assert.equal(
    edges.map(({ kind }) => kind),
    ['parent'],
  )
})

test('names every run that logged the same content, and says which found it there', async () => {
  await using ws = await pipeline()
  const { store } = ws
  const again = await store.startRun({ name: 'again' })
  await store.commit([ws.write('files', { a: 'made by train' })], { name: 'model', run: again.id })
  const { edges, runs } = store.lineage('model', { depth: 1, direction: 'up' })
  const logs = edges.filter(({ kind }) => kind === 'logs')
  assert.equal(
    logs.map(({ from, deduplicated }) => [
      runs.find(({ id }) => id === from)?.name,
      deduplicated === true,
    ]),
    [
      ['train', false],
      ['again', true],
    ],
  )
})

test('a run that uses what it logged makes no endless walk', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun()
  await store.commit([ws.write('files', { a: '1' })], { name: 'bike', run: run.id })
  await run.useArtifact('bike')
  const { versions, edges } = store.lineage('bike')
  assert.equal([versions.length, edges.length], [1, 2])
})

test('asks for a version that is there', async () => {
  await using ws = await pipeline()
  await rejects((async () => ws.store.lineage('nothing'))(), 'ERR_NOT_FOUND')
})

test.run()
