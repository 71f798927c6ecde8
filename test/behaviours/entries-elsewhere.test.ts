/** References to entries of other versions, and values that are read through references. */
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, Media, PartitionedTable, Table } from '../../src/index.ts'
import { workspace } from '../library/workspace.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { draft, log } from './logging.ts'
import { fileUri, site } from './sites.ts'

const test = suite('behaviours: entries elsewhere')

test('an entry of another version is referred to by itself, its URL or a ref, down to where its bytes are', async () => {
  await using ws = await workspace()
  const first = await log(ws, { 'a/b': 'text', tiny: '' })
  const entry = await first.entry('a/b')
  const second = new Artifact('second', { type: 'result' })
  await second.addReference(entry, { as: 'by-entry' })
  const middle = await ws.store.commit(second)
  const third = ws.store.draft('third', { type: 'result' })
  await third.addReference(await middle.entry('by-entry'), { as: 'chain' })
  await third.addReference(entry.url, { as: 'by-url' })
  await third.addReference('artifacts://bike:v0/a/b', { as: 'by-ref' })
  const version = await ws.store.commit(third)
  for await (const { uri, size, digest } of version.files()) {
    assert.equal([uri, size], [entry.url, 4])
    assert.equal(digest, entry.digest)
  }
  assert.equal(readTree(await version.download(ws.at('out'))), {
    'by-ref': 'text',
    'by-url': 'text',
    chain: 'text',
  })
})

test('of a version that was deleted nothing can be had, and both are named', async () => {
  await using ws = await workspace()
  const first = await log(ws, { a: 'text' })
  const second = new Artifact('second', { type: 'result' })
  await second.addReference(await first.entry('a'))
  const version = await ws.store.commit(second)
  await first.delete()
  const { message } = await rejects(version.download(ws.at('out')), 'ERR_NOT_FOUND')
  assert.match(message, 'second:v0')
  assert.match(message, 'bike:v0')
  await ws.store.restore([`@${first.id}`])
  assert.equal(readTree(await version.download(ws.at('out'))), { a: 'text' })
})

test('pictures of another version are referred to, and come along with a download', async () => {
  await using ws = await workspace()
  const source = draft()
  const pictures = ['cat', 'dog', 'emu'].map((text) => new Media('image', Buffer.from(text)))
  await source.add('all', new Table({ columns: ['image'], data: pictures.map((image) => [image]) }))
  const first = await ws.store.commit(source)
  const [, ...rest] = (await first.get<Table>('all'))?.data ?? []
  const chosen = new Artifact('chosen', { type: 'dataset' })
  await chosen.add('some', new Table({ columns: ['image'], data: rest }))
  const version = await ws.store.commit(chosen)
  const kinds: string[] = []
  for await (const { kind } of version.manifest()) kinds.push(kind)
  assert.equal(kinds.sort(), ['file', 'reference', 'reference'])
  const dir = await version.download(ws.at('out'))
  const texts = Object.entries(readTree(dir)).filter(([path]) => path.startsWith('media/'))
  assert.equal(texts.map(([, text]) => text).sort(), ['dog', 'emu'])
  const cells = (await version.get<Table>('some'))?.data ?? []
  const contents = await Promise.all(
    cells.map(async ([image]) => String(Buffer.from(await (image as Media).bytes()))),
  )
  assert.equal(contents, ['dog', 'emu'])
})

test('what was got from one store is refused by another, which could not find it', async () => {
  await using ws = await workspace()
  await using elsewhere = await workspace()
  const source = draft()
  const picture = new Media('image', Buffer.from('cat'))
  await source.add('t', new Table({ columns: ['image'], data: [[picture]] }))
  const version = await ws.store.commit(source)
  const byEntry = draft()
  await byEntry.addReference(await version.entry('t.table.json'))
  const byValue = draft()
  await byValue.add('t', (await version.get<Table>('t')) ?? null)
  const run = await elsewhere.store.startRun({ group: 'g' })
  for (const artifact of [byEntry, byValue]) {
    for (const take of [
      () => elsewhere.store.commit(artifact),
      () => run.logArtifact(artifact),
      () => run.upsertArtifact(artifact),
    ]) {
      const { message } = await rejects(take(), 'ERR_USAGE')
      assert.match(message, 'another store')
    }
    assert.equal(elsewhere.store.artifacts(), [])
    assert.is((await ws.store.commit(artifact)).name, 'bike')
  }
})

test('a value is read through references, of a draft and of a version, and never when it has changed', async () => {
  await using ws = await workspace()
  const first = draft()
  await first.add('parts/0', new Table({ columns: ['n'], data: [[1]] }))
  await first.add('parts/1', new Table({ columns: ['n'], data: [[2]] }))
  const version = await ws.store.commit(first)
  fs.writeFileSync(ws.at('far.json'), '{"a": 1}')
  const second = ws.store.draft('second', { type: 'result' })
  await second.addReference(`artifacts://${version.id}/parts`, { as: 'parts' })
  await second.addReference(fileUri(ws.at('far.json')))
  await second.add('all', new PartitionedTable('parts'))
  const rows = async (from: Pick<Artifact, 'get'>): Promise<unknown[]> => {
    const found: unknown[] = []
    for await (const row of (await from.get<PartitionedTable>('all'))?.rows() ?? []) found.push(row)
    return found
  }
  assert.equal(await rows(second), [[1], [2]])
  assert.equal(await second.get('far.json'), { a: 1 })
  const logged = await ws.store.commit(second)
  assert.equal(await rows(logged), [[1], [2]])
  assert.equal(await rows(logged.newDraft()), [[1], [2]])
  assert.equal(await logged.get('far.json'), { a: 1 })
  fs.writeFileSync(ws.at('far.json'), '{"a": 2}')
  await rejects(logged.get('far.json'), 'ERR_REMOTE_CHANGED')
})

test('an entry that is a reference is read like a file, and fails in the end when it has changed', async () => {
  await using ws = await workspace()
  await using at = await site(ws, { '/a.txt': { body: 'some text' } })
  const version = await ws.store.commit(at.artifact)
  const entry = await version.entry('a.txt')
  const text = async (options = {}): Promise<string> => {
    let all = ''
    for await (const bytes of entry.read(options)) all += bytes
    return all
  }
  assert.is(await text(), 'some text')
  assert.is(await text({ start: 5, end: 7 }), 'te')
  at.pages.set('/a.txt', { body: 'some tExt' })
  await rejects(text(), 'ERR_REMOTE_CHANGED')
  await rejects(text({ end: 2 }), 'ERR_REMOTE_CHANGED')
})

test.run()
