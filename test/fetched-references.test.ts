/** Downloads, checkouts and checks of what references lead to. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { mixed, WHOLE } from './mixed-references.ts'
import { bikes } from './stores.ts'
import { readTree, writeTree } from './support/files.ts'
import { rejects } from './support/rejects.ts'

const test = suite('fetched references')

test('a download has what references lead to, beside what is stored', async () => {
  await using at = await mixed()
  const { dir, files, bytes, written } = await at.store.download('mix', join(at.path, 'out'))
  assert.equal(readTree(dir), WHOLE)
  assert.equal([files, bytes, written], [3, 17, 3])
  assert.equal(readdirSync(join(at.store.root, 'tmp')), [])
})

test('a second download fetches only what its record can not tell to be there', async () => {
  await using at = await mixed()
  const { dir } = await at.store.download('mix', join(at.path, 'out'))
  at.site.asked.length = 0
  const again = await at.store.download('mix', dir)
  assert.equal([again.written, again.unchanged], [0, 3])
  assert.equal(at.site.asked, ['GET /tagged.bin'])
  assert.equal(readTree(dir), WHOLE)
})

for (const [what, page] of [
  ['another ETag', { body: 'tagged', headers: { etag: '"2"' } }],
  ['another length', { body: 'tagged more', headers: { etag: '"1"' } }],
  ['no ETag any more', { body: 'tagged' }],
] as const) {
  test(`${what} means that the source has changed: nothing is written`, async () => {
    await using at = await mixed()
    at.site.pages.set('/tagged.bin', page)
    const out = join(at.path, 'out')
    for (const allowMissingReferences of [false, true]) {
      const download = at.store.download('mix', out, { allowMissingReferences })
      const error = await rejects(download, 'ERR_REMOTE_CHANGED')
      assert.match(error.message, '"far/tagged.bin"')
      assert.match(error.message, `${at.site.url}/tagged.bin`)
      assert.not.ok(existsSync(out))
    }
    assert.equal(readdirSync(join(at.store.root, 'tmp')), [])
  })
}

test('bytes that were recorded by their hash are compared with it', async () => {
  await using at = await mixed()
  at.site.pages.set('/plain.txt', { body: 'plaIn' })
  const error = await rejects(at.store.download('mix', join(at.path, 'out')), 'ERR_REMOTE_CHANGED')
  assert.match(error.message, 'the sha256 ')
  assert.is(error.exitCode, 22)
})

test('a transfer that breaks off is begun again, and given up when it always does', async () => {
  await using at = await mixed()
  let breaks = 1
  at.site.pages.set('/tagged.bin', (_, response) => {
    response.writeHead(200, { etag: '"1"', 'content-length': 6 })
    if (breaks-- > 0) response.write('tag', () => response.destroy())
    else response.end('tagged')
  })
  const { dir } = await at.store.download('mix', join(at.path, 'out'))
  assert.equal(readTree(dir), WHOLE)
  breaks = 100
  const other = join(at.path, 'other')
  await rejects(at.store.download('mix', other), 'ERR_REMOTE_UNREACHABLE')
  assert.not.ok(existsSync(other))
})

test('a transfer goes on where it broke off, and not in another state of the source', async () => {
  await using at = await mixed()
  const body = 'tagged'
  let etag = '"1"'
  let cuts = 1
  at.site.pages.set('/tagged.bin', (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from === 0 ? 200 : 206, {
      etag,
      'content-length': body.length - from,
      'content-range': `bytes ${from}-5/6`,
    })
    if (cuts-- > 0) response.write(body.slice(from, from + 3), () => response.destroy())
    else response.end(body.slice(from))
  })
  const { dir } = await at.store.download('mix', join(at.path, 'out'))
  assert.equal(readTree(dir), WHOLE)
  assert.ok(at.site.received.some(({ headers }) => headers.range === 'bytes=3-'))
  cuts = 1
  at.site.pages.set('/tagged.bin', (request, response) => {
    etag = request.headers.range === undefined ? '"1"' : '"2"'
    response.writeHead(200, { etag, 'content-length': 6 })
    response.write('tag', () => response.destroy())
  })
  await rejects(at.store.download('mix', join(at.path, 'two')), 'ERR_REMOTE_CHANGED')
})

test('what is gone is an error, or left out on request, and named', async () => {
  await using at = await mixed()
  at.site.pages.delete('/plain.txt')
  const out = join(at.path, 'out')
  const error = await rejects(at.store.download('mix', out), 'ERR_NOT_FOUND')
  assert.match(error.hint ?? '', '--allow-missing-references')
  const report = await at.store.download('mix', out, { allowMissingReferences: true })
  assert.equal(report.missingReferences, ['far/plain.txt'])
  assert.equal(readTree(out), { 'far/tagged.bin': 'tagged', 'stored.txt': 'stored' })
})

test('a reference to a private address is not followed unless its host is trusted', async () => {
  await using at = await mixed()
  at.store.settings.set('references.hosts', '')
  const error = await rejects(at.store.download('mix', join(at.path, 'out')), 'ERR_REMOTE_DENIED')
  assert.match(error.hint ?? '', `artifacts config set references.hosts ${at.site.host}`)
  assert.equal(at.site.asked, [])
})

test('a file that is there and differs is not lost to a reference', async () => {
  await using at = await mixed()
  const out = join(at.path, 'out')
  writeTree(out, { 'far/tagged.bin': 'my own' })
  await rejects(at.store.download('mix', out), 'ERR_WOULD_OVERWRITE')
  await rejects(at.store.checkout('mix', out), 'ERR_WOULD_OVERWRITE')
  assert.equal(readTree(out), { 'far/tagged.bin': 'my own' })
  await at.store.checkout('mix', out, { force: true })
  assert.equal(readTree(out), WHOLE)
})

test('what a pattern leaves out is not fetched', async () => {
  await using at = await mixed()
  await at.store.download('mix', join(at.path, 'out'), { exclude: ['*.bin'] })
  await at.store.checkout('mix', join(at.path, 'part'), { paths: ['stored.txt'] })
  assert.equal(at.site.asked, ['GET /plain.txt'])
})

test('a checkout brings references along and takes them away again', async () => {
  await using at = await mixed()
  const dir = join(at.path, 'work')
  const first = await at.store.checkout('mix', dir)
  assert.equal([first.added, first.bytes], [3, 17])
  assert.equal(readTree(dir), WHOLE)
  at.site.asked.length = 0
  assert.is((await at.store.checkout('mix', dir)).unchanged, 3)
  rmSync(join(dir, 'far/tagged.bin'))
  const back = await at.store.checkout('mix:v0', dir)
  assert.is(back.deleted, 1)
  assert.equal(readTree(dir), { 'stored.txt': 'stored' })
  const dry = await at.store.checkout('mix', dir, { dryRun: true })
  assert.is(dry.added, 2)
  assert.equal(at.site.asked, ['GET /tagged.bin'])
})

test('a directory with what references lead to is as its version', async () => {
  await using at = await mixed()
  await at.store.commit([`${at.site.url}/plain.txt`], { name: 'one' })
  const dir = join(at.path, 'one')
  await at.store.checkout('one', dir)
  const [status] = await at.store.status(dir)
  assert.equal([status?.state, status?.changes], ['clean', []])
  writeFileSync(join(dir, 'plain.txt'), 'other')
  assert.is((await at.store.status(dir))[0]?.modified, 1)
})

test('entries of other versions are read from the store; of a deleted one nothing is left', async () => {
  await using at = await bikes()
  const large = Buffer.alloc(700_000, 'abc')
  writeTree(join(at.path, 'src'), { 'a.txt': 'a'.repeat(100), 'large.bin': large, tiny: 'x' })
  await at.store.commit([join(at.path, 'src')], { name: 'src' })
  await at.store.commit(['artifacts://src:v0'], { name: 'taken', as: 'in' })
  const out = join(at.path, 'out')
  await at.store.download('taken', out)
  assert.equal(readFileSync(join(out, 'in/large.bin')), large)
  assert.is(readFileSync(join(out, 'in/tiny'), 'utf8'), 'x')
  assert.ok((await at.store.verify('taken', { references: true })).ok)
  await at.store.remove(['src:v0'])
  const error = await rejects(at.store.download('taken', join(at.path, 'o2')), 'ERR_NOT_FOUND')
  assert.match(error.message, '"taken:v0"')
  assert.match(error.message, '"src:v0" is deleted')
  assert.equal((await at.store.verify('taken', { references: true })).missing.length, 3)
})

test('local files are compared with their recorded hash', async () => {
  await using at = await bikes()
  const dir = join(at.path, 'scans')
  writeTree(dir, { 'a.raw': 'aaaa', 'b.raw': 'bbbb' })
  await at.store.commit([dir], { name: 'scans', reference: true })
  assert.equal(readTree((await at.store.download('scans', join(at.path, 'o1'))).dir), {
    'a.raw': 'aaaa',
    'b.raw': 'bbbb',
  })
  writeFileSync(join(dir, 'a.raw'), 'AAAA')
  rmSync(join(dir, 'b.raw'))
  const { ok, changed, missing } = await at.store.verify('scans', { references: true })
  assert.equal([ok, changed, missing], [false, ['a.raw'], ['b.raw']])
  await rejects(at.store.download('scans', join(at.path, 'o2')), 'ERR_REMOTE_CHANGED')
})

test('without a checksum there is nothing to compare, and it is fetched as it is', async () => {
  await using at = await mixed()
  const uri = `${at.site.url}/tagged.bin`
  await at.store.commit([uri], { name: 'bare', checksum: false })
  at.site.pages.set('/tagged.bin', { body: 'whatever', headers: { etag: '"9"' } })
  const { dir } = await at.store.download('bare', join(at.path, 'out'))
  assert.equal(readTree(dir), { 'tagged.bin': 'whatever' })
  const report = await at.store.verify('bare', { references: true })
  assert.ok(report.ok)
  assert.equal(
    report.unchecked.map(({ path }) => path),
    ['tagged.bin'],
  )
})

test('nobody can fetch another scheme, nor what was never looked at', async () => {
  await using at = await bikes()
  const uris = ['hdfs://cluster/part-0', 'https://example.org/later.bin']
  await at.store.commit(uris, { name: 'far', offline: true })
  const error = await rejects(at.store.download('far', join(at.path, 'out')), 'ERR_UNSUPPORTED')
  assert.match(error.message, 'nothing here knows "hdfs:"')
  assert.match(error.message, 'nobody has looked at it yet')
  const rest = await at.store.download('far', join(at.path, 'out'), {
    allowMissingReferences: true,
  })
  assert.equal(rest.missingReferences, ['later.bin', 'part-0'])
  const { ok, unchecked } = await at.store.verify('far', { references: true })
  assert.equal([ok, unchecked.length], [true, 2])
})

test('verify reads what it must, and says of whom it got no answer', async () => {
  await using at = await mixed()
  assert.ok((await at.store.verify('mix', { references: true })).ok)
  at.site.pages.set('/plain.txt', { body: 'PLAIN' })
  at.site.pages.set('/tagged.bin', { status: 403 })
  const report = await at.store.verify('mix', { references: true })
  assert.equal([report.ok, report.changed, report.missing], [false, ['far/plain.txt'], []])
  assert.match(report.unchecked[0]?.reason ?? '', '403')
  at.site.pages.set('/plain.txt', { body: 'plain' })
  assert.not.ok((await at.store.verify('mix', { references: true })).ok)
})

test('aborting a download leaves nothing behind', async () => {
  await using at = await mixed()
  const controller = new AbortController()
  const reason = new Error('enough')
  at.site.pages.set('/tagged.bin', (_, response) => {
    response.writeHead(200, { etag: '"1"', 'content-length': 6 })
    response.write('tag', () => controller.abort(reason))
  })
  const out = join(at.path, 'out')
  const { signal } = controller
  const seen = await at.store.download('mix', out, { signal }).catch((error) => error)
  assert.is(seen, reason)
  assert.not.ok(existsSync(out))
  assert.equal(readdirSync(join(at.store.root, 'tmp')), [])
})

test('no pull, check or listing asks anybody', async () => {
  await using at = await mixed()
  await at.store.verify('mix')
  Array.from(at.store.entries('mix'))
  await at.store.gc()
  await Store.fsck({ store: at.store.root })
  mkdirSync(join(at.path, 'empty'))
  await at.store.diff({ ref: 'mix' }, { dir: join(at.path, 'empty') })
  assert.equal(at.site.asked, [])
})

test.run()
