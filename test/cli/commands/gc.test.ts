import { readdirSync, rmSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { gc } from '../../../src/cli/commands/gc.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, workspaceWith } from '../workspace.ts'

const test = suite('gc')

test('says what it would do, does it, and has nothing to do any more', async () => {
  const cwd = await twoVersions()
  assert.match(await run(['gc'], { cwd }), /^Nothing to free; .* in use\.\n$/)
  await run(['rm', 'bike:v0', '--aliases'], { cwd })
  assert.match(await run(['gc'], { cwd }), /^Nothing to free/)
  const dry = await run(['gc', '--grace', '0', '--dry-run'], { cwd })
  assert.match(dry, /^Would have purged bike:v0\.\n/)
  assert.match(dry, /^Would free .* in use\.$/m)
  await run(['restore', 'bike:v0'], { cwd })
  await run(['rm', 'bike:v0'], { cwd })
  const done = await run(['gc', '--grace', '0'], { cwd })
  assert.match(done, /^Purged bike:v0\.\n/)
  assert.match(done, /^Removed packs: 1 (written anew|no longer needed)\.$/m)
  assert.match(done, /^Freed /m)
  assert.match((await call(['restore', 'bike:v0'], { cwd })).stderr, /removed by gc/)
  assert.is(await run(['gc', '-q'], { cwd }), '')
  await run(['verify', 'bike:v1'], { cwd })
})

test('--explain says of each version why it stays or goes', async () => {
  const cwd = await twoVersions()
  await run(['rm', 'bike:v0', '--aliases'], { cwd })
  const kept = await run(['gc', '--explain'], { cwd })
  assert.match(kept, /^ +\d+ \w+ +stays +bike:v0 +deleted; kept until \d{4}-\d\d-\d\d$/m)
  assert.match(kept, /^ +\d+ \w+ +stays +bike:v1 +live, latest$/m)
  assert.match(kept, /^ +\d+ \w+ +stays +several versions$/m)
  assert.match(kept, /^ +[\d.]+ \w+ +in all$/m)
  const gone = await run(['gc', '--explain', '--grace', '0'], { cwd })
  assert.match(gone, /^ +\d+ \w+ +goes +bike:v0 +deleted before grace$/m)
})

test('--json has the documented fields', async () => {
  const cwd = await twoVersions()
  const plain = JSON.parse(await run(['gc', '--json'], { cwd }))
  const explained = JSON.parse(await run(['gc', '--json', '--explain', '--dry-run'], { cwd }))
  for (const report of [plain, explained]) assertFields(report, gc.json[''])
  assert.equal([plain.dryRun, explained.dryRun], [false, true])
  assert.is(explained.explanation.versions.length, 2)
})

test('a grace that is no duration is refused', async () => {
  const cwd = await workspaceWith()
  const { code, stderr } = await call(['gc', '--grace', 'soon'], { cwd })
  assert.is(code, 2)
  assert.match(stderr, '14d')
})

test('ends with 13 when something that is needed is missing', async () => {
  const cwd = await twoVersions()
  const [pack = ''] = readdirSync(`${cwd}/.artifacts/packs`)
  rmSync(`${cwd}/.artifacts/packs/${pack}`)
  const { code, stderr } = await call(['gc', '--grace', '0'], { cwd })
  assert.is(code, 13)
  assert.match(stderr, 'Nothing was removed')
})

test.run()
