/** Eight who push ten times each to a real S3 server. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readAll } from '../src/sync/backend.ts'
import { S3Backend } from '../src/sync/backends/s3.ts'
import { race } from './pushers.ts'
import { adminOf } from './support/s3/admin.ts'
import { startRgw } from './support/s3/rgw.ts'

const suiteOf = suite('pushers to S3')
const server = await startRgw()
const test = server === undefined ? suiteOf.skip : suiteOf

test('eighty pushes are eighty operations in line, and every version is there', async () => {
  if (server === undefined) return
  await adminOf(server).makeBucket('pushers')
  const address = 's3://pushers/line'
  await race({ address, env: server.env, pushers: 8, pushes: 10 })
  await using backend = await S3Backend.open(address, { env: server.env })
  const latest = await readAll(backend, 'latest.json', { most: 1000 })
  assert.ok(JSON.parse(latest.toString('utf8')).n >= 80)
})

test('beside somebody who removes what nobody needs, too', async () => {
  if (server === undefined) return
  await adminOf(server).makeBucket('collected')
  await race({
    address: 's3://collected/line',
    env: server.env,
    pushers: 8,
    pushes: 10,
    collects: true,
  })
})

suiteOf('the server is stopped', async () => {
  await server?.[Symbol.asyncDispose]()
})

suiteOf.run()
