/** References: what is recorded of bytes that stay elsewhere, when that makes a version, and when they are refused. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, Media, PartitionedTable, Table } from '../../src/index.ts'
import { type Workspace, workspace } from '../library/workspace.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { type Web, web } from '../support/web.ts'
import { draft, log, pathsOf } from './logging.ts'

const test = suite('behaviours: references')

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const fileUri = (path: string): string => pathToFileURL(path).href

/** A site that the store trusts to send bytes, and a draft of `bike` that refers to all of it. */
async function site(
  ws: Workspace,
  pages: Parameters<typeof web>[0],
): Promise<Web & { readonly artifact: Artifact }> {
  const server = await web(pages)
  ws.store.settings.set('references.hosts', server.host)
  const artifact = draft()
  for (const path of Object.keys(pages ?? {})) await artifact.addReference(`${server.url}${path}`)
  return { ...server, artifact }
}

test('a file is referred to by its basename or another name, a folder by what is in it', async () => {
  await using ws = await workspace()
  const dir = ws.write('odd %41 ä #', { a: '1', 'sub dir/b?': '22', '100%': '333' })
  const artifact = draft()
  const paths = async (path: string, as?: string): Promise<string[]> => {
    const found = await artifact.addReference(fileUri(path), as === undefined ? {} : { as })
    return found.map((entry) => entry.path)
  }
  assert.equal(await paths(`${dir}/a`), ['a'])
  assert.equal(await paths(`${dir}/a`, 'other/name'), ['other/name'])
  assert.equal(await paths(`${dir}/a`, 'folder/'), ['folder/a'])
  assert.equal(await paths(dir, 'all'), ['all/100%', 'all/a', 'all/sub dir/b?'])
  const version = await ws.store.commit(artifact)
  assert.equal([version.fileCount, version.size], [6, 1 + 1 + 1 + 6])
  fs.rmSync(ws.at('out'), { recursive: true, force: true })
  assert.is(readTree(await version.download(ws.at('out')))['all/sub dir/b?'], '22')
  for (const none of [`${dir}/none`, `${dir}/a/b`]) {
    await rejects(draft().addReference(fileUri(none)), 'ERR_NOT_FOUND')
  }
  for (const wrong of ['no scheme', '/plain/path', 'file://far-away/a', 'file:']) {
    await rejects(draft().addReference(wrong), 'ERR_USAGE')
  }
})

test('with a checksum the content counts, without one the URI alone', async () => {
  await using ws = await workspace()
  const numbers = async (checksum: boolean): Promise<string[]> => {
    const name = checksum ? 'with' : 'without'
    const made: string[] = []
    for (const [file, text] of [
      ['a', 'one'],
      ['a', 'one'],
      ['a', 'two'],
      ['b', 'two'],
      ['b', 'two'],
    ] as const) {
      fs.writeFileSync(ws.at(file), text)
      const artifact = new Artifact(name, { type: 'dataset' })
      await artifact.addReference(fileUri(ws.at(file)), { as: 'it', checksum })
      made.push((await ws.store.commit(artifact)).version)
    }
    return made
  }
  // A reference is where its bytes are, too: the same bytes elsewhere are another one.
  assert.equal(await numbers(true), ['v0', 'v0', 'v1', 'v2', 'v2'])
  assert.equal(await numbers(false), ['v0', 'v0', 'v0', 'v1', 'v1'])
})

test('of a page its ETag is recorded without quotes and as it was sent, and its length', async () => {
  await using ws = await workspace()
  await using at = await site(ws, { '/file1.txt': { body: 'hello', headers: { etag: '"abc"' } } })
  await at.artifact.addReference(`${at.url}/file1.txt`, { as: 'named.txt' })
  const version = await ws.store.commit(at.artifact)
  for (const path of ['file1.txt', 'named.txt']) {
    const entry = await version.entry(path)
    assert.equal([entry.kind, entry.size, entry.uri], ['reference', 5, `${at.url}/file1.txt`])
    assert.equal(entry.digest, { algorithm: 'etag', value: 'abc' })
  }
  const [stored] = ws.store.entries(version.ref)
  assert.is(stored?.kind === 'reference' && stored.reference.etag, '"abc"')
})

test('without a checksum nobody is asked', async () => {
  await using ws = await workspace()
  await using at = await site(ws, {})
  const uris = [
    `${at.url}/a`,
    's3://bucket/b',
    'gs://bucket/c',
    'https://x.blob.core.windows.net/d/d',
  ]
  for (const uri of uris) {
    assert.equal(await at.artifact.addReference(uri, { checksum: false }), [
      { path: uri.at(-1), size: undefined, localPath: undefined },
    ])
  }
  const version = await ws.store.commit(at.artifact)
  for (const uri of uris) {
    const { digest } = await version.entry(uri.at(-1) ?? '')
    assert.equal(digest, { algorithm: 'uri', value: sha256(uri) })
  }
  assert.equal(at.asked, [])
})

test('more objects than the limit are an error, never a part of them', async () => {
  await using ws = await workspace()
  const dir = ws.write(
    'many',
    Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`${n}`, ''])),
  )
  const artifact = draft()
  await rejects(artifact.addReference(fileUri(dir), { maxObjects: 8 }), 'ERR_USAGE')
  await rejects(
    artifact.addReference(fileUri(dir), { checksum: false, maxObjects: 8 }),
    'ERR_USAGE',
  )
  assert.is((await ws.store.commit(artifact)).fileCount, 0)
  const whole = draft()
  assert.is((await whole.addReference(fileUri(dir), { maxObjects: 9 })).length, 9)
  assert.is((await ws.store.commit(whole)).fileCount, 9, 'also those of no bytes')
})

test('a scheme that nobody knows is recorded, and its bytes are asked for in vain', async () => {
  await using ws = await workspace()
  const artifact = draft()
  await artifact.addReference('ref://example.com/dir/file.txt')
  await artifact.addReference('ref://example.com/dir/file.txt', { as: 'other' })
  await rejects(artifact.addReference('ref://'), 'ERR_USAGE')
  const version = await ws.store.commit(artifact)
  assert.equal(await pathsOf(version), ['file.txt', 'other'])
  assert.is(version.size, 0)
  const { message } = await rejects(version.download(ws.at('out')), 'ERR_UNSUPPORTED')
  assert.match(message, 'ref:')
  await version.download(ws.at('out'), { allowMissingReferences: true })
  assert.not.ok(fs.existsSync(ws.at('out/file.txt')))
})

test('what changed at its source is refused, what is gone is named or left out on request', async () => {
  await using ws = await workspace()
  await using at = await site(ws, {
    '/a.txt': { body: 'one', headers: { etag: '"1"' } },
    '/b.txt': { body: 'two' },
  })
  fs.writeFileSync(ws.at('c.txt'), 'three')
  await at.artifact.addReference(fileUri(ws.at('c.txt')))
  const version = await ws.store.commit(at.artifact)
  const whole = { 'a.txt': 'one', 'b.txt': 'two', 'c.txt': 'three' }
  assert.equal(readTree(await version.download(ws.at('first'))), whole)
  at.pages.set('/a.txt', { body: 'one', headers: { etag: '"2"' } })
  for (const allowMissingReferences of [false, true]) {
    const download = version.download(ws.at('second'), { allowMissingReferences })
    const { message } = await rejects(download, 'ERR_REMOTE_CHANGED')
    assert.match(message, 'a.txt')
  }
  at.pages.delete('/a.txt')
  fs.rmSync(ws.at('c.txt'))
  const { message } = await rejects(version.download(ws.at('second')), 'ERR_NOT_FOUND')
  assert.match(message, 'a.txt')
  assert.not.ok(fs.existsSync(ws.at('second')))
  await version.download(ws.at('second'), { allowMissingReferences: true })
  assert.equal(readTree(ws.at('second')), { 'b.txt': 'two' })
})

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
  for (const artifact of [byEntry, byValue]) {
    const { message } = await rejects(elsewhere.store.commit(artifact), 'ERR_USAGE')
    assert.match(message, 'another store')
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

test('offline a reference is recorded as unresolved, and is looked at later', async () => {
  await using ws = await workspace()
  await using at = await site(ws, { '/a.txt': { body: 'one', headers: { etag: '"1"' } } })
  const artifact = draft()
  await artifact.addReference(`${at.url}/a.txt`, { offline: true })
  at.asked.length = 0
  const version = await ws.store.commit(artifact)
  assert.equal((await version.entry('a.txt')).digest?.algorithm, 'uri')
  assert.equal(at.asked, [])
  const later = await ws.store.commit([], { name: 'bike', resolve: version.ref })
  const resolved = await ws.store.artifact(later.ref)
  assert.equal((await resolved.entry('a.txt')).digest, { algorithm: 'etag', value: '1' })
})

test.run()
