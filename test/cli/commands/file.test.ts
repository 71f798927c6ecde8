import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { call, run } from '../call.ts'
import { twoVersions, workspaceWith } from '../workspace.ts'

const test = suite('file')

test('gets the one file and prints its path', async () => {
  const cwd = await workspaceWith({ 'model.pt': 'weights' })
  await run(['commit', 'model.pt', '-n', 'model'], { cwd })
  process.chdir(cwd)
  const path = (await run(['file', 'model'], { cwd })).trimEnd()
  assert.is(path, join(cwd, 'artifacts/model-v0/model.pt'))
  assert.is(readFileSync(path, 'utf8'), 'weights')
  assert.equal(JSON.parse(await run(['file', 'model', 'there', '--json'], { cwd })), {
    path: join(cwd, 'there/model.pt'),
  })
})

test('a version of several files is refused', async () => {
  const cwd = await twoVersions()
  const { code, stdout, stderr } = await call(['file', 'bike'], { cwd })
  assert.is.not(code, 0)
  assert.is(stdout, '')
  assert.match(stderr, '"bike" has 4 files')
})

test.run()
