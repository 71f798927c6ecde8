import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { find } from '../../../src/cli/commands/find.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('find')

test('lists versions that meet all terms, with -q refs alone', async () => {
  const cwd = await twoVersions()
  await run(['edit', 'bike:v0', '--meta', 'acc=0.95'], { cwd })
  assert.match(
    await run(['find', 'type=dataset', 'meta.acc>0.9'], { cwd }),
    /^bike:v0 +good +4 files/,
  )
  assert.is(await run(['find', 'bik', '-q'], { cwd }), 'bike:v1\nbike:v0\n')
  assert.is(await run(['find', '-q', '--limit', '1'], { cwd }), 'bike:v1\n')
  assert.is(await run(['find', 'alias=none'], { cwd }), '')
})

test('--json has the documented fields', async () => {
  const cwd = await twoVersions()
  const found = JSON.parse(await run(['find', 'bike', '--json'], { cwd }))
  assert.is(found.length, 2)
  for (const version of found) assertFields(version, find.json['an array of'])
})

test('a term that is not understood ends with 2', async () => {
  const cwd = await twoVersions()
  const { code, stderr } = await call(['find', 'colour=red'], { cwd })
  assert.is(code, 2)
  assert.match(stderr, 'There is no field "colour" in "colour=red"')
})

test.run()
