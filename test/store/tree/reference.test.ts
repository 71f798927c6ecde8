import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeReference, encodeReference } from '../../../src/store/tree/reference.ts'
import type { Reference } from '../../../src/types.ts'

const test = suite('reference')

const canonical =
  '{"digest":{"algo":"etag","value":"5"},"etag":"x","resolved":true,"size":7,"uri":"s3://b/k","versionId":"v"}'

const anyReference: fc.Arbitrary<Reference> = fc.record(
  {
    uri: fc.string({ minLength: 1, unit: 'binary' }),
    digest: fc.record(
      { algo: fc.string(), value: fc.string({ unit: 'binary' }) },
      { noNullPrototype: true },
    ),
    size: fc.maxSafeNat(),
    etag: fc.string(),
    versionId: fc.string(),
    resolved: fc.boolean(),
  },
  { requiredKeys: ['uri', 'digest', 'resolved'], noNullPrototype: true },
)

test('a reference is written as canonical JSON and read back', () => {
  const reference = decodeReference(canonical)
  assert.equal(reference, {
    uri: 's3://b/k',
    digest: { algo: 'etag', value: '5' },
    size: 7,
    etag: 'x',
    versionId: 'v',
    resolved: true,
  })
  assert.is(encodeReference(reference as Reference), canonical)
  fc.assert(
    fc.property(anyReference, (any) => {
      assert.equal(decodeReference(encodeReference(any)), any)
    }),
  )
})

test('other spellings and other shapes are not read', () => {
  for (const json of [
    '',
    'null',
    '[]',
    canonical.slice(1),
    ` ${canonical}`,
    canonical.replace('"size":7', '"size":7.0'),
    canonical.replace('"size":7', '"size":-0'),
    canonical.replace('"size":7', '"size":-7'),
    canonical.replace('"size":7', '"size":1.5'),
    canonical.replace('"size":7', '"size":9007199254740992'),
    canonical.replace('"size":7', '"size":"7"'),
    canonical.replace('"size":7', '"size":null'),
    canonical.replace('"size":7', '"size":7,"size":7'),
    canonical.replace('"size":7', '"sizes":7'),
    canonical.replace('"size":7', '"size":7,"t":1'),
    canonical.replace('{"digest"', '{"__proto__":{},"digest"'),
    canonical.replace('"etag":"x",', '').replace('"uri"', '"etag":"x","uri"'),
    canonical.replace('"x"', '"\\u0078"'),
    canonical.replace('"x"', '"\\ud800"'),
    canonical.replace('s3://b/k', ''),
    canonical.replace('true', '1'),
    canonical.replace('"algo":"etag",', ''),
    canonical.replace('"value":"5"', '"value":"5","x":1'),
    canonical.replace('"value":"5"', '"value":5'),
  ]) {
    assert.is(decodeReference(json), undefined, json)
  }
})

test('what is not a reference is not written', () => {
  const reference = { uri: 's3://b/k', digest: { algo: 'a', value: 'b' }, resolved: true }
  for (const wrong of [
    { ...reference, uri: '' },
    { ...reference, size: -1 },
    { ...reference, size: undefined },
    { ...reference, etag: '\ud800' },
    { ...reference, more: 1 },
    { uri: 's3://b/k', resolved: true },
  ]) {
    assert.throws(() => encodeReference(wrong as Reference), /not a reference/)
  }
})

test.run()
