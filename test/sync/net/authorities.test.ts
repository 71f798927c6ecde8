import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { rootCertificates } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { authorities } from '../../../src/sync/net/authorities.ts'
import { throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('authorities')
const ONE = resolve('test/support/tls/cert.pem')
const TWO = resolve('test/support/tls/loopback-cert.pem')

function added(env: Record<string, string>): number | undefined {
  const all = authorities(env)
  return all && all.length - rootCertificates.length
}

test('the first variable that names a file counts; what is empty names none', () => {
  assert.is(authorities({}), undefined)
  assert.is(authorities({ ARTIFACTS_CA_BUNDLE: '', AWS_CA_BUNDLE: '' }), undefined)
  assert.is(authorities({ NODE_EXTRA_CA_CERTS: ONE }), undefined)
  const env = { ARTIFACTS_CA_BUNDLE: '', AWS_CA_BUNDLE: ONE, SSL_CERT_FILE: '/nowhere' }
  assert.is(added(env), 1)
  assert.is(added({ SSL_CERT_FILE: TWO, NODE_EXTRA_CA_CERTS: ONE }), 2)
})

test('a file that is not there or holds no certificate is named, with the variable', async () => {
  await using dir = await temporaryDirectory()
  const [empty, wrong] = ['empty', 'wrong'].map((name) => join(dir.path, name))
  writeFileSync(empty ?? '', 'nothing')
  writeFileSync(wrong ?? '', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  for (const path of ['/nowhere/ca.pem', dir.path, empty, wrong]) {
    const error = throwsCode(() => authorities({ AWS_CA_BUNDLE: path ?? '' }), 'ERR_CONFIG')
    assert.match(error.message, `"${path}", which AWS_CA_BUNDLE names`)
  }
})

test.run()
