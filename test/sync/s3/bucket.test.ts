/** What the client learns from answers: against a server on loopback that looks at how requests are signed. */
import type { IncomingMessage } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Network } from '../../../src/sync/net/network.ts'
import { Bucket } from '../../../src/sync/s3/bucket.ts'
import { rejects } from '../../support/rejects.ts'
import { type Page, type Web, web } from '../../support/web.ts'

const test = suite('s3 bucket')
const BODY = Buffer.from('content')

/** Region and time that a request is signed with. */
function signatureOf({ headers }: IncomingMessage): { region: string; time: number } {
  const [, region = ''] =
    /Credential=[^/]+\/\d{8}\/([^/]+)\//.exec(headers.authorization ?? '') ?? []
  const [, ...parts] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? []
  const [year = '', month, day, hour, minute, second] = parts
  return { region, time: Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) }
}

function server(judge: (request: IncomingMessage) => Page): Promise<Web> {
  return web({}, (request, response) => {
    request.resume()
    request.on('end', () => {
      const { status = 200, headers, body = '' } = judge(request)
      response.writeHead(status, { 'content-length': Buffer.from(body).length, ...headers })
      response.end(request.method === 'HEAD' ? undefined : body)
    })
  })
}

async function withBucket<T>(
  { url }: Web,
  use: (bucket: Bucket) => Promise<T>,
  now?: () => number,
): Promise<T> {
  const env = {
    AWS_ENDPOINT_URL_S3: url,
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'us-east-1',
    HOME: '/none',
  }
  using network = new Network({ trusted: [], env, attempts: 1 })
  return await use(await Bucket.open('bucket', network, env, now))
}

for (const status of [301, 307, 400]) {
  test(`a bucket in another region is asked there, and from then on (${status})`, async () => {
    await using site = await server((request) =>
      signatureOf(request).region === 'eu-west-9'
        ? { body: request.method === 'PUT' ? '' : BODY }
        : { status, headers: { 'x-amz-bucket-region': 'eu-west-9' }, body: '<Error/>' },
    )
    await withBucket(site, async (bucket) => {
      assert.ok(await bucket.put('key', BODY))
      assert.is(site.asked.length, 2)
      assert.is((await bucket.head('key'))?.size, BODY.length)
      assert.is(site.asked.length, 3)
    })
  })
}

test('a region that no host has is not believed, and one that changes with each answer not for ever', async () => {
  let count = 0
  let region = (): string => 'evil.test/'
  await using site = await server(() => ({
    status: 301,
    headers: { 'x-amz-bucket-region': region() },
  }))
  await withBucket(site, async (bucket) => {
    await rejects(bucket.put('key', BODY), 'ERR_REMOTE_DENIED')
    assert.is(site.asked.length, 1)
    region = () => `region-${count++}`
    await rejects(bucket.put('key', BODY), 'ERR_REMOTE_DENIED')
    assert.is(site.asked.length, 4)
  })
})

for (const hours of [-3, 3]) {
  test(`a clock that is ${hours} h off is made up for, by what the server says of its own`, async () => {
    await using site = await server((request) =>
      Math.abs(signatureOf(request).time - Date.now()) < 15 * 60_000
        ? { body: request.method === 'PUT' ? '' : BODY }
        : { status: 403, body: '<Error><Code>RequestTimeTooSkewed</Code></Error>' },
    )
    const now = (): number => Date.now() + hours * 3_600_000
    await withBucket(
      site,
      async (bucket) => {
        assert.is((await bucket.head('key'))?.size, BODY.length)
        assert.is(site.asked.length, 2)
        assert.ok(await bucket.put('key', BODY))
        assert.is(site.asked.length, 3)
      },
      now,
    )
  })
}

test('a refusal by a server whose clock is right is one', async () => {
  await using site = await server(() => ({ status: 403, body: '<Error/>' }))
  await withBucket(site, async (bucket) => {
    await rejects(bucket.put('key', BODY), 'ERR_REMOTE_DENIED')
    assert.is(site.asked.length, 1)
  })
})

test.run()
