import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { conceal } from '../../../src/sync/net/conceal.ts'

const test = suite('conceal')

test('what was told in confidence is not repeated, in whatever piece of it', () => {
  const pair = Buffer.from('me:hunter2').toString('base64')
  const aws = `AWS4-HMAC-SHA256 Credential=KEY/20260101/r/s3/aws4_request, SignedHeaders=host, Signature=${'ab'.repeat(32)}`
  for (const [header, value, secret] of [
    ['Authorization', 'Bearer token-token', 'token-token'],
    ['authorization', `Basic ${pair}`, pair],
    ['authorization', `Basic ${pair}`, 'hunter2'],
    ['authorization', aws, 'ab'.repeat(32)],
    ['x-amz-security-token', 'session/token==', 'session/token=='],
    ['cookie', 'session=abcdef', 'session=abcdef'],
  ] as const) {
    const said = conceal(`Denied: ${secret}. Twice: ${secret}.`, { [header]: value })
    assert.is(said, 'Denied: ***. Twice: ***.')
  }
})

test('everything else is passed on', () => {
  const headers = { range: 'bytes=0-1', authorization: 'Bearer token-token' }
  assert.is(
    conceal('AccessDenied: bytes=0-1 of Bearer', headers),
    'AccessDenied: bytes=0-1 of Bearer',
  )
})

test.run()
