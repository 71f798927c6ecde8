/** References: what is recorded of bytes that stay elsewhere, when that makes a version, and when they are refused. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact } from '../../src/index.ts'
import { workspace } from '../library/workspace.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { draft, pathsOf } from './logging.ts'
import { fileUri, site } from './sites.ts'

const test = suite('behaviours: references')

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

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
