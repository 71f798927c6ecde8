import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { op } from '../../../src/cli/commands/op.ts'
import { call, run } from '../call.ts'
import { assertFields, lines } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('op')

test('log lists operations, the newest first, with what became of them', async () => {
  const cwd = await twoVersions()
  await run(['undo'], { cwd })
  const text = await run(['op', 'log'], { cwd })
  assert.equal(
    text.split('\n').map((line) => line.replace(/ +\S+@\S+ +/, '  who  ')),
    [
      '    3  just now  who  undo 2',
      '    2  just now  who  commit bike:v1 [undone by 3]',
      '    1  just now  who  commit bike:v0 (good)',
      '',
    ],
  )
  assert.is(await run(['op', 'log', '-q', '--limit', '2'], { cwd }), '3\n2\n')
  assert.is(await run(['op'], { cwd }), text)
})

test('show tells all of one operation', async () => {
  const cwd = await twoVersions()
  const text = await run(['op', 'show', '2'], { cwd })
  assert.match(text, /^operation 2\n {2}what +commit bike:v1\n {2}at +\d{4}-/)
  assert.match(text, /^ {2}pack +[0-9a-f]{64} \(\w+, /m)
  assert.match(
    text,
    /^2 changes:\n {2}version bike:v1 added: 4 files, 71 bytes\n {2}alias bike:latest: /m,
  )
})

test('--json has a line for each operation, and all of one', async () => {
  const cwd = await twoVersions()
  const [list, all] = Object.values(op.json)
  for (const value of lines(await run(['op', 'log', '--json'], { cwd }))) assertFields(value, list)
  const shown = JSON.parse(await run(['op', 'show', '1', '--json'], { cwd }))
  assertFields(shown, all)
  assert.is(shown.changes[0].kind, 'artifact.create')
})

test('refuses what is not understood', async () => {
  const cwd = await twoVersions()
  for (const words of [
    ['list'],
    ['show'],
    ['show', 'x'],
    ['log', '3'],
    ['show', '1', '--limit=2'],
  ]) {
    assert.is((await call(['op', ...words], { cwd })).code, 2, words.join(' '))
  }
  assert.is((await call(['op', 'show', '7'], { cwd })).code, 12)
})

test.run()
