import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Network, type Variables } from '../../../src/sync/net/network.ts'
import { type CredentialsSource, credentialsSource } from '../../../src/sync/s3/credentials.ts'
import { rejects } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { web } from '../../support/web.ts'

const test = suite('s3 credentials')
const NOW = Date.parse('2026-01-01T00:00:00Z')

interface Told {
  readonly env?: Variables
  readonly profile?: Readonly<Record<string, string>>
  readonly isAws?: boolean
}

/** Nothing that is not told: no machine of EC2 above all. */
async function sourceOf({
  env = {},
  profile = {},
  isAws = false,
}: Told): Promise<CredentialsSource> {
  const network = new Network({ trusted: [], env: {}, pause: 1, attempts: 1 })
  const section = new Map(Object.entries(profile))
  return credentialsSource({ env, profile: section, network, region: 'eu-west-1', isAws })
}

test('variables come before a profile, and without either requests are not signed', async () => {
  const profile = { aws_access_key_id: 'p', aws_secret_access_key: 'ps' }
  const env = { AWS_ACCESS_KEY_ID: 'v', AWS_SECRET_ACCESS_KEY: 'vs', AWS_SESSION_TOKEN: 't' }
  const both = await sourceOf({ env, profile })
  assert.equal(await both(NOW), { accessKeyId: 'v', secretAccessKey: 'vs', sessionToken: 't' })
  const one = await sourceOf({ profile })
  assert.equal(await one(NOW), { accessKeyId: 'p', secretAccessKey: 'ps' })
  assert.is(await (await sourceOf({}))(NOW), undefined)
})

test('what ends is asked for again some minutes before, once for all who wait, and what was there serves until then', async () => {
  let minutes = 60
  let count = 0
  await using site = await web({}, (request, response) => {
    assert.is(request.headers.authorization, 'token-of-the-file')
    const Expiration = new Date(NOW + minutes * 60_000).toISOString()
    const body = { AccessKeyId: `key-${count++}`, SecretAccessKey: 's', Token: 't', Expiration }
    response.end(JSON.stringify(body))
  })
  await using dir = await temporaryDirectory()
  const file = join(dir.path, 'token')
  writeFileSync(file, 'token-of-the-file\n')
  const env = {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${site.url}/role`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
  }
  const source = await sourceOf({ env })
  const keyAt = async (minute: number): Promise<string | undefined> =>
    (await source(NOW + minute * 60_000))?.accessKeyId
  assert.equal([await keyAt(0), await keyAt(54), count], ['key-0', 'key-0', 1])
  minutes = 120
  assert.equal(await Promise.all([keyAt(56), keyAt(56), keyAt(57)]), ['key-1', 'key-1', 'key-1'])
  assert.is(await keyAt(100), 'key-1')
  assert.is(count, 2)
})

test('a web identity takes its role', async () => {
  await using site = await web({}, async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const asked = new URLSearchParams(Buffer.concat(pieces).toString())
    const isRight =
      asked.get('WebIdentityToken') === 'jwt' && asked.get('RoleArn') === 'arn:aws:iam::1:role/x'
    response.statusCode = isRight ? 200 : 403
    response.end(
      isRight
        ? '<R><Credentials><AccessKeyId>k</AccessKeyId><SecretAccessKey>s&amp;s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></R>'
        : '<Error><Code>InvalidIdentityToken</Code><Message>jwt2</Message></Error>',
    )
  })
  await using dir = await temporaryDirectory()
  const file = join(dir.path, 'jwt')
  writeFileSync(file, 'jwt\n')
  const env = {
    AWS_ENDPOINT_URL_STS: site.url,
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/x',
  }
  assert.equal(await (await sourceOf({ env }))(NOW), {
    accessKeyId: 'k',
    secretAccessKey: 's&s',
    sessionToken: 't',
    expiresAt: NOW + 3_600_000,
  })
  writeFileSync(file, 'jwt2\n')
  const error = await rejects(sourceOf({ env }), 'ERR_REMOTE_DENIED')
  assert.match(error.message, 'InvalidIdentityToken')
  assert.not.match(JSON.stringify(error), 'jwt2')
  const gone = { ...env, AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere/jwt' }
  assert.match((await rejects(sourceOf({ env: gone }), 'ERR_CONFIG')).message, '"/nowhere/jwt"')
})

test('a machine of EC2 is asked for its role by the second version of its service, for AWS alone', async () => {
  await using site = await web({}, (request, response) => {
    const { method, url, headers } = request
    if (method === 'PUT' && url === '/latest/api/token') return response.end('metadata-token')
    if (headers['x-aws-ec2-metadata-token'] !== 'metadata-token') {
      response.statusCode = 401
      return response.end()
    }
    const role = '/latest/meta-data/iam/security-credentials/'
    if (url === role) return response.end('trainer')
    assert.is(url, `${role}trainer`)
    const body = { Code: 'Success', AccessKeyId: 'k', SecretAccessKey: 's', Token: 't' }
    return response.end(JSON.stringify(body))
  })
  const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: site.url }
  const found = { accessKeyId: 'k', secretAccessKey: 's', sessionToken: 't' }
  assert.equal(await (await sourceOf({ env, isAws: true }))(NOW), found)
  assert.is(site.asked.length, 3)
  assert.is(await (await sourceOf({ env }))(NOW), undefined)
  const disabled = { ...env, AWS_EC2_METADATA_DISABLED: 'TRUE' }
  assert.is(await (await sourceOf({ env: disabled, isAws: true }))(NOW), undefined)
  assert.is(site.asked.length, 3)
  const nobody = { AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:9' }
  assert.is(await (await sourceOf({ env: nobody, isAws: true }))(NOW), undefined)
})

test('what a program prints that gives no keys is not told', async () => {
  for (const command of [
    'echo hunter2',
    'echo \'{"AccessKeyId":"hunter2"}\'',
    'exit 3 # hunter2',
  ]) {
    const error = await rejects(
      sourceOf({ profile: { credential_process: command } }),
      'ERR_CONFIG',
    )
    assert.not.match(JSON.stringify(error) + error.stack + String(error.cause), 'hunter2')
  }
})

test.run()
