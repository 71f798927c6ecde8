/** References to S3, against a real server: Ceph's object gateway. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ReferenceEntry, Store } from '../../src/index.ts'
import { Network } from '../../src/sync/net/network.ts'
import { Bucket } from '../../src/sync/s3/bucket.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { type Admin, adminOf } from '../support/s3/admin.ts'
import { type Rgw, startRgw } from '../support/s3/rgw.ts'
import { temporaryDirectory } from '../support/temp.ts'

const suiteOf = suite('references to S3')
const server = await startRgw()
/** Left out where there is no server, which was said. */
const test = server === undefined ? suiteOf.skip : suiteOf

const rgw = server as Rgw
const admin: Admin = server === undefined ? (undefined as never) : adminOf(server)
let buckets = 0

interface At extends AsyncDisposable {
  readonly store: Store
  readonly path: string
  /** A bucket of its own. */
  readonly bucket: string
}

async function at(
  options: { versioned?: boolean; env?: Record<string, string> } = {},
): Promise<At> {
  const directory = await temporaryDirectory()
  const bucket = `bucket-${buckets++}`
  await admin.makeBucket(bucket, options)
  ;(await Store.init(directory.path)).store.close()
  const root = join(directory.path, '.artifacts')
  const store = await Store.open({ store: root, env: { ...rgw.env, ...options.env } })
  store.settings.set('durability', 'process')
  return {
    store,
    path: directory.path,
    bucket,
    async [Symbol.asyncDispose]() {
      store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

test('of an object the ETag and size are recorded, whatever its key', async () => {
  await using s3 = await at()
  for (const key of ['data/a.bin', "odd +%&='é世界 (1)!*.txt", '.hidden/~x', 'a//b.txt']) {
    await admin.put(s3.bucket, key, `of ${key}`)
    const uri = `s3://${s3.bucket}/${key}`
    const [entry] = await s3.store.resolveReference(uri)
    assert.is(entry?.path, key.split('/').at(-1))
    const body = `of ${key}`
    assert.equal((entry as ReferenceEntry).reference, {
      uri,
      digest: { algo: 'etag', value: md5(body) },
      etag: `"${md5(body)}"`,
      size: Buffer.byteLength(body),
      resolved: true,
    })
    await s3.store.commit([uri], { name: 'one', as: 'it' })
    const { dir } = await s3.store.download('one', join(s3.path, `out-${buckets++}`))
    assert.equal(readTree(dir), { it: body })
  }
})

test('a prefix is a folder: images means what lies under images/, never images2/', async () => {
  await using s3 = await at()
  const keys = ['images/a.png', 'images/sub/b.png', 'images/empty', 'images2/no.png', 'images.txt']
  for (const key of keys) await admin.put(s3.bucket, key, key.endsWith('empty') ? '' : key)
  await admin.put(s3.bucket, 'images/', '')
  await admin.put(s3.bucket, 'images/sub/', '')
  for (const uri of [`s3://${s3.bucket}/images`, `s3://${s3.bucket}/images/`]) {
    const found = await s3.store.resolveReference(uri)
    assert.equal(
      found.map(({ path }) => path),
      ['a.png', 'empty', 'sub/b.png'],
    )
  }
  const all = await s3.store.resolveReference(`s3://${s3.bucket}`, { as: 'all' })
  assert.is(all.length, 5)
  assert.is(all[0]?.path, 'all/images.txt')
  await s3.store.commit([`s3://${s3.bucket}/images`], { name: 'images' })
  const { dir } = await s3.store.download('images', join(s3.path, 'out'))
  assert.equal(readTree(dir), {
    'a.png': 'images/a.png',
    empty: '',
    'sub/b.png': 'images/sub/b.png',
  })
  assert.ok((await s3.store.verify('images', { references: true })).ok)
})

test('objects and prefixes are called as in the tables of W&B', async () => {
  await using s3 = await at()
  for (const key of ['model.h5', 'checkpoints/model.h5', 'images/cat.png', 'images/dog.png']) {
    await admin.put(s3.bucket, key, key)
  }
  for (const [uri, as, paths] of [
    ['model.h5', undefined, ['model.h5']],
    ['checkpoints/model.h5', undefined, ['model.h5']],
    ['model.h5', 'models/mymodel.h5', ['models/mymodel.h5']],
    ['images', undefined, ['cat.png', 'dog.png']],
    ['images', 'images', ['images/cat.png', 'images/dog.png']],
  ] as const) {
    const artifact = s3.store.draft('paths', { type: 'dataset' })
    const options = as === undefined ? {} : { as }
    const added = await artifact.addReference(`s3://${s3.bucket}/${uri}`, options)
    assert.equal(
      added.map(({ path }) => path),
      paths,
    )
  }
})

test('an object wins over what lies under its name', async () => {
  await using s3 = await at()
  await admin.put(s3.bucket, 'x', 'object')
  await admin.put(s3.bucket, 'x/y', 'below')
  const found = await s3.store.resolveReference(`s3://${s3.bucket}/x`)
  assert.equal(
    found.map(({ path }) => path),
    ['x'],
  )
})

test('an object that some programs make for a folder is one', async () => {
  await using s3 = await at()
  await admin.put(s3.bucket, 'dir', '', { 'content-type': 'application/x-directory' })
  await admin.put(s3.bucket, 'dir/a', 'a')
  const found = await s3.store.resolveReference(`s3://${s3.bucket}/dir`)
  assert.equal(
    found.map(({ path }) => path),
    ['a'],
  )
})

test('what was replaced upstream is refused, what is gone is missing', async () => {
  await using s3 = await at()
  await admin.put(s3.bucket, 'd/a', 'first')
  await admin.put(s3.bucket, 'd/b', 'b')
  await s3.store.commit([`s3://${s3.bucket}/d`], { name: 'd' })
  await admin.put(s3.bucket, 'd/a', 'other')
  const error = await rejects(s3.store.download('d', join(s3.path, 'o')), 'ERR_REMOTE_CHANGED')
  assert.match(error.message, md5('first'))
  assert.match(error.message, md5('other'))
  await admin.remove(s3.bucket, 'd/b')
  const { ok, changed, missing } = await s3.store.verify('d', { references: true })
  assert.equal([ok, changed, missing], [false, ['a'], ['b']])
  await s3.store.commit([`s3://${s3.bucket}/d`], { name: 'd' })
  const { dir } = await s3.store.download('d', join(s3.path, 'o'))
  assert.equal(readTree(dir), { a: 'other' })
})

test('where the bucket keeps versions, the recorded one comes back', async () => {
  await using s3 = await at({ versioned: true })
  await admin.put(s3.bucket, 'd/a', 'first')
  const one = await s3.store.resolveReference(`s3://${s3.bucket}/d/a`)
  const { versionId } = (one[0] as ReferenceEntry).reference
  assert.ok(versionId)
  await s3.store.commit([`s3://${s3.bucket}/d/a`], { name: 'one' })
  await s3.store.commit([`s3://${s3.bucket}/d`], { name: 'many' })
  await admin.put(s3.bucket, 'd/a', 'second')
  for (const name of ['one', 'many']) {
    const { dir } = await s3.store.download(name, join(s3.path, name))
    assert.equal(readTree(dir), { a: 'first' }, name)
  }
  const typed = await s3.store.resolveReference(`s3://${s3.bucket}/d/a?versionId=${versionId}`)
  assert.equal(typed, one)
  const bare = { name: 'bare', checksum: false }
  await s3.store.commit([`s3://${s3.bucket}/d/a?versionId=${versionId}`], bare)
  assert.equal(readTree((await s3.store.download('bare', join(s3.path, 'bare'))).dir), {
    a: 'first',
  })
})

test('what is not there, and a bucket that is not there, are not found', async () => {
  await using s3 = await at()
  for (const uri of [
    `s3://${s3.bucket}/none`,
    `s3://${s3.bucket}/none/`,
    's3://no-such-bucket/x',
  ]) {
    await rejects(s3.store.resolveReference(uri), 'ERR_NOT_FOUND')
  }
  await rejects(s3.store.resolveReference('s3:///key'), 'ERR_USAGE')
  const climbing = s3.store.resolveReference(`s3://${s3.bucket}/a/../../b`)
  await rejects(climbing, 'ERR_UNSUPPORTED')
})

test('a wrong secret, and none at all, are refused without being told', async () => {
  await using wrong = await at({ env: { AWS_SECRET_ACCESS_KEY: 'hunter2hunter2' } })
  await admin.put(wrong.bucket, 'd/a', 'a')
  for (const uri of [`s3://${wrong.bucket}/d/a`, `s3://${wrong.bucket}/d/`]) {
    const error = await rejects(wrong.store.resolveReference(uri), 'ERR_REMOTE_DENIED')
    assert.not.match(JSON.stringify(error) + error.stack, 'hunter2')
  }
  await using nobody = await at({ env: { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' } })
  await admin.put(nobody.bucket, 'a', 'a')
  const denied = nobody.store.resolveReference(`s3://${nobody.bucket}/a`)
  await rejects(denied, 'ERR_REMOTE_DENIED')
})

test('keys and endpoint come from the files of the AWS command line, too', async () => {
  const unset = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_ENDPOINT_URL_S3: '' }
  await using home = await temporaryDirectory()
  mkdirSync(join(home.path, '.aws'))
  const keys = 'aws_access_key_id = testkey\naws_secret_access_key = testsecret\n'
  writeFileSync(join(home.path, '.aws/credentials'), `[lab]\n${keys}`)
  writeFileSync(join(home.path, '.aws/config'), `[profile lab]\nendpoint_url = ${rgw.url}\n`)
  await using s3 = await at({ env: { ...unset, HOME: home.path, AWS_PROFILE: 'lab' } })
  await admin.put(s3.bucket, 'a', 'a')
  assert.is((await s3.store.resolveReference(`s3://${s3.bucket}/a`)).length, 1)
  const printed = JSON.stringify({
    Version: 1,
    AccessKeyId: 'testkey',
    SecretAccessKey: 'testsecret',
  })
  writeFileSync(join(home.path, '.aws/credentials'), '')
  writeFileSync(
    join(home.path, '.aws/config'),
    `[profile lab]\nendpoint_url = ${rgw.url}\ncredential_process = echo '${printed}'\n`,
  )
  assert.is((await s3.store.resolveReference(`s3://${s3.bucket}/a`)).length, 1)
})

test('a prefix of 10,001 objects is over the limit, and is not cut off', async () => {
  await using s3 = await at()
  using network = new Network({ trusted: [], env: rgw.env })
  const bucket = await Bucket.open(s3.bucket, network, rgw.env)
  const numbers = Array.from({ length: 10_001 }, (_, number) => number).values()
  const putAll = async (): Promise<void> => {
    for (const number of numbers) await bucket.put(`many/${number}`, Buffer.alloc(0))
  }
  await Promise.all(Array.from({ length: 16 }, putAll))
  const uri = `s3://${s3.bucket}/many`
  const error = await rejects(s3.store.commit([uri], { name: 'many' }), 'ERR_USAGE')
  assert.match(error.message, 'more than 10000 objects')
  assert.match(error.hint ?? '', '--max-objects')
  assert.equal(s3.store.artifacts(), [])
  assert.is((await s3.store.commit([uri], { name: 'many', maxObjects: 10_001 })).files, 10_001)
  await bucket.delete('many/0')
  assert.is((await s3.store.commit([uri], { name: 'many' })).files, 10_000)
})

test('the transport stores, reads parts, and creates only what is absent', async () => {
  await using s3 = await at()
  using network = new Network({ trusted: [], env: rgw.env })
  const bucket = await Bucket.open(s3.bucket, network, rgw.env)
  const body = Buffer.from('0123456789')
  assert.is(await bucket.put('k', body, { absent: true }), true)
  assert.is(await bucket.put('k', Buffer.from('other'), { absent: true }), false)
  const part = await bucket.get('k', { range: [2, 5] })
  assert.is(Buffer.concat(await part.body.toArray()).toString(), '234')
  const winners = await Promise.all(
    Array.from({ length: 8 }, () => bucket.put('race', body, { absent: true })),
  )
  assert.is(winners.filter(Boolean).length, 1)
  await bucket.delete('k')
  assert.is(await bucket.head('k'), undefined)
  const lie = { 'content-md5': Buffer.alloc(16).toString('base64') }
  await rejects(bucket.put('k', body, { headers: lie }), 'ERR_REMOTE_DENIED')
})

suiteOf('the server is stopped', async () => {
  await server?.[Symbol.asyncDispose]()
})

suiteOf.run()
