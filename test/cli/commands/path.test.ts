import { readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { path } from '../../../src/cli/commands/path.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, workspaceWith } from '../workspace.ts'

const test = suite('path')

test('prints the folder of a read-only copy, alone, and the same the next time', async () => {
  const cwd = await twoVersions()
  const first = await call(['path', 'bike:good'], { cwd })
  const dir = first.stdout.trimEnd()
  assert.is(readFileSync(join(dir, 'a.txt'), 'utf8'), 'one\n')
  assert.is(statSync(join(dir, 'a.txt')).mode & 0o222, 0)
  assert.match(first.stderr, 'Copied bike:v0: 4 files')
  assert.equal(await call(['path', 'bike:v0'], { cwd }), {
    code: 0,
    stdout: first.stdout,
    stderr: '',
  })
})

test('prints the file of a one-file version, and that of a path', async () => {
  const cwd = await workspaceWith({ 'model.pt': 'weights', 'a/x.txt': 'x', 'a/y.txt': 'y' })
  await run(['commit', 'model.pt', '-n', 'model'], { cwd })
  await run(['commit', 'a', '-n', 'bike'], { cwd })
  const model = (await run(['path', 'model'], { cwd })).trimEnd()
  assert.equal([basename(model), readFileSync(model, 'utf8')], ['model.pt', 'weights'])
  const one = (await run(['path', 'bike', 'y.txt'], { cwd })).trimEnd()
  assert.is(readFileSync(one, 'utf8'), 'y')
  assert.is((await call(['path', 'bike', 'z.txt'], { cwd })).code, 12)
})

test('--json has the documented fields', async () => {
  const cwd = await twoVersions()
  assertFields(JSON.parse(await run(['path', 'bike', '--json'], { cwd })), path.json[''])
})

test('says when the cache holds more than it should', async () => {
  const cwd = await twoVersions()
  await run(['config', 'set', 'cache.maxBytes', '10'], { cwd })
  const { code, stderr } = await call(['path', 'bike'], { cwd })
  assert.is(code, 0)
  assert.match(
    stderr,
    'more than cache.maxBytes (10 B): what was handed out in the last 7 days stays',
  )
})

test.run()
