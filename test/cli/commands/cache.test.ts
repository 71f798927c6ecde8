import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cache } from '../../../src/cli/commands/cache.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, workspaceWith } from '../workspace.ts'

const test = suite('cache')

test('lists copies with ref, size and place, the one used last first', async () => {
  const cwd = await twoVersions()
  const first = (await run(['path', 'bike:v0'], { cwd })).trimEnd()
  const second = (await run(['path', 'bike:v1', 'new.txt'], { cwd })).trimEnd()
  const [newest = '', oldest = '', sum = ''] = (await run(['cache'], { cwd })).split('\n')
  assert.match(newest, /^bike:v1 new\.txt +4 B +just now +\//)
  assert.ok(second.startsWith(newest.slice(newest.indexOf('/'))))
  assert.ok(oldest.startsWith('bike:v0') && oldest.endsWith(first))
  assert.match(sum, / of 20 GB in .*cache$/)
})

test('clean keeps what was handed out lately, and says so', async () => {
  const cwd = await twoVersions()
  assert.match(await run(['cache', 'clean'], { cwd }), 'Nothing is left.')
  await run(['path', 'bike:v0'], { cwd })
  assert.match(await run(['cache', 'clean', '1kB'], { cwd }), /^Removed 0 copies .*1 copy stays\./)
  assert.is(JSON.parse(await run(['cache', '--json'], { cwd })).copies.length, 1)
})

test('--json has the documented fields', async () => {
  const cwd = await twoVersions()
  await run(['path', 'bike:v0'], { cwd })
  const listed = JSON.parse(await run(['cache', 'ls', '--json'], { cwd }))
  assertFields(listed, cache.json['`ls`'])
  assertFields(listed.copies[0], cache.json['`ls`, each of `copies`'])
  assertFields(JSON.parse(await run(['cache', 'clean', '--json'], { cwd })), cache.json['`clean`'])
})

test('an empty cache is no error, half a command is', async () => {
  const cwd = await workspaceWith()
  assert.match(await run(['cache'], { cwd }), /^0 B of 20 GB/)
  assert.is((await call(['cache', 'ls', 'x'], { cwd })).code, 2)
  assert.is((await call(['cache', 'clear'], { cwd })).code, 2)
  assert.is((await call(['cache', 'clean', 'much'], { cwd })).code, 2)
})

test.run()
