import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { show } from '../../../src/cli/commands/show.ts'
import { call, run } from '../call.ts'
import { assertFields, lines } from '../json.ts'
import { twoVersions, workspaceWith } from '../workspace.ts'

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

test('shows what is to be seen of a few files, or of those that are named, or of none', async () => {
  const cwd = await workspaceWith({
    'data/t.csv': `id,name\n1,"a\u001b[31m"\n${'2,b\n'.repeat(9)}`,
    'data/c.json': '{"name":"x","sizes":[1,2,3],"deep":{"a":{"b":{"c":1}}}}',
    'data/notes.txt': 'one\ntwo\n',
    'data/z.bin': '\0\u0001',
  })
  await run(['commit', 'data', '-n', 'd'], { cwd })
  const text = await run(['show', 'd'], { cwd })
  assert.ok(
    text.endsWith(`
  t.csv  55 B, table of 2 columns
    id  name
    1   a\\x1b[31m
    2   b
    2   b
    2   b
    2   b
    …

  c.json  55 B, JSON
    object of 3
      name: "x"
      sizes: list of 3
      deep: object of 1
        a: object of 1

  notes.txt  8 B, text
    one
    two
`),
    text,
  )
  const named = await run(['show', 'd', '--preview', 'z.bin'], { cwd })
  assert.ok(named.endsWith('\n  z.bin  2 B, bytes\n    00 01\n'), named)
  assert.not.match(await run(['show', 'd', '--no-preview'], { cwd }), 't.csv')
  const [record] = lines(await run(['show', 'd', '--json'], { cwd }))
  assert.is((record?.['previews'] as unknown[] | undefined)?.length, 3)
  assert.not(
    'previews' in (lines(await run(['show', 'd', '--json', '--no-preview'], { cwd }))[0] ?? {}),
  )
  assert.is((await call(['show', 'd', '--preview', 'none'], { cwd })).code, 12)
})

test.run()
