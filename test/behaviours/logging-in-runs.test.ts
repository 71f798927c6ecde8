/** What runs log, use and link: names that are made up, other runs, failures on the way, and models. */
import fs from 'node:fs'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, type ArtifactVersion, type Run, Store } from '../../src/index.ts'
import { installFaults } from '../../src/store/io/faults.ts'
import { workspace } from '../library/workspace.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { draft, log, pathsOf, picture } from './logging.ts'

const test = suite('behaviours: logging in runs')

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

test('a file, folder or URI that is logged by itself is called by the run and its basename', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun({ id: 'r1' })
  const dir = ws.write('the data', { 'a b.txt': 'a', 'sub/c': 'c' })
  const file = await run.logArtifact(`${dir}/a b.txt`)
  assert.equal([file.name, await pathsOf(file)], ['run-r1-a-b.txt', ['a b.txt']])
  const folder = await run.logArtifact(dir)
  assert.equal([folder.name, await pathsOf(folder)], ['run-r1-the-data', ['a b.txt', 'sub/c']])
  const uri = await run.logArtifact(pathToFileURL(`${dir}/sub/c`))
  assert.equal([uri.name, (await uri.entry('c')).kind], ['run-r1-c', 'reference'])
  const named = await run.logArtifact(dir, { name: 'mine', type: 'model', aliases: ['x'] })
  assert.equal([named.ref, named.type, named.aliases.includes('x')], ['mine:v0', 'model', true])
})

test('a path that leads nowhere is an error, and never becomes text', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun()
  const before = picture(ws)
  for (const text of ['data.csv', './data.csv', 'some words']) {
    await rejects(run.logArtifact(text, { name: 'n' }), 'ERR_NOT_FOUND')
    await rejects(run.log('n', text), 'ERR_NOT_FOUND')
  }
  assert.is(picture(ws), before)
  assert.equal(run.edges(), [])
})

test('what a run logged and used is told in its order, each version once', async () => {
  await using ws = await workspace()
  const { store } = ws
  const inputs = []
  for (const text of ['1', '2', '3']) inputs.push(await log(ws, { a: text }))
  const run = await store.startRun()
  for (const version of [...inputs, ...inputs]) await run.useArtifact(version)
  const data = ws.write('data', { a: 'x' })
  for (const name of ['b', 'a', 'b']) await run.logArtifact(data, { name })
  assert.equal(await refs(run.usedArtifacts()), ['bike:v0', 'bike:v1', 'bike:v2'])
  assert.equal(await refs(run.loggedArtifacts()), ['b:v0', 'a:v0'])
  const one = await store.artifact('bike:v1')
  assert.equal(await ids(one.usedBy()), [run.id])
  assert.is(await one.loggedBy(), undefined)
  assert.is((await (await store.artifact('a')).loggedBy())?.id, run.id)
})

test('using a link is using its source', async () => {
  await using ws = await workspace()
  const { store } = ws
  const source = await log(ws, { a: '1' })
  const link = await source.link('registry/champions', { aliases: ['prod'] })
  const run = await store.startRun()
  const used = await run.useArtifact('registry/champions:prod')
  assert.equal([used.ref, used.sourceRef], ['registry/champions:v0', 'bike:v0'])
  assert.equal([await ids(source.usedBy()), await ids(link.usedBy())], [[run.id], [run.id]])
  await link.unlink()
  assert.equal(await refs(run.usedArtifacts()), ['bike:v0'])
})

test('a draft that is linked or used is logged first, and once', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun()
  const artifact = draft()
  await artifact.addDir(ws.write('data', { a: '1' }))
  const link = await run.linkArtifact(artifact, 'champions')
  assert.equal([link.isLink, link.sourceRef], [true, 'bike:v0'])
  assert.equal(
    [link.entity, link.sourceProject, link.sourceName],
    [store.entity, 'default', 'bike'],
  )
  assert.equal(await refs((await store.artifact('bike')).linkedArtifacts()), ['champions:v0'])
  const used = await run.useArtifact(artifact)
  assert.is(used.ref, 'bike:v0')
  assert.is(store.versions('bike').length, 1)
})

test('a run that was looked up logs into its own project, whatever the default one is', async () => {
  await using ws = await workspace()
  const { id } = await ws.store.startRun({ project: 'vision' })
  ws.store.settings.set('project', 'elsewhere')
  using other = await Store.open({ store: ws.store.root })
  assert.is(other.project, 'elsewhere')
  const run = await other.run(id)
  const version = await run.logArtifact(ws.write('data', { a: '1' }), { name: 'bike' })
  assert.is(version.project, 'vision')
  const committed = await other.commit(draft())
  assert.is(committed.project, 'elsewhere')
})

test('a version is logged again by another run as what it is, and aliases move to it', async () => {
  await using ws = await workspace()
  const { store } = ws
  const first = await store.startRun()
  const version = await first.logArtifact(ws.write('data', { a: '1' }), { name: 'bike' })
  await log(ws, { a: '2' }, { aliases: ['best'] })
  const second = await store.startRun()
  const again = await second.logArtifact(await store.artifact('bike:v0'), { aliases: ['best'] })
  assert.is(again.id, version.id)
  assert.is((await store.artifact('bike:best')).version, 'v0')
  assert.equal(await ids(version.loggedBy({ all: true })), [first.id, second.id])
  const bad = second.logArtifact(version, { aliases: ['v9'] })
  await rejects(bad, 'ERR_INVALID_NAME')
})

test('wherever the disk fails while a run logs, the version is there whole with its edge, or neither is', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun()
  ws.store.settings.set('durability', 'power')
  let failures = 0
  for (let at = 1; ; at++) {
    const artifact = draft()
    await artifact.addDir(ws.write(`data${at}`, { a: `${at}`.repeat(5000), same: 'same' }))
    const before = ws.store.history().length
    const faults = installFaults({ at, fault: { do: 'fail', code: 'EIO' } })
    const failed = await run.logArtifact(artifact).then(
      () => undefined,
      (error: Error) => error,
    )
    const { fired } = faults
    faults.reset()
    using other = await Store.open({ store: ws.store.root })
    const versions = other.history()
    assert.ok(versions.length - before <= 1, `call ${at}`)
    assert.is((await other.run(run.id)).edges().length, versions.length, `call ${at}`)
    for (const { ref } of versions) assert.ok((await other.verify(ref)).ok, `call ${at}`)
    if (failed !== undefined) {
      failures++
      assert.match(String(failed), /EIO|i\/o error|did not confirm/i, `call ${at}: ${failed}`)
      const again = await run.logArtifact(artifact)
      assert.equal(readTree(await again.download(ws.at(`out${at}`))), readTree(ws.at(`data${at}`)))
    }
    if (!fired) break
  }
  assert.ok(failures > 10, `${failures}`)
  assert.ok((await Store.fsck({ store: ws.store.root })).ok)
})

test('models are of the type model, and found by it', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun()
  const dir = ws.write('out', { 'model.h5': 'w', 'more/x': '1' })
  await run.logModel(`${dir}/model.h5`, { name: 'net' })
  assert.is(fs.readFileSync(await run.useModel('net'), 'utf8'), 'w')
  await run.logModel(dir, { name: 'whole' })
  assert.equal(readTree(await run.useModel('whole:v0')), { 'model.h5': 'w', 'more/x': '1' })
  const data = new Artifact('data', { type: 'dataset' })
  await run.logArtifact(data)
  const before = run.edges().length
  await rejects(run.useModel('data'), 'ERR_TYPE_MISMATCH')
  assert.is(run.edges().length, before)
  const link = await run.linkModel(`${dir}/model.h5`, 'registry/best', {
    name: 'net',
    aliases: ['prod'],
  })
  assert.equal([link.ref, link.sourceRef], ['registry/best:v0', 'net:v0'])
  assert.is(store.versions('net').length, 1, 'its content was there')
  await rejects(run.linkModel(`${dir}/model.h5`, 'no/such/entity/best'), 'ERR_INVALID_NAME')
})

test('a run that is deduplicated, or finished, still says what it did', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun({ name: 'train' })
  const dir = ws.write('data', { a: '1' })
  void run.logArtifact(dir, { name: 'bike' })
  await run.finish()
  assert.equal(await refs(run.loggedArtifacts()), ['bike:v0'])
  assert.is((await (await ws.store.findRun({ name: 'train' })).artifact('bike')).ref, 'bike:v0')
})

test.run()
