/** Runs as a program uses them: what they record, how they are found, and how they end. */
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { type Workspace, workspace } from './library/workspace.ts'
import { rejects } from './support/rejects.ts'
import { temporaryDirectory } from './support/temp.ts'

const test = suite('runs')

function sign({ store }: Workspace, run: string): string {
  return join(store.root, 'live', run)
}

test('a run keeps what it was started with, and is found by id, path and name', async () => {
  await using ws = await workspace()
  const { store } = ws
  const options = { name: 'Daten größer/2', job: 'prepare', group: 'g', notes: 'n' }
  const run = await store.startRun({ ...options, tags: ['x', 'x'], config: { lr: 0.1, on: true } })
  assert.match(run.id, /^[a-z2-7]{12}$/)
  const { startedAt, user, host, operation, ...facts } = run.toJSON()
  assert.equal(facts, {
    ...options,
    id: run.id,
    project: 'default',
    tags: ['x'],
    config: { lr: 0.1, on: true },
    state: 'running',
  })
  assert.equal(run.startedAt.toISOString(), startedAt)
  const paths = [run.id, `default/${run.id}`, `${run.entity}/default/${run.id}`]
  for (const path of [...paths, options.name, `default/${options.name}`])
    assert.is((await store.run(path)).id, run.id, path)
  const error = await rejects(store.run('p/none'), 'ERR_NOT_FOUND')
  assert.match(error.message, '"p/none"')
})

test('the newest of equal names is meant, and one elsewhere is offered', async () => {
  await using ws = await workspace()
  const { store } = ws
  await store.startRun({ name: 'train', tags: ['a'] })
  const second = await store.startRun({ name: 'train' })
  const third = await store.startRun({ name: 'eval', project: 'p' })
  assert.is((await store.run('train')).id, second.id)
  assert.is((await store.findRun({ name: 'train', tags: ['a'] })).tags.length, 1)
  const error = await rejects(store.run('eval'), 'ERR_NOT_FOUND')
  assert.match(error.hint ?? '', '"p/eval"')
  assert.is((await store.findRun({ name: 'eval', project: 'p' })).id, third.id)
  await rejects(store.findRun({ name: 'train', tags: ['b'] }), 'ERR_NOT_FOUND')
})

test('runs are listed newest first, by what they are', async () => {
  await using ws = await workspace()
  const { store } = ws
  const ids: string[] = []
  for (const options of [{ job: 'a' }, { job: 'b', project: 'p' }, { job: 'a', group: 'g' }])
    ids.push((await store.startRun(options)).id)
  await (await store.run(ids[2] ?? '')).finish({ failed: true })
  const list = async (filter?: Parameters<Store['runs']>[0]): Promise<number[]> => {
    const found: number[] = []
    for await (const { id } of store.runs(filter)) found.push(ids.indexOf(id))
    return found
  }
  assert.equal(await list(), [2, 1, 0])
  assert.equal(await list({ job: 'a' }), [2, 0])
  assert.equal(await list({ path: 'me/p' }), [1])
  assert.equal(await list({ state: 'running' }), [1, 0])
  assert.equal(await list({ state: 'failed', group: 'g' }), [2])
  assert.equal(await list({ state: 'crashed' }), [])
})

test('what cannot be a run is refused, and nothing is written', async () => {
  await using ws = await workspace()
  const { store } = ws
  await store.startRun({ id: 'mine' })
  await rejects(store.startRun({ id: 'mine' }), 'ERR_EXISTS')
  assert.ok(existsSync(sign(ws, 'mine')))
  for (const id of ['', '.', 'a/b', 'x'.repeat(65)])
    await rejects(store.startRun({ id }), 'ERR_INVALID_NAME')
  await rejects(store.startRun({ name: '' }), 'ERR_INVALID_NAME')
  await rejects(store.startRun({ project: 'a b' }), 'ERR_INVALID_NAME')
  await rejects(store.startRun({ tags: ['a/b'] }), 'ERR_INVALID_NAME')
  assert.is([...store.operations()].length, 1)
  assert.equal(readdirSync(join(store.root, 'live')), ['mine'])
})

test('a commit in a run is its output, and its version names the run', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun({ project: 'vision' })
  const data = ws.write('data', { a: '1' })
  const report = await store.commit([data], { name: 'bike', run: run.id, slot: 'data file' })
  assert.equal([report.project, report.ref, report.run], ['vision', 'vision/bike:v0', run.id])
  assert.is(store.version('vision/bike').run, run.id)
  const [edge] = run.edges()
  assert.equal(
    [edge?.direction, edge?.slot, edge?.ref, edge?.state, edge?.files],
    ['output', 'data file', 'vision/bike:v0', 'live', 1],
  )
  assert.is((await run.artifact('data file')).id, report.id)
  assert.is(store.operation(2).summary, 'commit vision/bike:v0')
  const error = await rejects(run.artifact('data'), 'ERR_NOT_FOUND')
  assert.match(error.hint ?? '', '"data file"')
})

test('unchanged content makes no version, and the edge is recorded once', async () => {
  await using ws = await workspace()
  const { store } = ws
  const data = ws.write('data', { a: '1' })
  const { id } = await store.commit([data], { name: 'bike' })
  const run = await store.startRun()
  for (let i = 0; i < 2; i++) {
    const report = await store.commit([data], { name: 'bike', run: run.id })
    assert.equal([report.created, report.id], [false, id])
  }
  assert.equal(
    run.edges().map((edge) => [edge.id, edge.deduplicated]),
    [[id, true]],
  )
  assert.is([...store.operations()].length, 3)
})

test('using a version checks its type, and records nothing where that is another', async () => {
  await using ws = await workspace()
  const { store } = ws
  await store.commit([ws.write('data', { a: '1' })], { name: 'p/bike', type: 'dataset' })
  const run = await store.startRun({ project: 'p' })
  await rejects(run.useArtifact('bike', { type: 'model' }), 'ERR_TYPE_MISMATCH')
  await rejects(run.useArtifact('bike:v7'), 'ERR_NOT_FOUND')
  assert.equal(run.edges(), [])
  const used = await run.useArtifact('bike', { type: 'dataset', slot: 'training data' })
  assert.is(used.ref, 'p/bike:v0')
  await run.useArtifact('bike:v0', { slot: 'training data' })
  assert.equal(
    run.edges().map(({ direction, slot, ref }) => [direction, slot, ref]),
    [['input', 'training data', 'p/bike:v0']],
  )
  assert.equal(store.version('p/bike').usedBy, [run.id])
  const found = await run.artifact('training data', { direction: 'input' })
  assert.is(found.id, used.id)
})

test('a past use keeps a deleted version only by name', async () => {
  await using ws = await workspace()
  const { store } = ws
  await store.commit([ws.write('data', { a: '1' })], { name: 'bike' })
  const run = await store.startRun()
  await run.useArtifact('bike')
  await store.remove(['bike:v0'])
  assert.equal(
    run.edges().map(({ ref, state }) => [ref, state]),
    [['bike:v0', 'deleted']],
  )
  await rejects(run.artifact('bike', { direction: 'input' }), 'ERR_NOT_FOUND')
})

test('a run ends once, however often that is said, and its sign of life is gone', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun()
  assert.ok(existsSync(sign(ws, run.id)))
  await run.finish({ exitCode: 0 })
  assert.equal([run.state, run.exitCode], ['finished', 0])
  assert.ok((run.endedAt ?? 0) >= run.startedAt)
  assert.not.ok(existsSync(sign(ws, run.id)))
  await run.finish()
  await rejects(run.finish({ failed: true }), 'ERR_CONFLICT')
  assert.is([...ws.store.operations()].length, 2)
})

test('leaving the block ends a run that was started in it, not one that was looked up', async () => {
  await using ws = await workspace()
  let id = ''
  {
    await using run = await ws.store.startRun()
    id = run.id
    {
      await using same = await ws.store.run(id)
      assert.is(same.state, 'running')
    }
    assert.is(run.state, 'running')
  }
  assert.is((await ws.store.run(id)).state, 'finished')
})

test('several runs go on in one process, one after the other or at once', async () => {
  await using ws = await workspace()
  const { store } = ws
  await using outer = await store.startRun({ name: 'outer' })
  for (const name of ['first', 'second']) {
    await using run = await store.startRun({ name })
    await store.commit([ws.write('data', { name })], { name: 'bike', run: run.id })
  }
  await store.commit([ws.write('data', { name: 'third' })], { name: 'bike', run: outer.id })
  const versions = store.versions('bike').map(({ ref }) => store.version(ref).run)
  const names = await Promise.all(versions.map(async (run) => (await store.run(run ?? '')).name))
  assert.equal(names, ['outer', 'second', 'first'])
})

test('a run whose sign of life is old, or names a dead process, has crashed', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun()
  const path = sign(ws, run.id)
  const text = readFileSync(path, 'utf8')
  const old = new Date(Date.now() - 121_000)
  utimesSync(path, old, old)
  assert.is(run.state, 'crashed')
  utimesSync(path, new Date(), new Date())
  assert.is(run.state, 'running')
  writeFileSync(path, text.replace(`.${process.pid}.`, '.999999999.'))
  assert.is(run.state, 'crashed')
  for await (const { id } of store.runs({ state: 'crashed' })) assert.is(id, run.id)
  writeFileSync(path, text.replace(/^[^.]+/, 'another-host'))
  assert.is(run.state, 'running')
  await run.finish({ failed: true })
  assert.is(run.state, 'failed')
})

test('gc removes signs of life of runs that have ended, and none of others', async () => {
  await using ws = await workspace()
  const { store } = ws
  const [ended, going] = [await store.startRun(), await store.startRun()]
  const text = readFileSync(sign(ws, ended.id))
  await ended.finish()
  writeFileSync(sign(ws, ended.id), text)
  writeFileSync(sign(ws, 'young'), text)
  writeFileSync(sign(ws, 'old'), text)
  const day = new Date(Date.now() - 25 * 3600 * 1000)
  utimesSync(sign(ws, 'old'), day, day)
  await store.gc()
  assert.equal(readdirSync(join(store.root, 'live')).sort(), [going.id, 'young'].sort())
})

test('labels of a run change in one operation, and undo gives them back', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun({ name: 'a', config: { lr: 1 } })
  await run.update({ name: null, notes: 'x', tags: ['t'], config: { lr: 2 } })
  assert.equal([run.name, run.notes, run.tags, run.config], [undefined, 'x', ['t'], { lr: 2 }])
  await rejects(run.update({ name: '' }), 'ERR_INVALID_NAME')
  const { summary } = await store.undo()
  assert.match(summary, run.id)
  assert.equal([run.name, run.notes, run.tags, run.config], ['a', undefined, [], { lr: 1 }])
})

test('undo takes back what a run committed, not that the run was', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun()
  await store.commit([ws.write('data', { a: '1' })], { name: 'bike', run: run.id })
  await run.finish()
  await store.undo()
  assert.equal(store.artifacts(), [])
  assert.equal([run.state, run.edges()[0]?.state], ['finished', 'deleted'])
})

test('runs of a shared store leave their signs where the whole group may', async () => {
  await using directory = await temporaryDirectory()
  const { store } = await Store.init(directory.path, { shared: true })
  await store.startRun()
  assert.is(statSync(join(store.root, 'live')).mode & 0o7777, 0o2775)
  store.close()
})

test('another process sees the run at once', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun({ name: 'shared' })
  using other = await Store.open({ store: ws.store.root })
  const same = await other.run('shared')
  await same.finish()
  assert.is(run.state, 'finished')
})

test.run()
