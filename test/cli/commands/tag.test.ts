import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tag } from '../../../src/cli/commands/tag.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('tag')

test('adds tags, takes them away and sets them', async () => {
  const cwd = await twoVersions()
  const said = (...words: readonly string[]): Promise<string> =>
    run(['tag', 'bike:v0', ...words], { cwd })
  assert.is(await said('b', 'needs labels'), 'bike:v0 is tagged b and needs labels.\n')
  assert.is(await said('b'), 'Nothing to change: bike:v0 is tagged b and needs labels.\n')
  assert.is(await said('b', '--remove'), 'bike:v0 is tagged needs labels.\n')
  assert.is(await said('c', '--set'), 'bike:v0 is tagged c.\n')
  assert.is(await said('--set'), 'bike:v0 has no tag now.\n')
  assert.is(await said('--set'), 'Nothing to change: bike:v0 has no tag.\n')
})

test('--json has all tags', async () => {
  const cwd = await twoVersions()
  const value = JSON.parse(await run(['tag', 'bike', 'x', '--json'], { cwd }))
  assertFields(value, tag.json[''])
  assert.equal(value.tags, ['x'])
})

test('refuses what is no tag', async () => {
  const cwd = await twoVersions()
  assert.is((await call(['tag', 'bike', 'a/b'], { cwd })).code, 2)
  assert.is((await call(['tag', 'bike'], { cwd })).code, 2)
})

test.run()
