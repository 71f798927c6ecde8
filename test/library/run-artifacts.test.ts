/** What runs log, use and link, and how that is found again. */
import fs from 'node:fs'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, type ArtifactVersion, type Run, Table } from '../../src/index.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { type Workspace, workspace } from './workspace.ts'

const test = suite('run-artifacts')

async function draft(
  ws: Workspace,
  text: string,
  name = 'bike',
  type = 'dataset',
): Promise<Artifact> {
  const artifact = new Artifact(name, { type })
  fs.rmSync(ws.at('data'), { recursive: true, force: true })
  await artifact.addFile(`${ws.write('data', { a: text })}/a`)
  return artifact
}

async function refs(versions: AsyncIterable<ArtifactVersion>): Promise<string[]> {
  const found: string[] = []
  for await (const { ref } of versions) found.push(ref)
  return found
}

async function ids(runs: AsyncIterable<Run>): Promise<string[]> {
  const found: string[] = []
  for await (const { id } of runs) found.push(id)
  return found
}

test('one run creates an artifact under a name with a space, and the next one finds it', async () => {
  await using ws = await workspace()
  const { store } = ws
  ws.write('data_samples', { 'sample.json': '{"a": 1}' })
  {
    await using run = await store.startRun({ name: 'create artifact', project: 'examples' })
    const version = await run.log('data file', ws.at('data_samples/sample.json'))
    assert.is(version.ref, 'examples/data-file:v0')
  }
  await using run = await store.startRun({
    name: 'use artifact from other task',
    project: 'examples',
  })
  const producer = await store.findRun({ name: 'create artifact', project: 'examples' })
  assert.is(producer.state, 'finished')
  const version = await producer.artifact('data file')
  const path = await version.localPath()
  assert.is(path.endsWith('/sample.json'), true)
  assert.equal(JSON.parse(fs.readFileSync(path, 'utf8')), { a: 1 })
  const used = await run.useArtifact(version)
  assert.is(used.id, version.id)
  assert.is((await version.loggedBy())?.id, producer.id)
  assert.equal(await ids(version.usedBy()), [run.id])
  assert.equal(await refs(run.usedArtifacts()), ['examples/data-file:v0'])
  assert.equal(await refs(producer.loggedArtifacts()), ['examples/data-file:v0'])
})

test('the same content logged by many runs is one version with all of them', async () => {
  await using ws = await workspace()
  const { store } = ws
  const first = await store.startRun()
  const second = await store.startRun()
  const version = await first.logArtifact(await draft(ws, '1'))
  assert.is((await second.logArtifact(await draft(ws, '1'), { aliases: ['again'] })).id, version.id)
  assert.is((await store.artifact('bike:again')).version, 'v0')
  assert.is((await version.loggedBy())?.id, first.id)
  assert.equal(await ids(version.loggedBy({ all: true })), [first.id, second.id])
  const third = await store.startRun()
  assert.is((await third.logArtifact(version, { slot: 'old', aliases: ['old'] })).id, version.id)
  assert.equal(await ids(version.loggedBy({ all: true })), [first.id, second.id, third.id])
  assert.is((await third.artifact('old')).id, version.id)
  const [edge] = third.edges()
  assert.ok(edge?.deduplicated)
  const outside = await store.commit(await draft(ws, '2'))
  assert.is(await outside.loggedBy(), undefined)
})

test('using a draft makes it a version once', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun()
  const artifact = await draft(ws, '1')
  const first = await run.useArtifact(artifact)
  await store.commit(await draft(ws, '2'))
  assert.is((await run.useArtifact(artifact)).id, first.id)
  assert.is((await run.useArtifact(await draft(ws, '1'))).id, first.id)
  assert.equal(await refs(run.usedArtifacts()), ['bike:v0'])
  assert.equal(await refs(run.loggedArtifacts()), [])
  await rejects(run.useArtifact('bike', { type: 'model' }), 'ERR_TYPE_MISMATCH')
  await rejects(run.useArtifact(first, { type: 'model' }), 'ERR_TYPE_MISMATCH')
})

test('paths, URIs and values are logged as they are', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun({ id: 'abc' })
  const dir = ws.write('data', { 'a.txt': 'a', 'b/c': 'c' })
  assert.is((await run.logArtifact(`${dir}/a.txt`)).ref, 'run-abc-a.txt:v0')
  assert.is((await run.logArtifact(dir, { name: 'all', type: 'result' })).type, 'result')
  assert.equal(readTree(await (await store.artifact('all')).download(ws.at('out'))), {
    'a.txt': 'a',
    'b/c': 'c',
  })
  const reference = await run.logArtifact(pathToFileURL(`${dir}/a.txt`))
  assert.is((await reference.entry('a.txt')).kind, 'reference')
  const scores = await run.log('val scores', { f1: 0.9 }, { tags: ['x'], metadata: { n: 1 } })
  assert.equal(await scores.get('val-scores'), { f1: 0.9 })
  assert.equal([scores.ref, scores.tags, scores.metadata], ['val-scores:v0', ['x'], { n: 1 }])
  const table = await run.log('t', new Table({ columns: ['a'], data: [[1]] }), { as: 'my_table' })
  assert.ok(await table.get<Table>('my_table'))
  await rejects(run.log('typo', './no/such/file'), 'ERR_NOT_FOUND')
  await rejects(run.log('语', 1), 'ERR_INVALID_NAME')
  const slots: string[] = []
  for await (const { slot } of run.artifacts()) slots.push(slot)
  assert.equal(slots, ['run-abc-a.txt', 'all', 'run-abc-a.txt', 'val scores', 't'])
  const files: string[] = []
  for await (const { path } of run.files()) files.push(path)
  assert.equal(files.sort(), [
    'a.txt',
    'a.txt',
    'a.txt',
    'b/c',
    'my_table.table.json',
    'val-scores.json',
  ])
})

test('numbers follow the order in which things are logged, whatever they are', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun()
  const large = ws.write(
    'large',
    Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`${n}`, `${n}`])),
  )
  const versions = await Promise.all([
    run.log('x', large),
    run.log('x', 1),
    run.logArtifact(await draft(ws, 'late', 'x')),
    run.log('x', 2),
  ])
  assert.equal(
    versions.map(({ version }) => version),
    ['v0', 'v1', 'v2', 'v3'],
  )
  void run.log('x', 3)
  await run.finish()
  assert.is((await ws.store.artifact('x')).version, 'v4')
})

test('what a run used has values, and the first that has one gives it', async () => {
  await using ws = await workspace()
  const { store } = ws
  const producer = await store.startRun()
  await producer.log('first', { n: 1 }, { as: 'numbers' })
  await producer.log('second', { n: 2 }, { as: 'numbers' })
  await producer.log('third', null, { as: 'nothing' })
  const run = await store.startRun()
  assert.is(await run.get('numbers'), undefined)
  await run.useArtifact('second')
  await run.useArtifact('first')
  await run.useArtifact('third')
  assert.equal(await run.get('numbers'), { n: 2 })
  assert.is(await run.get('nothing'), null)
})

test('models are logged, used and linked with one call each', async () => {
  await using ws = await workspace()
  const { store } = ws
  ws.write('out', { 'model.h5': 'weights', 'more/a': '1' })
  const run = await store.startRun({ id: 'train' })
  const version = await run.logModel(ws.at('out/model.h5'), { name: 'net', aliases: ['best'] })
  assert.equal([version.type, version.ref], ['model', 'net:v0'])
  const file = await run.useModel('net:best')
  assert.is(fs.readFileSync(file, 'utf8'), 'weights')
  await run.logModel(ws.at('out'), { name: 'folder' })
  assert.equal(readTree(await run.useModel('folder')), { 'model.h5': 'weights', 'more/a': '1' })
  await run.logArtifact(ws.at('out/more'), { name: 'data', type: 'dataset' })
  await rejects(run.useModel('data'), 'ERR_TYPE_MISMATCH')
  const link = await run.linkModel(ws.at('out/model.h5'), 'champion', {
    name: 'net',
    aliases: ['prod'],
  })
  assert.equal([link.ref, link.sourceRef, link.isLink], ['champion:v0', 'net:v0', true])
  assert.equal([...link.aliases].sort(), ['latest', 'prod'])
  await rejects(run.linkModel(ws.at('out/model.h5'), 'a/b/c/d'), 'ERR_INVALID_NAME')
})

test('a link has its own number and aliases, and everything else of its source', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun()
  await run.logArtifact(await draft(ws, '1'))
  const source = await run.logArtifact(await draft(ws, '2'), { aliases: ['best'] })
  const link = await run.linkArtifact(source, 'champion')
  assert.equal(
    [link.name, link.version, link.sourceName, link.sourceVersion, link.id],
    ['champion', 'v0', 'bike', 'v1', source.id],
  )
  assert.equal(await refs(source.linkedArtifacts()), ['champion:v0'])
  assert.equal(await refs(link.linkedArtifacts()), [])
  await link.update({ aliases: { add: ['prod'] }, tags: ['x'], description: 'of the source' })
  assert.equal([...link.aliases].sort(), ['latest', 'prod'])
  const again = await store.artifact('bike:best')
  assert.equal(
    [again.tags, again.description, [...again.aliases].sort()],
    [['x'], 'of the source', ['best', 'latest']],
  )
  assert.equal((await store.artifact('champion:prod')).ref, 'champion:v0')
  const other = await (await store.artifact('champion')).link('winners', { aliases: ['one'] })
  assert.equal([other.ref, other.sourceRef], ['winners:v0', 'bike:v1'])
  const user = await store.startRun()
  await user.useArtifact('champion:prod')
  assert.equal(await ids(source.usedBy()), [user.id])
  const next = link.newDraft()
  next.description = 'edited'
  await next.addFile(`${ws.write('more', { b: 'b' })}/b`)
  assert.is((await store.commit(next)).ref, 'bike:v2')
  await rejects(source.unlink(), 'ERR_USAGE')
  await link.delete()
  assert.equal(await refs(source.linkedArtifacts()), ['winners:v0'])
  assert.is((await store.artifact('bike:v1')).state, 'committed')
  const linked = await run.linkArtifact(await draft(ws, '3'), 'other/fresh')
  assert.equal(
    [linked.qualifiedName, linked.sourceRef],
    [`${store.entity}/other/fresh:v0`, 'bike:v3'],
  )
})

test('when a version was updated is when a label, an alias or its life last changed', async () => {
  await using ws = await workspace()
  const { store } = ws
  const first = await store.commit(await draft(ws, '1'))
  const at = (n: number): number => Date.parse(store.operation(n).at)
  assert.is(first.updatedAt.getTime(), at(1))
  await store.commit(await draft(ws, '2'))
  assert.is((await store.artifact('bike:v0')).updatedAt.getTime(), at(2), 'latest went')
  await first.update({ description: 'x' })
  assert.is(first.updatedAt.getTime(), at(3))
  await first.delete()
  assert.is(first.updatedAt.getTime(), at(4))
})

test.run()
