import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { use } from '../../../src/cli/commands/use.ts'
import { call, run } from '../call.ts'
import { assertFields, lines } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('use')

test('prints a path for each version, and records them in one operation', async () => {
  const cwd = await twoVersions()
  const id = (await run(['run', 'start'], { cwd })).trim()
  const [first = '', second = ''] = (
    await run(['use', 'bike:v0', 'bike:v1', '--run', id], { cwd })
  ).split('\n')
  assert.is(readFileSync(`${first}/a.txt`, 'utf8'), 'one\n')
  assert.is(readFileSync(`${second}/a.txt`, 'utf8'), 'one and two\n')
  assert.match(await run(['op', 'log', '--limit', '1'], { cwd }), 'use bike:v0, bike:v1')
})

test('--json has a line for each version', async () => {
  const cwd = await twoVersions()
  const id = (await run(['run', 'start'], { cwd })).trim()
  const words = ['use', 'bike:good', '--run', id, '--slot', 'any text', '--json']
  const found = lines(await run(words, { cwd }))
  for (const each of found) assertFields(each, use.json['A line for each REF'])
  assert.equal(
    found.map(({ ref, slot, run: of }) => [ref, slot, of]),
    [['bike:v0', 'any text', id]],
  )
})

test('where one of them cannot be used, none is recorded', async () => {
  const cwd = await twoVersions()
  const id = (await run(['run', 'start'], { cwd })).trim()
  assert.is((await call(['use', 'bike', 'nothing', '--run', id], { cwd })).code, 12)
  assert.is((await call(['use', 'bike', '--type', 'model', '--run', id], { cwd })).code, 14)
  assert.is((await call(['use', 'bike'], { cwd })).code, 2)
  assert.equal(JSON.parse(await run(['run', 'show', id, '--json'], { cwd })).inputs, [])
})

test.run()
