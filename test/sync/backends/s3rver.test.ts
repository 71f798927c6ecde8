/** Against a server that ignores conditions without a word. */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readEnvironment } from '../../../src/cli/io.ts'
import { retrying } from '../../../src/sync/backends/retrying.ts'
import { S3Backend } from '../../../src/sync/backends/s3.ts'
import { probe } from '../../../src/sync/probe.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { call, run } from '../../cli/call.ts'
import { workspaceWith } from '../../cli/workspace.ts'
import { startS3rver } from '../../support/s3/s3rver.ts'

const test = suite('s3 backend, a server that ignores conditions')

test('a probe finds that it ignores them', async () => {
  await using server = await startS3rver('remotes')
  await using backend = await S3Backend.open('s3://remotes/a', { env: server.env })
  for (const body of ['first', 'second']) {
    assert.is(await backend.putIfAbsent('format.json', bytesSource(body)), 'created')
  }
  assert.equal(await probe(retrying(backend)), { verdict: 'ignores', left: [] })
})

test('a person is told that it overwrites, and that one machine alone may push', async () => {
  await using server = await startS3rver('remotes')
  const cwd = await workspaceWith({ 'a.txt': 'a' })
  const environment = readEnvironment(server.env)
  const said = await run(['remote', 'add', 'origin', 's3://remotes/a'], { cwd, environment })
  assert.match(said, /pushing +refused: it overwrites a file .* \(ignores\)/)
  await run(['commit', 'a.txt', '-n', 'a'], { cwd })
  const refused = await call(['push'], { cwd, environment })
  assert.is(refused.code, 4)
  assert.match(refused.stderr, 'two pushes at once could lose one of them')
  assert.match(refused.stderr, 'artifacts config set remote.origin.single-writer true')
  await run(['config', 'set', 'remote.origin.single-writer', 'true'], { cwd })
  const { code, stdout } = await call(['remote', 'check'], { cwd, environment })
  assert.is(code, 0)
  assert.match(stdout, /pushing +one machine at a time, as was promised/)
  assert.match(await run(['push'], { cwd, environment }), 'Pushed a:v0 to origin')
  await run(['clone', 's3://remotes/a', 'copy'], { cwd, environment })
  assert.match(await run(['ls'], { cwd: join(cwd, 'copy') }), /^a /m)
})

test.run()
