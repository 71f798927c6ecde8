/** Lineage and portfolios: who made a version, who used it, and collections of links. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../src/index.ts'
import { workspace } from '../library/workspace.ts'
import { rejects } from '../support/rejects.ts'
import { log, picture } from './logging.ts'

const test = suite('behaviours: runs')

test('the same content from several runs is one version that all of them have logged', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', { a: '1' })
  const runs = []
  for (const name of ['first', 'second', 'third']) {
    const run = await store.startRun({ name })
    await store.commit([dir], { name: 'bike', run: run.id })
    runs.push(run)
  }
  assert.is(store.versions('bike').length, 1)
  assert.equal(
    runs.map((run) =>
      run.edges().map(({ ref, direction, deduplicated }) => [ref, direction, deduplicated]),
    ),
    [[['bike:v0', 'output', false]], [['bike:v0', 'output', true]], [['bike:v0', 'output', true]]],
  )
  assert.is(store.version('bike').run, runs[0]?.id)
})

test('what was committed outside of any run has none, and may be used by one', async () => {
  await using ws = await workspace()
  const { store } = ws
  const version = await log(ws, { a: '1' })
  assert.is(store.version('bike').run, undefined)
  await using run = await store.startRun()
  await run.useArtifact(version.ref)
  assert.equal(store.version('bike').usedBy, [run.id])
})

test('a run finds names in its own project, and what it uses keeps its own', async () => {
  await using ws = await workspace()
  const { store } = ws
  await store.commit([ws.write('data', { a: '1' })], { name: 'shared/bike' })
  await using run = await store.startRun({ project: 'train' })
  await rejects(run.useArtifact('bike'), 'ERR_NOT_FOUND')
  const used = await run.useArtifact('shared/bike')
  assert.equal([used.project, used.ref], ['shared', 'shared/bike:v0'])
  const { project } = await store.commit([ws.at('data')], { name: 'model', run: run.id })
  assert.is(project, 'train')
})

test('a use of another type, or of what is not there, records nothing', async () => {
  await using ws = await workspace()
  const { store } = ws
  await log(ws, { a: '1' })
  await using run = await store.startRun()
  const before = picture(ws)
  const error = await rejects(run.useArtifact('bike', { type: 'model' }), 'ERR_TYPE_MISMATCH')
  assert.match(error.message, '"dataset"')
  await rejects(run.useArtifact('bike:best'), 'ERR_NOT_FOUND')
  await rejects(run.useArtifact('somebody/default/bike'), 'ERR_NOT_FOUND')
  await rejects(store.commit([ws.at('none')], { name: 'b', run: run.id }), 'ERR_NOT_FOUND')
  await rejects(store.commit([ws.path], { name: 'b', run: 'no-such-run' }), 'ERR_NOT_FOUND')
  assert.is(picture(ws), before)
  assert.equal(run.edges(), [])
})

test('a run that is looked up by somebody else can log and use, in its own project', async () => {
  await using ws = await workspace()
  const { id } = await ws.store.startRun({ name: 'train', project: 'vision' })
  using other = await Store.open({ store: ws.store.root })
  const run = await other.findRun({ name: 'train', project: 'vision' })
  assert.is(run.id, id)
  const dir = ws.write('data', { a: '1' })
  assert.is((await other.commit([dir], { name: 'bike', run: run.id })).ref, 'vision/bike:v0')
  await run.useArtifact('bike')
  assert.equal(
    run.edges().map(({ direction, ref }) => [direction, ref]),
    [
      ['output', 'vision/bike:v0'],
      ['input', 'vision/bike:v0'],
    ],
  )
})

test('a portfolio numbers what is linked to it by itself, and knows where each came from', async () => {
  await using ws = await workspace()
  const { store } = ws
  for (const text of ['1', '2', '3']) await log(ws, { a: text })
  const links = []
  for (const ref of ['bike:v1', 'bike:v2', 'bike:v1']) {
    links.push(await store.link(ref, 'registry/champions'))
  }
  assert.equal(
    links.map(({ ref, source, created }) => [ref, source, created]),
    [
      ['registry/champions:v0', 'bike:v1', true],
      ['registry/champions:v1', 'bike:v2', true],
      ['registry/champions:v0', 'bike:v1', false],
    ],
  )
  // What is linked already stays where it is.
  assert.is(store.version('registry/champions').source, 'bike:v2')
  assert.equal(store.version('bike:v0').links ?? [], [])
  assert.equal(store.version('bike:v2').links, ['registry/champions:v1'])
})

test('a link has aliases of its own, and what it says is what its source says', async () => {
  await using ws = await workspace()
  const { store } = ws
  await log(ws, { a: '1' }, { aliases: ['best'], tags: ['t'] })
  await store.link('bike:best', 'champions', { aliases: ['prod'] })
  const { aliases, tags } = store.version('champions')
  assert.equal([[...aliases].sort(), tags], [['latest', 'prod'], ['t']])
  await store.alias('champions:v0', ['staging'])
  assert.equal([...store.version('bike').aliases].sort(), ['best', 'latest'])
  await store.edit('champions:v0', { description: 'said of both' })
  assert.is(store.version('bike').description, 'said of both')
})

test('unlinking takes the link alone; a linked version stays until nothing links it', async () => {
  await using ws = await workspace()
  const { store } = ws
  await log(ws, { a: '1' }, { aliases: ['best'] })
  await store.link('bike', 'champions', { aliases: ['prod'] })
  for (const options of [{}, { aliases: true }]) {
    await rejects(store.remove(['bike:v0'], options), 'ERR_IN_USE')
  }
  const refused = await rejects(store.unlink('bike:v0'), 'ERR_USAGE')
  assert.match(refused.hint ?? '', 'champions:v0')
  await store.unlink('champions:prod')
  assert.not.ok(await store.artifactExists('champions:v0'))
  assert.is(store.version('bike:v0').digest, store.version('bike:best').digest)
  await rejects(store.remove(['bike:v0']), 'ERR_IN_USE')
  await store.remove(['bike:v0'], { aliases: true })
  assert.not.ok(await store.artifactExists('bike'))
})

test('a portfolio holds one type, and nothing can be logged to it', async () => {
  await using ws = await workspace()
  const { store } = ws
  const dir = ws.write('data', { a: '1' })
  await log(ws, { a: '1' })
  await store.link('bike', 'champions')
  await store.commit([dir], { name: 'net', type: 'model' })
  await rejects(store.link('net', 'champions'), 'ERR_TYPE_MISMATCH')
  await rejects(store.commit([dir], { name: 'champions' }), 'ERR_TYPE_MISMATCH')
  for (const bad of ['a b', 'p/champions:v1', 'somebody/p/champions', '..']) {
    await rejects(store.link('bike', bad), 'ERR_INVALID_NAME')
  }
  assert.is(store.versions('champions').length, 1)
})

test('a type that a portfolio holds is not changed behind its back', async () => {
  await using ws = await workspace()
  const { store } = ws
  await log(ws, { a: '1' })
  await log(ws, { a: '2' })
  await store.link('bike:v0', 'champions')
  const before = picture(ws)
  for (const name of ['bike', 'champions']) {
    const { message } = await rejects(
      store.editArtifact(name, { type: 'model' }),
      'ERR_TYPE_MISMATCH',
    )
    assert.match(message, 'champions')
  }
  assert.is(picture(ws), before)
  await store.unlink('champions:v0')
  const { operation } = await store.editArtifact('bike', { type: 'model' })
  await store.link('bike:v1', 'champions')
  const { message } = await rejects(store.undo(operation), 'ERR_CONFLICT')
  assert.match(message, 'link')
  await store.undo()
  await store.undo(operation)
  assert.is((await store.artifact('bike:v0')).type, 'dataset')
})

test('a portfolio is listed by its own numbers, and its links are not pruned', async () => {
  await using ws = await workspace()
  const { store } = ws
  for (const text of ['1', '2', '3']) await log(ws, { a: text }, { tags: [`t${text}`] })
  for (const ref of ['bike:v2', 'bike:v0']) await store.link(ref, 'registry/champions')
  const listed = async (filter: Parameters<typeof store.artifacts>[0]): Promise<string[]> => {
    const found: string[] = []
    for await (const { ref, sourceRef } of store.artifacts(filter))
      found.push(`${ref} ${sourceRef}`)
    return found
  }
  const all = ['registry/champions:v1 bike:v0', 'registry/champions:v0 bike:v2']
  assert.equal(await listed({ name: 'registry/champions' }), all)
  assert.equal(
    await listed({ name: 'champions', project: 'registry', reverse: true }),
    all.toReversed(),
  )
  assert.equal(await listed({ name: 'registry/champions', tags: ['t3'] }), all.slice(1))
  assert.equal((await listed({})).length, 3)
  const { hint } = await rejects(store.prune('registry/champions', { keepLast: 1 }), 'ERR_USAGE')
  assert.match(hint ?? '', 'artifacts unlink')
})

test('lineage goes from what was used to what came of it, over any number of runs', async () => {
  await using ws = await workspace()
  const { store } = ws
  await log(ws, { a: '0' })
  for (let n = 0; n < 3; n++) {
    await using run = await store.startRun({ name: `step ${n}` })
    await run.useArtifact(n === 0 ? 'bike' : `out${n - 1}`)
    await store.commit([ws.write('data', { n: String(n) })], { name: `out${n}`, run: run.id })
  }
  const refs = (direction: 'up' | 'down', ref: string): string[] =>
    store.lineage(ref, { direction }).versions.map((version) => version.ref)
  assert.equal(refs('down', 'bike'), ['bike:v0', 'out0:v0', 'out1:v0', 'out2:v0'])
  assert.equal(refs('up', 'out2'), ['out2:v0', 'out1:v0', 'out0:v0', 'bike:v0'])
  assert.equal(refs('up', 'bike'), ['bike:v0'])
})

test.run()
