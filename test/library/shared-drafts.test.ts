/** Versions that several runs and processes build together. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, PartitionedTable, type Run, Store } from '../../src/index.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { type Workspace, workspace } from './workspace.ts'

const test = suite('shared-drafts')
const WRITER = fileURLToPath(new URL('./draft-writer.js', import.meta.url))

function draft(type = 'dataset'): Artifact {
  return new Artifact('sweep', { type })
}

/** A draft with one file. */
async function withFile(path: string, text: string): Promise<Artifact> {
  const artifact = draft()
  const file = artifact.newFile(path)
  file.write(text)
  await file.close()
  return artifact
}

async function upsert(run: Run, path: string, text: string, overwrite = false): Promise<void> {
  await run.upsertArtifact(await withFile(path, text), { overwrite })
}

async function filesOf(ws: Workspace, ref: string): Promise<Record<string, unknown>> {
  const version = await ws.store.artifact(ref)
  return readTree(await version.download(ws.at(`out-${version.id}`)))
}

test('five processes fill one artifact with tables that are read back as one', async () => {
  await using ws = await workspace()
  const processes = [0, 1, 2, 3, 4].map(async (part) => {
    const args = [WRITER, ws.store.root, 'sweep-7', String(part)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    assert.equal((await once(child, 'close'))[0], 0)
  })
  await Promise.all(processes)
  assert.not.ok(await ws.store.artifactExists('sweep'))
  await using run = await ws.store.startRun({ group: 'sweep-7' })
  const last = draft()
  await last.add('all', new PartitionedTable('parts'))
  const version = await run.finishArtifact(last, { aliases: ['done'] })
  assert.is(version.ref, 'sweep:v0')
  const table = await version.get<PartitionedTable>('all')
  const rows: unknown[] = []
  if (table !== undefined) for await (const row of table.rows()) rows.push(row)
  assert.equal(rows, [
    [0, 0],
    [1, 1],
    [2, 4],
    [3, 9],
    [4, 16],
  ])
  let producers = 0
  for await (const producer of version.loggedBy({ all: true })) {
    assert.is(producer.group, 'sweep-7')
    producers++
  }
  assert.is(producers, 6)
  assert.equal([...(await ws.store.artifact('sweep:done')).aliases].sort(), ['done', 'latest'])
})

test('what is added after the end begins another version', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun({ group: 'g' })
  await upsert(run, 'a', '1')
  await upsert(run, 'b', '2')
  assert.is((await run.finishArtifact(draft())).ref, 'sweep:v0')
  assert.equal(await filesOf(ws, 'sweep'), { a: '1', b: '2' })
  await rejects(run.finishArtifact(draft()), 'ERR_NOT_FOUND')
  await upsert(run, 'c', '3')
  assert.is((await run.finishArtifact(await withFile('d', '4'))).ref, 'sweep:v1')
  assert.equal(await filesOf(ws, 'sweep'), { c: '3', d: '4' })
  assert.equal(ws.store.drafts(), [])
})

test('without a group or an id nobody knows which draft is meant', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun()
  await rejects(run.upsertArtifact(draft()), 'ERR_USAGE')
  await rejects(run.finishArtifact(draft()), 'ERR_USAGE')
  await run.upsertArtifact(await withFile('a', '1'), { distributedId: 'x' })
  await run.upsertArtifact(await withFile('b', '2'), { distributedId: 'y' })
  assert.equal(
    ws.store.drafts().map(({ key }) => key),
    ['x', 'y'],
  )
  await run.finishArtifact(draft(), { distributedId: 'y' })
  assert.equal(await filesOf(ws, 'sweep'), { b: '2' })
})

test('writers that disagree are both named, and nothing is lost', async () => {
  await using ws = await workspace()
  const one = await ws.store.startRun({ id: 'one', group: 'g' })
  const two = await ws.store.startRun({ id: 'two', group: 'g' })
  await upsert(one, 'same', 'equal')
  await upsert(two, 'same', 'equal')
  await upsert(one, 'own', 'first')
  await upsert(one, 'own', 'second')
  await upsert(one, 'a', '1')
  await upsert(two, 'a', '2')
  await upsert(one, 'dir/x', '1')
  await upsert(two, 'dir', '2')
  const error = await rejects(one.finishArtifact(draft()), 'ERR_CONFLICT')
  assert.match(error.message, /"a" by "run one" and with other bytes by "run two"/)
  assert.match(error.message, /"dir" by "run two" and, below it, "dir\/x" by "run one"/)
  assert.not.match(error.message, '"same"')
  assert.not.match(error.message, '"own"')
  const [open] = ws.store.drafts()
  assert.is(open?.parts.length, 8)
  await ws.store.removeFromDraft(['dir'])
  await upsert(one, 'a', '3', true)
  await one.finishArtifact(draft())
  assert.equal(await filesOf(ws, 'sweep'), { a: '3', own: 'second', same: 'equal' })
})

test('a type that is another is refused, by the artifact and by the draft', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun({ group: 'g' })
  await upsert(run, 'a', '1')
  const other = draft('model')
  await other.add('x', 1)
  await rejects(run.upsertArtifact(other), 'ERR_TYPE_MISMATCH')
  await run.finishArtifact(draft())
  await rejects(run.upsertArtifact(other), 'ERR_TYPE_MISMATCH')
})

test('a draft can start from a version, which stays as long as it is open', async () => {
  await using ws = await workspace()
  const { store } = ws
  const first = await store.commit(await withFile('a', '1'))
  const run = await store.startRun({ group: 'g' })
  const next = first.newDraft()
  await next.remove('a')
  await next.add('b', 2)
  await run.upsertArtifact(next)
  await rejects(next.add('c', 3), 'ERR_FINALIZED')
  const held = await rejects(first.delete(), 'ERR_IN_USE')
  assert.match(held.message, '"g"')
  await upsert(run, 'c', '3')
  const version = await run.finishArtifact(draft())
  assert.equal(version.parents, [first.id])
  assert.equal(await filesOf(ws, 'sweep'), { 'b.json': '2\n', c: '3' })
  await first.delete()
})

test('gc keeps what was added to an open draft, and takes what was given up', async () => {
  await using ws = await workspace()
  const { store } = ws
  const run = await store.startRun({ group: 'g' })
  const text = Array.from({ length: 20_000 }, () => Math.random()).join('\n')
  await upsert(run, 'large', text)
  await store.gc({ grace: '0' })
  const { problems } = await Store.fsck({ store: store.root }, { data: 1 })
  assert.equal(problems, [])
  const [open] = store.drafts()
  await store.abortDraft(open?.id)
  await rejects(store.finishDraft(open?.id), 'ERR_NOT_FOUND')
  const packed = (): number =>
    fs
      .readdirSync(`${store.root}/packs`)
      .reduce((sum, name) => sum + fs.statSync(`${store.root}/packs/${name}`).size, 0)
  assert.ok(packed() > 100_000)
  await store.gc({ grace: '0' })
  assert.ok(packed() < 10_000)
})

test('what an open draft lacks is damage that fsck names', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun({ group: 'g' })
  await upsert(run, 'large', Array.from({ length: 20_000 }, () => Math.random()).join('\n'))
  for (const name of fs.readdirSync(`${ws.store.root}/packs`)) {
    fs.rmSync(`${ws.store.root}/packs/${name}`)
  }
  const report = JSON.stringify(await Store.fsck({ store: ws.store.root }))
  assert.match(report, 'of the draft')
})

test('the log tells in words what happened to a draft', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun({ id: 'r', group: 'g' })
  await upsert(run, 'a', '1')
  await upsert(run, 'b', '1')
  await run.finishArtifact(draft())
  const words = [...ws.store.operations()].map(({ summary }) => summary)
  assert.equal(words.slice(0, 3), [
    'commit sweep:v0',
    'draft add sweep "g" by run r',
    'draft sweep "g"; draft add sweep "g" by run r',
  ])
  // That a draft has ended is not taken back; that its version came is.
  await ws.store.undo()
  assert.not.ok(await ws.store.artifactExists('sweep'))
  assert.equal(ws.store.drafts(), [])
})

test.run()
