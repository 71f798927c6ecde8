import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { status } from '../../../src/cli/commands/status.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, workspaceWith, write } from '../workspace.ts'

const test = suite('status')

test('without a bound directory says how to bind one', async () => {
  const cwd = await workspaceWith()
  assert.match(await run(['status'], { cwd }), 'No directory is bound')
})

test('shows each directory with what changed in it', async () => {
  const cwd = await twoVersions()
  assert.is(await run(['status'], { cwd }), 'data: bike:v1, clean\n')
  write(cwd, { 'data/a.txt': 'other\n', 'data/x.txt': 'x\n' })
  rmSync(join(cwd, 'data/new.txt'))
  assert.is(
    await run(['status', 'data'], { cwd }),
    [
      'data: bike:v1, 1 added, 1 modified, 1 removed',
      '  modified  a.txt  12 B -> 6 B',
      '  removed   new.txt  4 B',
      '  added     x.txt  2 B',
      '',
    ].join('\n'),
  )
})

test('says where a newer version is', async () => {
  const cwd = await twoVersions()
  await run(['checkout', 'bike:v0', 'data'], { cwd })
  assert.match(await run(['status'], { cwd }), 'data: bike:v0 (latest is v1), clean\n')
})

test('says when the directory is gone', async () => {
  const cwd = await twoVersions()
  rmSync(join(cwd, 'data'), { recursive: true })
  assert.is(await run(['status'], { cwd }), 'data: bike:v1, missing\n')
})

test('--json has every directory', async () => {
  const cwd = await twoVersions()
  const value = JSON.parse(await run(['status', '--json'], { cwd }))
  assertFields(value, status.json[''])
  assert.is(value.directories.length, 1)
  assertFields(value.directories[0], status.json['Each of `directories`'])
})

test('a directory that is not bound is named', async () => {
  const cwd = await twoVersions()
  const { code, stderr } = await call(['status', '.artifacts'], { cwd })
  assert.is.not(code, 0)
  assert.match(stderr, '.artifacts')
})

test.run()
