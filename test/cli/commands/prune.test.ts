import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { prune } from '../../../src/cli/commands/prune.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { workspaceWith, write } from '../workspace.ts'

const test = suite('prune')

test('says what goes, what stays and why', async () => {
  const cwd = await threeVersions()
  const dry = ['prune', 'bike', '--keep-last', '1', '--keep-aliased', '--dry-run']
  const table = 'stays  bike:v0  has an alias\nstays  bike:v2  among the last\ngoes   bike:v1\n'
  assert.is(await run(dry, { cwd }), `${table}Would remove 1 version.\n`)
  assert.is((await run(['ls', 'bike', '-q'], { cwd })).split('\n').length, 4)
  const { stdout, stderr } = await call(dry.slice(0, -1), { cwd })
  assert.is(stdout, `${table}Removed bike:v1 (1 file, 4 B).\n`)
  assert.match(stderr, /`artifacts undo \d+` takes it back/)
  assert.is(await run(['ls', 'bike', '-q'], { cwd }), 'bike:v2\nbike:v0\n')
})

test('a version that an alias holds ends with 14', async () => {
  const cwd = await threeVersions()
  const { code, stderr } = await call(['prune', 'bike', '--keep-last', '1'], { cwd })
  assert.is(code, 14)
  assert.match(stderr, '"bike:v0" (good)')
})

test('rules that make no sense end with 2', async () => {
  const cwd = await threeVersions()
  for (const rules of [[], ['--keep-last', '0'], ['--keep-within', 'x'], ['--keep-best', 'acc']]) {
    assert.is((await call(['prune', 'bike', ...rules], { cwd })).code, 2, rules.join())
  }
  assert.is((await call(['prune', 'bike', '--keep-best', 'meta.acc'], { cwd })).code, 12)
})

test('--json names every version', async () => {
  const cwd = await threeVersions()
  const report = JSON.parse(
    await run(['prune', 'bike', '--keep-within', '1d', '--json', '--dry-run'], { cwd }),
  )
  assertFields(report, prune.json[''])
  assert.is(report.kept.length, 3)
  for (const version of report.kept) assertFields(version, prune.json['each of `kept`'])
})

async function threeVersions(): Promise<string> {
  const cwd = await workspaceWith()
  for (const [i, content] of ['one\n', 'two\n', 'six\n'].entries()) {
    write(cwd, { 'data/a.txt': content })
    const alias = i === 0 ? ['-a', 'good'] : []
    await run(['commit', 'data', '-n', 'bike', ...alias], { cwd })
  }
  return cwd
}

test.run()
