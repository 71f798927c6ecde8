/** References to Google Cloud Storage, against a stand-in that was written from the description of its API. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ReferenceEntry, Store } from '../../src/index.ts'
import { crc32c } from '../../src/store/crc32c.ts'
import { readTree } from '../support/files.ts'
import { googleStandIn, type StandIn, type StandInOptions } from '../support/gs.ts'
import { rejects } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'

const test = suite('references to Google Cloud Storage')

interface At extends AsyncDisposable {
  readonly store: Store
  readonly path: string
  readonly bucket: StandIn
}

async function at(
  options: Partial<StandInOptions> = {},
  env: Record<string, string> = {},
): Promise<At> {
  const directory = await temporaryDirectory()
  const bucket = await googleStandIn({ bucket: 'lab-data', ...options })
  ;(await Store.init(directory.path)).store.close()
  const root = join(directory.path, '.artifacts')
  const store = await Store.open({
    store: root,
    env: { STORAGE_EMULATOR_HOST: bucket.host, ...env },
  })
  return {
    store,
    path: directory.path,
    bucket,
    async [Symbol.asyncDispose]() {
      store.close()
      await bucket[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

test('of an object the MD5, generation and size are recorded, whatever its name', async () => {
  await using gs = await at()
  for (const name of ['data/a.bin', "odd +%&='é世界?.txt", 'a//b.txt']) {
    const generation = gs.bucket.put(name, `of ${name}`)
    const [entry] = await gs.store.resolveReference(`gs://lab-data/${name}`)
    assert.is(entry?.path, name.split('/').at(-1))
    const { etag, ...rest } = (entry as ReferenceEntry).reference
    assert.ok(etag)
    assert.equal(rest, {
      uri: `gs://lab-data/${name}`,
      digest: { algo: 'md5', value: md5(`of ${name}`) },
      size: Buffer.byteLength(`of ${name}`),
      versionId: generation,
      resolved: true,
    })
  }
})

test('of what was composed of other objects the CRC-32C is recorded, and compared', async () => {
  await using gs = await at()
  gs.bucket.put('whole', 'all parts', { composed: true })
  const [entry] = await gs.store.resolveReference('gs://lab-data/whole')
  const value = crc32c(Buffer.from('all parts')).toString(16).padStart(8, '0')
  assert.equal((entry as ReferenceEntry).reference.digest, { algo: 'crc32c', value })
  await gs.store.commit(['gs://lab-data/whole'], { name: 'whole' })
  const { dir } = await gs.store.download('whole', join(gs.path, 'out'))
  assert.equal(readTree(dir), { whole: 'all parts' })
})

test('a prefix is a folder, in as many pages as it takes', async () => {
  await using gs = await at({ pageSize: 2 })
  for (const name of ['im/a', 'im/b/c', 'im/empty', 'im/z', 'im2/no', 'im.txt']) {
    gs.bucket.put(name, name === 'im/empty' ? '' : name)
  }
  gs.bucket.put('im/', '')
  for (const uri of ['gs://lab-data/im', 'gs://lab-data/im/']) {
    const found = await gs.store.resolveReference(uri)
    assert.equal(
      found.map(({ path }) => path),
      ['a', 'b/c', 'empty', 'z'],
    )
  }
  assert.is((await gs.store.resolveReference('gs://lab-data', { as: 'all' })).length, 6)
  await gs.store.commit(['gs://lab-data/im'], { name: 'im' })
  const { dir } = await gs.store.download('im', join(gs.path, 'out'))
  assert.equal(readTree(dir), { a: 'im/a', 'b/c': 'im/b/c', empty: '', z: 'im/z' })
  assert.ok((await gs.store.verify('im', { references: true })).ok)
})

test('what was replaced upstream is refused, what is gone is missing', async () => {
  await using gs = await at()
  const before = gs.bucket.put('a', 'first')
  gs.bucket.put('b', 'b')
  await gs.store.commit(['gs://lab-data'], { name: 'all' })
  const after = gs.bucket.put('a', 'other')
  const error = await rejects(gs.store.download('all', join(gs.path, 'o')), 'ERR_REMOTE_CHANGED')
  assert.match(error.message, `${after} where ${before} was recorded`)
  gs.bucket.remove('b')
  const { ok, changed, missing } = await gs.store.verify('all', { references: true })
  assert.equal([ok, changed, missing], [false, ['a'], ['b']])
})

test('where the bucket keeps generations, the recorded one comes back, also by its number', async () => {
  await using gs = await at({ versioned: true })
  const before = gs.bucket.put('a', 'first')
  await gs.store.commit(['gs://lab-data/a'], { name: 'one' })
  gs.bucket.put('a', 'second')
  const { dir } = await gs.store.download('one', join(gs.path, 'out'))
  assert.equal(readTree(dir), { a: 'first' })
  const uri = `gs://lab-data/a#${before}`
  const [typed] = await gs.store.resolveReference(uri)
  assert.is((typed as ReferenceEntry).reference.versionId, before)
  await gs.store.commit([uri], { name: 'bare', checksum: false })
  assert.equal(readTree((await gs.store.download('bare', join(gs.path, 'bare'))).dir), {
    a: 'first',
  })
  await rejects(gs.store.resolveReference('gs://lab-data/a#1'), 'ERR_NOT_FOUND')
})

test('what is not there, and a bucket that is not there, are not found', async () => {
  await using gs = await at()
  await rejects(gs.store.resolveReference('gs://lab-data/none'), 'ERR_NOT_FOUND')
  const error = await rejects(gs.store.resolveReference('gs://other-bucket/x'), 'ERR_NOT_FOUND')
  assert.match(error.message, 'bucket does not exist')
  await rejects(gs.store.resolveReference('gs:///x'), 'ERR_USAGE')
})

test('the token is sent where there is one, and never told', async () => {
  const token = 'hunter2-token'
  await using bearer = await at({ token }, { GOOGLE_OAUTH_ACCESS_TOKEN: token })
  bearer.bucket.put('a', 'a')
  assert.is((await bearer.store.resolveReference('gs://lab-data/a')).length, 1)
  await using nobody = await at({ token })
  const denied = nobody.store.resolveReference('gs://lab-data/a')
  assert.match((await rejects(denied, 'ERR_REMOTE_DENIED')).message, '401 Anonymous caller')
  await using wrong = await at({ token }, { GOOGLE_OAUTH_ACCESS_TOKEN: 'hunter2-wrong' })
  const refused = wrong.store.resolveReference('gs://lab-data/a')
  assert.not.match(JSON.stringify(await rejects(refused, 'ERR_REMOTE_DENIED')), 'hunter2')
})

test('a prefix of 10,001 objects is over the limit, and is not cut off', async () => {
  await using gs = await at()
  for (let number = 0; number < 10_001; number++) gs.bucket.put(`many/${number}`, '')
  const error = await rejects(gs.store.resolveReference('gs://lab-data/many'), 'ERR_USAGE')
  assert.match(error.message, 'more than 10000 objects')
  const all = await gs.store.resolveReference('gs://lab-data/many', { maxObjects: 10_001 })
  assert.is(all.length, 10_001)
})

test('a transfer that breaks off goes on where it was', async () => {
  let cuts = 2
  await using gs = await at({ cut: () => cuts-- > 0 })
  gs.bucket.put('a', '0123456789')
  await gs.store.commit(['gs://lab-data/a'], { name: 'a' })
  const { dir } = await gs.store.download('a', join(gs.path, 'out'))
  assert.equal(readTree(dir), { a: '0123456789' })
  const ranges = gs.bucket.received.map(({ headers }) => headers.range).filter(Boolean)
  assert.equal(ranges, ['bytes=3-', 'bytes=6-'])
})

test('offline nobody is asked, and a prefix unfolds when it is looked up', async () => {
  await using gs = await at()
  gs.bucket.put('im/a', 'a')
  gs.bucket.put('im/b', 'b')
  await gs.store.commit(['gs://lab-data/im'], { name: 'im', offline: true })
  assert.equal(gs.bucket.asked, [])
  const report = await gs.store.commit([], { resolve: 'im' })
  assert.is(report.version, 'v1')
  assert.equal(
    Array.from(gs.store.entries('im'), ({ path }) => path),
    ['im/a', 'im/b'],
  )
})

test.run()
