import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { alias } from '../../../src/cli/commands/alias.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('alias')

test('moves aliases, and says where they were', async () => {
  const cwd = await twoVersions()
  assert.is(
    await run(['alias', 'bike:v1', 'good', 'prod'], { cwd }),
    'good (was v0) and prod are now bike:v1.\n',
  )
  assert.is(
    await run(['alias', 'bike:v1', 'good'], { cwd }),
    'Nothing to change: bike:v1 has good, latest and prod.\n',
  )
  assert.is(await run(['alias', 'bike:v0', 'x', '-q'], { cwd }), '')
})

test('takes them away, and remarks on those that are not there', async () => {
  const cwd = await twoVersions()
  const { stdout, stderr, code } = await call(['alias', 'bike:v0', 'good', 'x', '--remove'], {
    cwd,
  })
  assert.equal(
    [code, stdout, stderr],
    [0, 'Removed good from bike:v0.\n', '"x" did not name bike:v0.\n'],
  )
})

test('sets all of them', async () => {
  const cwd = await twoVersions()
  assert.is(
    await run(['alias', 'bike:v0', 'best', '--set'], { cwd }),
    'best is now bike:v0. Removed good from bike:v0.\n',
  )
  assert.is(await run(['alias', 'bike:v0', '--set'], { cwd }), 'Removed best from bike:v0.\n')
  assert.is(
    await run(['alias', 'bike:v0', '--set'], { cwd }),
    'Nothing to change: bike:v0 has no alias.\n',
  )
})

test('--json has what changed', async () => {
  const cwd = await twoVersions()
  const value = JSON.parse(await run(['alias', 'bike', 'good', '--json'], { cwd }))
  assertFields(value, alias.json[''])
  assert.equal(value.added, [{ alias: 'good', from: 'v0' }])
})

test('refuses what makes no sense', async () => {
  const cwd = await twoVersions()
  assert.is((await call(['alias', 'bike'], { cwd })).code, 2)
  assert.is((await call(['alias', 'bike', 'x', '--set', '--remove'], { cwd })).code, 2)
  assert.is((await call(['alias', 'bike', 'v3'], { cwd })).code, 2)
  assert.is((await call(['alias', 'bike:v7', 'x'], { cwd })).code, 12)
})

test.run()
