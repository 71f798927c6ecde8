/** Against a real server that refuses conditional writes, OpenStack Swift; left out where there is none. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readEnvironment } from '../../../src/cli/io.ts'
import { limited } from '../../../src/sync/backends/limited.ts'
import { retrying } from '../../../src/sync/backends/retrying.ts'
import { S3Backend } from '../../../src/sync/backends/s3.ts'
import { singleWriter } from '../../../src/sync/backends/single-writer.ts'
import { probe } from '../../../src/sync/probe.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { run } from '../../cli/call.ts'
import { workspaceWith } from '../../cli/workspace.ts'
import { rejects } from '../../support/rejects.ts'
import { adminOf } from '../../support/s3/admin.ts'
import type { Rgw } from '../../support/s3/rgw.ts'
import { startSwift } from '../../support/s3/swift.ts'
import { conformance } from '../conformance.ts'

const suiteOf = suite('s3 backend, a server without conditional writes')
const server = await startSwift()
const test = server === undefined ? suiteOf.skip : suiteOf
const swift = server as Rgw
if (server !== undefined) await adminOf(server).makeBucket('remotes')
let remotes = 0

test('a probe finds that it refuses', async () => {
  await using backend = await open()
  await rejects(backend.putIfAbsent('format.json', bytesSource('x')), 'ERR_UNSUPPORTED')
  assert.equal(await probe(retrying(backend)), { verdict: 'refuses', left: [] })
})

test('a person is told that it refuses, and that one machine alone may push', async () => {
  const cwd = await workspaceWith()
  const environment = readEnvironment(swift.env)
  const url = `s3://remotes/remote-${remotes++}`
  const said = await run(['remote', 'add', 'origin', url], { cwd, environment })
  assert.match(said, /pushing +refused: it refuses to make .* \(refuses\)/)
  await run(['config', 'set', 'remote.origin.single-writer', 'true'], { cwd })
  assert.match(await run(['remote', 'check'], { cwd, environment }), 'one machine at a time')
})

if (server !== undefined) {
  conformance(suiteOf, {
    name: 'swift, single writer',
    excludes: false,
    async open(files) {
      const inner = await open()
      const backend = limited(retrying(singleWriter(inner)), 8)
      await Promise.all(
        Object.entries(files).map(([each, bytes]) => backend.put(each, bytesSource(bytes))),
      )
      return { backend, [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose]() }
    },
  })
}

suiteOf('the server goes down', async () => {
  await server?.[Symbol.asyncDispose]()
})

suiteOf.run()

function open(): Promise<S3Backend> {
  return S3Backend.open(`s3://remotes/remote-${remotes++}`, { env: swift.env })
}
