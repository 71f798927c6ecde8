/** Local copies of versions that refer to what lies elsewhere. */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mixed, WHOLE } from './mixed-references.ts'
import { readTree } from './support/files.ts'
import { rejects } from './support/rejects.ts'

const test = suite('localPath, references')

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
