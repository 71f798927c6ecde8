/** Local copies of versions that refer to what lies elsewhere. */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Bikes, bikes } from './stores.ts'
import { readTree, writeTree } from './support/files.ts'
import { rejects } from './support/rejects.ts'
import { type Web, web } from './support/web.ts'

const test = suite('localPath, references')

/** A store that trusts the site, with `mix:v0`: a stored file, one by ETag, one by SHA-256. */
async function mixed(): Promise<Bikes & { readonly site: Web }> {
  const site = await web({
    '/tagged.bin': { body: 'tagged', headers: { etag: '"1"' } },
    '/plain.txt': { body: 'plain' },
  })
  const at = await bikes()
  at.store.settings.set('references.hosts', site.host)
  writeTree(join(at.path, 'data'), { 'stored.txt': 'stored' })
  await at.store.commit([join(at.path, 'data')], { name: 'mix' })
  for (const name of ['tagged.bin', 'plain.txt']) {
    const options = { name: 'mix', incremental: true, as: `far/${name}` }
    await at.store.commit([`${site.url}/${name}`], options)
  }
  site.asked.length = 0
  return {
    ...at,
    site,
    async [Symbol.asyncDispose]() {
      await at[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    },
  }
}

const WHOLE = { 'far/plain.txt': 'plain', 'far/tagged.bin': 'tagged', 'stored.txt': 'stored' }

test('what references lead to is in the copy, and is asked for once', async () => {
  await using at = await mixed()
  const first = await at.store.localPath('mix')
  assert.equal(readTree(first.path), WHOLE)
  assert.equal([first.cached, first.files, first.bytes], [false, 3, 17])
  assert.is(at.site.asked.length, 2)
  at.site.asked.length = 0
  const again = await at.store.localPath('mix')
  assert.equal([again.path, again.cached], [first.path, true])
  const file = await at.store.localPath('mix', { path: 'far/tagged.bin' })
  assert.equal([basename(file.path), readFileSync(file.path, 'utf8')], ['tagged.bin', 'tagged'])
  assert.equal(at.site.asked, [], 'nobody was asked again')
})

test('what has changed since it was recorded is refused, and nothing is left of it', async () => {
  await using at = await mixed()
  at.site.pages.set('/tagged.bin', { body: 'other!', headers: { etag: '"2"' } })
  const error = await rejects(at.store.localPath('mix'), 'ERR_REMOTE_CHANGED')
  assert.match(error.message, 'far/tagged.bin')
  const { copies } = await at.store.cache.list()
  assert.equal(copies, [])
  assert.equal(Object.keys(readTree(join(at.store.root, 'cache/tmp'))), [])
})

test('what was recorded unseen is asked for each time, and other bytes are another copy', async () => {
  await using at = await mixed()
  const { site, store } = at
  await store.commit([`${site.url}/plain.txt`], { name: 'unseen', checksum: false })
  const read = async (): Promise<readonly [string, string]> => {
    const { path } = await store.localPath('unseen')
    return [path, readFileSync(path, 'utf8')]
  }
  const [first, plain] = await read()
  assert.equal([plain, await read()], ['plain', [first, 'plain']])
  site.pages.set('/plain.txt', { body: 'later' })
  const [second, later] = await read()
  assert.is(later, 'later')
  assert.is.not(second, first)
  assert.is(readFileSync(first, 'utf8'), 'plain', 'whoever has the first copy keeps it')
})

test.run()
