import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Reference } from '../src/types.ts'
import { wandbReference } from '../src/wandb-reference.ts'

const test = suite('wandb-reference')

const ETAG = { algo: 'etag', value: 'abc' }
const URI = { algo: 'uri', value: 'anything' }

test('the digest of a page is its ETag without quotes, and the ETag itself is kept', async () => {
  const reference = {
    uri: 'https://e.com/f.txt',
    size: 5,
    etag: '"abc"',
    digest: ETAG,
    resolved: true,
  }
  assert.equal(await facts(reference), {
    digest: 'abc',
    size: 5,
    ref: 'https://e.com/f.txt',
    extra: { etag: '"abc"' },
  })
})

test('a weak ETag is taken as it stands', async () => {
  const reference = { uri: 'http://e.com/f', etag: 'W/"abc"', digest: ETAG, resolved: true }
  assert.is((await facts(reference)).digest, 'W/"abc"')
})

test('a page without ETag is its URL', async () => {
  const uri = 'http://e.com/f.txt'
  const digest = { algo: 'sha256', value: '0'.repeat(64) }
  assert.equal(await facts({ uri, size: 3, digest, resolved: true }), {
    digest: uri,
    size: 3,
    ref: uri,
  })
})

test('an object of S3 has its ETag and its version', async () => {
  const uri = 's3://b/k'
  const reference = { uri, size: 1, etag: '"e"', versionId: 'v', digest: ETAG, resolved: true }
  assert.equal(await facts(reference), {
    digest: 'e',
    size: 1,
    ref: uri,
    extra: { etag: 'e', versionID: 'v' },
  })
})

test('an object of Google has its ETag as digest and its generation as version', async () => {
  const uri = 'gs://b/k.pb'
  const reference = { uri, size: 1, etag: 'CAE=', versionId: '17', digest: ETAG, resolved: true }
  assert.equal(await facts(reference), {
    digest: 'CAE=',
    size: 1,
    ref: uri,
    extra: { versionID: '17' },
  })
})

test('a local file is the MD5 of what it holds', async () => {
  const digest = { algo: 'sha256', value: '0'.repeat(64) }
  const reference = { uri: 'file:///d/f', size: 5, digest, resolved: true }
  assert.equal(await facts(reference), { digest: 'md5 of the file', size: 5, ref: 'file:///d/f' })
})

test("an entry of another version has that entry's digest and no size of its own", async () => {
  const uri = `artifacts://${'a'.repeat(64)}/x`
  const digest = { algo: 'sha256', value: '0'.repeat(64) }
  assert.equal(await facts({ uri, size: 5, digest, resolved: true }), {
    digest: 'md5 of the entry',
    size: 0,
    ref: uri,
  })
})

test('what was recorded without a look is its URI; of a local file the hash of that', async () => {
  for (const uri of ['s3://b/k', 'gs://b/k', 'https://e.com/k']) {
    assert.equal(await facts({ uri, digest: URI, resolved: true }), { digest: uri, ref: uri })
  }
  const uri = 'file:///d/f'
  const md5 = createHash('md5').update(uri).digest('base64')
  assert.equal(await facts({ uri, size: 5, digest: URI, resolved: true }), {
    digest: md5,
    size: 5,
    ref: uri,
  })
})

test('any other scheme is its URI, looked at or not', async () => {
  const uri = 'ref://example.com/somefile.txt'
  assert.equal(await facts({ uri, digest: URI, resolved: false }), { digest: uri, ref: uri })
})

test('a source that nobody has looked at, or that has no ETag, has no digest of W&B', async () => {
  const cases: readonly Reference[] = [
    { uri: 's3://b/k', digest: URI, resolved: false },
    { uri: 's3://b/k', digest: { algo: 'sha256', value: 'x' }, resolved: true },
  ]
  for (const reference of cases) {
    await facts(reference).then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, '"s3://b/k"'),
    )
  }
})

test.run()

function facts(reference: Reference): ReturnType<typeof wandbReference> {
  return wandbReference(reference, {
    file: async () => 'md5 of the file',
    entry: async () => 'md5 of the entry',
    refuse: (why) => new Error(why),
  })
}
