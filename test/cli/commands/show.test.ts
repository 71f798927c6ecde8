import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { show } from '../../../src/cli/commands/show.ts'
import { call, run } from '../call.ts'
import { assertFields, lines } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('show')

test('shows all facts of a version', async () => {
  const cwd = await twoVersions()
  await run(['commit', '--reuse', 'never', '--meta', 'acc=0.5', '-m', 'checked'], { cwd })
  const text = await run(['show', 'bike'], { cwd })
  assert.match(text, /^bike:v2\n/)
  assert.match(text, /^ {2}type +dataset$/m)
  assert.match(text, /^ {2}id +[0-9a-f]{64}$/m)
  assert.match(text, /^ {2}content +4 files, 71 B \(71 bytes\)$/m)
  assert.match(text, /^ {2}created +\d{4}-\d\d-\d\dT.*Z \(just now\)$/m)
  assert.match(text, /^ {2}aliases +latest$/m)
  assert.match(text, /^ {2}about +checked$/m)
  assert.match(text, /^ {2}meta\.acc +0\.5$/m)
})

test('a version is found by number, alias, id and steps back', async () => {
  const cwd = await twoVersions()
  const [{ id }] = lines(await run(['show', 'bike:v0', '--json'], { cwd })) as [{ id: string }]
  for (const ref of [
    'bike:good',
    'bike~1',
    `bike@${id.slice(0, 8)}`,
    `@${id}`,
    'default/bike:v0',
  ]) {
    assert.match(await run(['show', ref], { cwd }), /^bike:v0\n/)
  }
})

test('--json has one object for each ref', async () => {
  const cwd = await twoVersions()
  const versions = lines(await run(['show', 'bike:v1', 'bike:v0', '--json'], { cwd }))
  assert.equal(
    versions.map(({ version }) => version),
    ['v1', 'v0'],
  )
  for (const version of versions) assertFields(version, show.json['A line for each REF'])
})

test('one ref that is not there fails all', async () => {
  const cwd = await twoVersions()
  const { code, stdout } = await call(['show', 'bike:v0', 'bike:v9'], { cwd })
  assert.is(code, 12)
  assert.is(stdout, '')
})

test.run()
