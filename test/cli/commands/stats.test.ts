import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stats } from '../../../src/cli/commands/stats.ts'
import { run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, workspaceWith } from '../workspace.ts'

const test = suite('stats')

test('shows what is in the store and what it takes', async () => {
  const cwd = await twoVersions()
  const text = await run(['stats'], { cwd })
  assert.match(
    text,
    /^artifacts {4}1\nversions {5}2\noperations {3}2\ncontent {6}132 B in 8 files\n/,
  )
  assert.match(text, /\npacks {8}2, [\d.]+ k?B\n/)
  assert.match(text, /\non disk .* inodes\n/)
  assert.match(text, /\nlargest\n {2}bike {2}2 versions {2}132 B\n$/)
})

test('an empty store has no ratios', async () => {
  const cwd = await workspaceWith()
  assert.match(await run(['stats'], { cwd }), '\nstored       0 B\n')
})

test('--json has every number', async () => {
  const report = JSON.parse(await run(['stats', '--json'], { cwd: await twoVersions() }))
  assertFields(report, stats.json[''])
  assert.is(report.logicalBytes, 132)
  for (const each of report.objects) assertFields(each, stats.json['each of `objects`'])
  for (const each of report.largest) assertFields(each, stats.json['each of `largest`'])
})

test.run()
