import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { undo } from '../../../src/cli/commands/undo.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('undo')

test('takes back the last thing, and says what that was and how to do it again', async () => {
  const cwd = await twoVersions()
  const { stdout, stderr } = await call(['undo'], { cwd })
  assert.is(
    stdout,
    [
      'Undid operation 2 (commit bike:v1).',
      '  alias bike:latest: bike:v1 -> bike:v0',
      '  version bike:v1 deleted',
      '',
    ].join('\n'),
  )
  assert.is(stderr, '`artifacts undo 3` does it again.\n')
  await run(['undo', '3'], { cwd })
  assert.is(await run(['log', '-q'], { cwd }), 'bike:v1\nbike:v0\n')
  assert.is(await run(['undo', '-q'], { cwd }), '')
})

test('names what is in the way', async () => {
  const cwd = await twoVersions()
  const { code, stderr } = await call(['undo', '1'], { cwd })
  assert.is(code, 14)
  assert.match(stderr, 'operation 2 (commit bike:v1) has changed the alias "latest" of "bike"')
  assert.match(stderr, 'artifacts undo 2')
})

test('--json has what was undone', async () => {
  const cwd = await twoVersions()
  const value = JSON.parse(await run(['undo', '--json'], { cwd }))
  assertFields(value, undo.json[''])
  assert.equal([value.undone, value.operation], [2, 3])
})

test('refuses what is no operation', async () => {
  const cwd = await twoVersions()
  assert.is((await call(['undo', 'bike'], { cwd })).code, 2)
  assert.is((await call(['undo', '99'], { cwd })).code, 12)
})

test.run()
