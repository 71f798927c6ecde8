import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { importCommand } from '../../../src/cli/commands/import.ts'
import { tarOf } from '../../tar/raw.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, workspaceWith } from '../workspace.ts'

const test = suite('import')

test('stores what a tar holds, from a file and from standard input', async () => {
  const cwd = await twoVersions()
  await run(['export', 'bike:v0', '-o', 'copy.tar'], { cwd })
  assert.match(await run(['import', 'copy.tar'], { cwd }), 'Committed copy:v0 (4 added; ')
  const stdin = readFileSync(join(cwd, 'copy.tar'), 'utf8')
  const more = ['-n', 'bike', '-a', 'back', '--tag', 't', '-m', 'again', '--meta', 'n=1', '-q']
  assert.is(await run(['import', '-', ...more], { cwd, stdin }), 'bike:v2\n')
  const [shown] = JSON.parse(`[${await run(['show', 'bike:back', '--json'], { cwd })}]`)
  assert.equal([shown.tags, shown.description, shown.metadata], [['t'], 'again', { n: 1 }])
})

test('--json prints the report', async () => {
  const cwd = await workspaceWith()
  writeFileSync(join(cwd, 'x.tar'), tarOf({ name: 'a', content: 'a' }))
  const answer = JSON.parse(await run(['import', 'x.tar', '--json'], { cwd }))
  assertFields(answer, importCommand.json[''])
  assert.equal([answer.ref, answer.created, answer.files], ['x:v0', true, 1])
})

test('what is no tar ends with 13, what no version can hold with 2, and a missing file with 12', async () => {
  const cwd = await workspaceWith({ 'text.tar': 'text' })
  writeFileSync(join(cwd, 'up.tar'), tarOf({ name: '../a' }))
  assert.is((await call(['import', 'text.tar'], { cwd })).code, 13)
  const { code, stderr } = await call(['import', 'up.tar'], { cwd })
  assert.is(code, 2)
  assert.match(stderr, 'The tar "up.tar" is refused: path "../a" cannot be stored')
  assert.is((await call(['import', 'none.tar'], { cwd })).code, 12)
  assert.is((await call(['import', '-'], { cwd })).code, 2)
  assert.is(await run(['ls'], { cwd }), '')
})

test.run()
