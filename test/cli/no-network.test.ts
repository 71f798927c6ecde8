/** The program on a machine without any network: in a name space of its own, which takes a system that allows one. */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { run } from './call.ts'
import { workspaceWith } from './workspace.ts'

const test = suite('no network')
const isolated = spawnSync('unshare', ['-rn', 'true']).status === 0
if (!isolated) {
  process.stdout.write('note: this system gives no network name space; left out: no network\n')
}

test('URIs are recorded and left to be looked up, and whatever is local works', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n' })
  if (!isolated) return
  const program = resolve('dist/program/artifacts.js')
  const uris = ['https://example.org/w.bin', 's3://bucket/x', 'gs://bucket/y', 'http://8.8.8.8/z']
  const words = ['commit', ...uris, 'data', '-n', 'far', '--json']
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-rn', process.execPath, program, ...words],
    { cwd, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: cwd } },
  )
  assert.is(status, 0, stderr)
  assert.equal([...JSON.parse(stdout).unresolved].sort(), ['w.bin', 'x', 'y', 'z'])
  assert.match(stderr, 'artifacts commit --resolve far:v0')
  assert.is(await run(['cat', 'far', 'data/a.txt'], { cwd }), 'a\n')
})

test.run()
