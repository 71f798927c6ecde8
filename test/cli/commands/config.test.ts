import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { config } from '../../../src/cli/commands/config.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { workspaceWith } from '../workspace.ts'

const test = suite('config')

test('a setting is set, got and listed', async () => {
  const cwd = await workspaceWith()
  assert.is(await run(['config', 'get', 'project'], { cwd }), 'default\n')
  await run(['config', 'set', 'project', 'vision'], { cwd })
  assert.is(await run(['config', 'get', 'project'], { cwd }), 'vision\n')
  assert.match(await run(['config'], { cwd }), /^project +vision$/m)
  assert.is(await run(['config', 'ls'], { cwd }), await run(['config'], { cwd }))
})

test('--json has the documented fields', async () => {
  const cwd = await workspaceWith()
  assertFields(
    JSON.parse(await run(['config', 'get', 'project', '--json'], { cwd })),
    config.json['`get` and `set`'],
  )
  for (const setting of JSON.parse(await run(['config', '--json'], { cwd }))) {
    assertFields(setting, config.json['`ls`, an array of'])
  }
})

test('a setting that does not exist is refused', async () => {
  const cwd = await workspaceWith()
  assert.is((await call(['config', 'set', 'colour', 'red'], { cwd })).code, 2)
})

test('half a command is not understood', async () => {
  const cwd = await workspaceWith()
  for (const words of [
    ['get'],
    ['set', 'project'],
    ['get', 'a', 'b'],
    ['ls', 'x'],
    ['unset', 'x'],
  ]) {
    const { code, stderr } = await call(['config', ...words], { cwd })
    assert.is(code, 2)
    assert.match(stderr, 'Usage: ')
  }
})

test.run()
