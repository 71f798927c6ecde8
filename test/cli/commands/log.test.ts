import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { log } from '../../../src/cli/commands/log.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, write } from '../workspace.ts'

const test = suite('log')

async function threeVersions(): Promise<string> {
  const cwd = await twoVersions()
  write(cwd, { 'other/x.txt': 'x\n' })
  await run(['commit', 'other', '-m', 'first line\nsecond line', '--tag', 'raw'], { cwd })
  return cwd
}

test('lists versions with labels, sizes and ages, the newest first', async () => {
  const cwd = await threeVersions()
  assert.is(
    await run(['log'], { cwd }),
    [
      'other:v0  latest, #raw  1 file   2 B   just now  first line',
      'bike:v1   latest        4 files  71 B  just now',
      'bike:v0   good          4 files  61 B  just now',
      '',
    ].join('\n'),
  )
  assert.is(await run(['log', 'bike', '-q'], { cwd }), 'bike:v1\nbike:v0\n')
  assert.is(await run(['log', '--limit', '1', '-q'], { cwd }), 'other:v0\n')
})

test('--alias tells who moved it when', async () => {
  const cwd = await threeVersions()
  await run(['alias', 'bike:v1', 'good'], { cwd })
  await run(['alias', 'bike:v1', 'good', '--remove'], { cwd })
  const text = await run(['log', 'bike', '--alias', 'good'], { cwd })
  assert.equal(
    text.split('\n').map((line) => line.replace(/just now {2}\S+ on \S+ {2}/, '')),
    [
      'bike:v1 -> none     operation 5',
      'bike:v0 -> bike:v1  operation 4',
      'none -> bike:v0     operation 1',
      '',
    ],
  )
  assert.is(await run(['log', '--alias', 'good', '-q', '--limit', '2'], { cwd }), 'none\nbike:v1\n')
  for (const move of JSON.parse(await run(['log', '--alias', 'latest', '--json'], { cwd }))) {
    assertFields(move, log.json['With --alias, an array of'])
  }
})

test('--json is an array of versions', async () => {
  const cwd = await threeVersions()
  const versions = JSON.parse(await run(['log', '--json'], { cwd }))
  assert.is(versions.length, 3)
  for (const version of versions) assertFields(version, log.json['An array of'])
})

test('a limit that is no number above zero is refused', async () => {
  const cwd = await threeVersions()
  for (const limit of ['0', '-1', '1.5', 'x', '']) {
    assert.is((await call(['log', `--limit=${limit}`], { cwd })).code, 2)
  }
})

test('the run that made a version is named, before what is said of it', async () => {
  const cwd = await twoVersions()
  const id = (await run(['run', 'start'], { cwd })).trim()
  await run(['commit', 'data', '--reuse', 'never', '--run', id, '-m', 'third'], { cwd })
  const [first = '', second = ''] = (await run(['log', 'bike'], { cwd })).split('\n')
  assert.match(first, new RegExp(`^bike:v2 .* just now +run ${id} {2}third$`))
  assert.not.match(second, 'run')
})

test.run()
