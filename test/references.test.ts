/** References in the library: what is recorded of what is at a URI. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Entry, ReferenceEntry } from '../src/index.ts'
import { bikes } from './stores.ts'
import { writeTree } from './support/files.ts'
import { rejects } from './support/rejects.ts'
import { web } from './support/web.ts'

const test = suite('references')

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
/** Paths with what is recorded, to be compared. */
const shown = (entries: Iterable<Entry>): Record<string, unknown> =>
  Object.fromEntries(
    Array.from(entries, (entry) => [
      entry.path,
      entry.kind === 'reference' ? { ...(entry as ReferenceEntry).reference } : entry.kind,
    ]),
  )

test('of a URL its ETag and length are recorded, without quotes and with', async () => {
  await using site = await web({
    '/data/a%20b.csv': { body: '12345', headers: { etag: '"abc"' } },
    '/weak': { body: '12', headers: { etag: 'W/"w"' } },
  })
  await using at = await bikes()
  const url = `${site.url}/data/a%20b.csv`
  assert.equal(shown(await at.store.resolveReference(`${url}?x=1#part`)), {
    'a b.csv': {
      uri: `${url}?x=1`,
      digest: { algo: 'etag', value: 'abc' },
      etag: '"abc"',
      size: 5,
      resolved: true,
    },
  })
  const weak = shown(await at.store.resolveReference(new URL(`${site.url}/weak`), { as: 'in/' }))
  assert.equal(Object.keys(weak), ['in/weak'])
  assert.match(JSON.stringify(weak), /"value":"W\/w"/)
})

test('where a server has no ETag the bytes are read once and hashed', async () => {
  await using site = await web({ '/a.txt': { body: 'hello' } })
  await using at = await bikes()
  assert.equal(shown(await at.store.resolveReference(`${site.url}/a.txt`, { as: 'b.txt' })), {
    'b.txt': {
      uri: `${site.url}/a.txt`,
      digest: { algo: 'sha256', value: sha256('hello') },
      size: 5,
      resolved: true,
    },
  })
})

test('without a checksum nobody is asked, and the URI alone tells one from another', async () => {
  await using site = await web()
  await using at = await bikes()
  for (const uri of [`${site.url}/a.txt`, 's3://bucket/dir/a.txt', 'gs://bucket/a.txt']) {
    assert.equal(shown(await at.store.resolveReference(uri, { checksum: false })), {
      'a.txt': { uri, digest: { algo: 'uri', value: sha256(uri) }, resolved: true },
    })
  }
  assert.equal(site.asked, [])
})

test('a URL that leads to nothing, or whose server refuses, is an error', async () => {
  await using site = await web({ '/no': { status: 403 } })
  await using at = await bikes()
  await rejects(at.store.resolveReference(`${site.url}/gone`), 'ERR_NOT_FOUND')
  await rejects(at.store.resolveReference(`${site.url}/no`), 'ERR_REMOTE_DENIED')
  const unnamed = await rejects(
    at.store.resolveReference(site.url, { checksum: false }),
    'ERR_USAGE',
  )
  assert.match(unnamed.hint ?? '', '--as PATH')
})

test('offline, what is on a network is recorded as unresolved, and files are recorded as ever', async () => {
  await using at = await bikes()
  const uri = 'https://example.org/a.bin'
  assert.equal(shown(await at.store.resolveReference(uri, { offline: true })), {
    'a.bin': { uri, digest: { algo: 'uri', value: sha256(uri) }, resolved: false },
  })
  const file = join(at.path, 'a.txt')
  writeFileSync(file, 'hello')
  const [entry] = await at.store.resolveReference(pathToFileURL(file), { offline: true })
  assert.ok((entry as ReferenceEntry).reference.resolved)
})

test('files are recorded by SHA-256, trees with their links and empty folders', async () => {
  await using at = await bikes()
  const dir = join(at.path, 'odd %20 ü')
  writeTree(dir, {
    'a.txt': 'hello',
    'sub/b#.txt': '',
    'sub/skip.tmp': 'x',
    empty: null,
    '.artifactsignore': '*.log\n',
    'x.log': 'x',
  })
  symlinkSync('a.txt', join(dir, 'link'))
  const entries = shown(
    await at.store.resolveReference(pathToFileURL(dir), { as: 'raw', exclude: ['*.tmp'] }),
  )
  assert.equal(Object.keys(entries), [
    'raw/.artifactsignore',
    'raw/a.txt',
    'raw/empty',
    'raw/link',
    'raw/sub/b#.txt',
  ])
  assert.equal(entries['raw/sub/b#.txt'], {
    uri: pathToFileURL(join(dir, 'sub/b#.txt')).href,
    digest: { algo: 'sha256', value: sha256('') },
    size: 0,
    resolved: true,
  })
  assert.is(entries['raw/link'], 'symlink')
  const bare = await at.store.resolveReference(pathToFileURL(join(dir, 'a.txt')), {
    checksum: false,
  })
  const { uri, size, digest } = (bare[0] as ReferenceEntry).reference
  assert.equal({ size, digest }, { size: 5, digest: { algo: 'uri', value: sha256(uri) } })
})

test('a missing file, a host that is not this one and a text without a scheme are errors', async () => {
  await using at = await bikes()
  const missing = await rejects(at.store.resolveReference('file:///no/such/file'), 'ERR_NOT_FOUND')
  assert.match(missing.message, '"/no/such/file"')
  await rejects(at.store.resolveReference('file://elsewhere/a'), 'ERR_USAGE')
  const plain = await rejects(at.store.resolveReference('data/a.txt'), 'ERR_USAGE')
  assert.match(plain.hint ?? '', 'commit --reference PATH')
})

test('a limit on objects is never passed over in silence', async () => {
  await using at = await bikes()
  const dir = join(at.path, 'many')
  writeTree(dir, { a: 'a', b: 'b', c: 'c' })
  assert.is((await at.store.resolveReference(pathToFileURL(dir), { maxObjects: 3 })).length, 3)
  const error = await rejects(
    at.store.resolveReference(pathToFileURL(dir), { maxObjects: 2 }),
    'ERR_USAGE',
  )
  assert.match(error.hint ?? '', '--max-objects')
})

test('any other scheme is kept by its text and named by its last part', async () => {
  await using at = await bikes()
  for (const [uri, name] of [
    ['hdfs://cluster/data/part-0', 'part-0'],
    ['wandb-artifacts://abc/table.json', 'table.json'],
    ['doi:10.5281/zenodo.1234', 'zenodo.1234'],
  ] as const) {
    assert.equal(shown(await at.store.resolveReference(uri)), {
      [name]: { uri, digest: { algo: 'uri', value: sha256(uri) }, resolved: true },
    })
  }
})

test('what opens doors is not put into a version', async () => {
  await using at = await bikes()
  const options = { checksum: false }
  for (const uri of [
    'https://me:hunter2@host/a',
    'https://host/a?X-Amz-Signature=hunter2&X-Amz-Expires=9',
    'https://account.blob.core.windows.net/c/a?sv=1&sig=hunter2',
  ]) {
    const error = await rejects(at.store.resolveReference(uri, options), 'ERR_SECRETS')
    assert.not.match(JSON.stringify(error), 'hunter2')
    assert.is((await at.store.resolveReference(uri, { ...options, allowSecrets: true })).length, 1)
  }
})

test('an entry of another version is recorded by that version, and followed to its end', async () => {
  await using at = await bikes()
  const [entry] = await at.store.resolveReference('artifacts://bike:best/a.txt')
  const { reference } = entry as ReferenceEntry
  assert.equal(reference, {
    uri: `artifacts://${at.store.version('bike:best').id}/a.txt`,
    digest: { algo: 'sha256', value: sha256('a\n') },
    size: 2,
    resolved: true,
  })
  await at.store.commit(['artifacts://bike:best/a.txt'], { name: 'taken', as: 'deep/x y.txt' })
  const chain = await at.store.resolveReference('artifacts://taken/deep/x%20y.txt', { as: 'z' })
  assert.equal((chain[0] as ReferenceEntry).reference, reference)
  const all = await at.store.resolveReference('artifacts://default/bike:v2', { as: 'all/' })
  assert.equal(
    all.map(({ path }) => path),
    ['all/a.txt', 'all/b.txt', 'all/c.txt'],
  )
  await rejects(at.store.resolveReference('artifacts://bike:v0/nothing'), 'ERR_NOT_FOUND')
  const gone = await rejects(
    at.store.resolveReference('artifacts://bike:v9/a.txt'),
    'ERR_NOT_FOUND',
  )
  assert.match(gone.message, 'artifacts://bike:v9/a.txt')
})

test('a commit takes paths and URIs together', async () => {
  await using site = await web({ '/r.bin': { body: '12345', headers: { etag: '"1"' } } })
  await using at = await bikes()
  writeTree(join(at.path, 'data'), { 'a.txt': 'a', 'z.txt': 'z' })
  const { store } = at
  const first = await store.commit([join(at.path, 'data'), `${site.url}/r.bin`], { name: 'mix' })
  assert.equal(
    Array.from(store.entries('mix'), ({ kind, path }) => `${kind} ${path}`),
    ['file data/a.txt', 'file data/z.txt', 'reference r.bin'],
  )
  assert.equal([first.files, first.bytes, first.unresolved], [3, 7, []])
  const again = await store.commit([join(at.path, 'data'), `${site.url}/r.bin`], { name: 'mix' })
  assert.not.ok(again.created)
  site.pages.set('/r.bin', { body: '12345', headers: { etag: '"2"' } })
  const next = await store.commit([`${site.url}/r.bin`], { name: 'mix', incremental: true })
  assert.equal([next.version, next.changed, next.unchanged], ['v1', 1, 2])
})

test('two things at one path are refused, and nothing is committed', async () => {
  await using site = await web({ '/a.txt': { body: '1', headers: { etag: '"1"' } } })
  await using at = await bikes()
  writeTree(at.path, { 'a.txt': 'a' })
  const paths = [join(at.path, 'a.txt'), `${site.url}/a.txt`]
  await rejects(at.store.commit(paths, { name: 'two' }), 'ERR_INVALID_PATH')
  assert.is(at.store.artifacts().length, 1)
})

test('files that are referred to are not copied into the store', async () => {
  await using at = await bikes()
  const dir = join(at.path, 'scans')
  mkdirSync(dir)
  writeFileSync(join(dir, 'large.bin'), Buffer.alloc(1 << 20, 'x'))
  const report = await at.store.commit([dir], { name: 'scans', reference: true })
  assert.ok(report.storedBytes < 10_000, `${report.storedBytes}`)
  assert.is(report.bytes, 1 << 20)
  assert.is(report.bound, undefined)
  assert.ok(existsSync(join(dir, 'large.bin')))
  writeFileSync(join(dir, 'large.bin'), Buffer.alloc(1 << 20, 'y'))
  assert.is((await at.store.commit([dir], { name: 'scans', reference: true })).version, 'v1')
})

test('without a checksum a file makes a new version by its place alone, never by its content', async () => {
  await using at = await bikes()
  const options = { name: 'place', reference: true, checksum: false, as: 'it' }
  const commitOf = async (name: string, content: string): Promise<string> => {
    writeFileSync(join(at.path, name), content)
    return (await at.store.commit([join(at.path, name)], options)).version
  }
  assert.is(await commitOf('here', 'one'), 'v0')
  assert.is(await commitOf('here', 'two'), 'v0')
  assert.is(await commitOf('there', 'two'), 'v1')
  assert.is(await commitOf('here', 'six'), 'v2')
})

test.run()
