import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { edit } from '../../../src/cli/commands/edit.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, write } from '../workspace.ts'

const test = suite('edit')

test('changes description, metadata and time to live', async () => {
  const cwd = await twoVersions()
  assert.is(
    await run(['edit', 'bike:v0', '-m', 'text', '--meta', 'acc=0.5', '--ttl', '30d'], { cwd }),
    'Changed description, metadata and ttl of bike:v0.\n',
  )
  const shown = await run(['show', 'bike:v0'], { cwd })
  assert.match(shown, /^ {2}about +text$/m)
  assert.match(shown, /^ {2}meta\.acc +0\.5$/m)
  assert.match(shown, /^ {2}kept +30d from its creation, until \d{4}-/m)
  assert.is(
    await run(['edit', 'bike:v0', '-m', 'text'], { cwd }),
    'Nothing to change in bike:v0.\n',
  )
  await run(['edit', 'bike:v0', '-m', '', '--ttl', 'never'], { cwd })
  assert.match(await run(['show', 'bike:v0'], { cwd }), /^ {2}kept +for ever$/m)
})

test('merges metadata, replaces it from a file, and removes keys', async () => {
  const cwd = await twoVersions()
  const metadata = async (...words: readonly string[]): Promise<unknown> =>
    JSON.parse(await run(['edit', 'bike', '--json', ...words], { cwd })).metadata
  assert.equal(await metadata('--meta', 'a=1', '--meta', 'b=text'), { a: 1, b: 'text' })
  assert.equal(await metadata('--meta', 'b=2', '--unset-meta', 'a'), { b: 2 })
  write(cwd, { 'meta.json': '{"c":[3]}' })
  assert.equal(await metadata('--meta-file', 'meta.json'), { c: [3] })
  assert.equal(await metadata('--meta-file', 'meta.json', '--meta', 'd=4'), { c: [3], d: 4 })
})

test('changes the artifact itself', async () => {
  const cwd = await twoVersions()
  assert.is(
    await run(['edit', 'bike', '--artifact', '-t', 'model', '-m', 'all'], { cwd }),
    'Changed description and type of bike.\n',
  )
  assert.match(await run(['ls'], { cwd }), /^bike {2}model/)
  const value = JSON.parse(await run(['edit', 'bike', '--artifact', '-m', '', '--json'], { cwd }))
  assertFields(value, edit.json['With --artifact'])
})

test('--json has the labels as they are then', async () => {
  const cwd = await twoVersions()
  const value = JSON.parse(
    await run(['edit', 'bike', '-m', 'x', '--ttl', '90s', '--json'], { cwd }),
  )
  assertFields(value, edit.json[''])
  assert.equal([value.description, value.ttl, value.changed], ['x', 90, ['description', 'ttl']])
})

test('refuses what makes no sense, and says what would', async () => {
  const cwd = await twoVersions()
  for (const words of [
    ['bike'],
    ['bike', '--ttl', 'soon'],
    ['bike', '--ttl', '0'],
    ['bike', '--artifact'],
    ['bike', '--artifact', '--meta', 'a=1'],
    ['bike', '--artifact', '--ttl', '3d'],
    ['bike:v0', '--artifact', '-m', 'x'],
  ]) {
    assert.is((await call(['edit', ...words], { cwd })).code, 2, words.join(' '))
  }
  const { code, stderr } = await call(['edit', 'bike:v1', '-t', 'model'], { cwd })
  assert.is(code, 2)
  assert.match(stderr, '`artifacts edit bike --artifact -t model`')
})

test.run()
