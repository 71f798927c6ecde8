import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fsck } from '../../../src/cli/commands/fsck.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, workspaceWith } from '../workspace.ts'

const test = suite('fsck')

test('a sound store ends with 0, and says what was looked at', async () => {
  const cwd = await twoVersions()
  assert.is(
    await run(['fsck'], { cwd }),
    'The store is sound (2 operations, 2 packs, 4 objects, 2 versions; stored bytes not read: --data does).\n',
  )
  assert.match(await run(['fsck', '--data'], { cwd }), /; \d+ B read\)\.\n$/)
  assert.match(await run(['fsck', '--data=5%'], { cwd }), /; \d+ B read\)\.\n$/)
  assert.is(await run(['fsck', '-q'], { cwd }), '')
  assert.is((await call(['fsck'], { cwd: '/' })).code, 10)
})

test('damage is named by file and by version and path, ends with 1, and is mended', async () => {
  const { cwd, pack } = await damagedStore()
  const { code, stdout } = await call(['fsck', '--data'], { cwd })
  assert.is(code, 1)
  assert.match(stdout, `damaged   packs/${pack}: 1 of 3 objects can't be read`)
  assert.match(stdout, '\n          big:v0:big.txt\n')
  assert.match(
    stdout,
    /\n1 problem \(1 operation, 1 pack, 3 objects, 1 version; \d+ kB read\)\.\n$/,
  )
  assert.is((await call(['cat', 'big', 'big.txt'], { cwd })).code, 13)
  assert.is((await call(['fsck', '--data', '-q'], { cwd })).stdout.includes('problem'), false)

  const mended = await run(['fsck', '--data', '--repair'], { cwd })
  assert.match(
    mended,
    `repaired  packs/${pack}: dropped: its 2 objects that can be read are in packs/`,
  )
  assert.match(mended, 'repaired  1 lost object found in bound directories or the log\n')
  const [, folder = ''] = /What was replaced is in (.*)\.\n/.exec(mended) ?? []
  assert.ok(existsSync(join(folder, 'packs', pack)))
  assert.match(mended, 'The store is sound again (2 operations')
  assert.is((await call(['cat', 'big', 'big.txt'], { cwd })).code, 0)
})

test('what is lost is still named after a repair, and ends with 1', async () => {
  const { cwd } = await damagedStore()
  rmSync(join(cwd, 'data'), { recursive: true })
  const { code, stdout } = await call(['fsck', '--data', '--repair'], { cwd })
  assert.is(code, 1)
  assert.match(stdout, '\n          big:v0:big.txt\n')
})

test('a store that no other command can open is examined and mended', async () => {
  const cwd = await twoVersions()
  const log = join(cwd, '.artifacts/log/000000000001.json')
  const good = readFileSync(log)
  const bytes = Buffer.from(good)
  bytes[50] = (bytes[50] as number) ^ 1
  writeFileSync(log, bytes)
  for (const name of readdirSync(join(cwd, '.artifacts'))) {
    if (name.startsWith('index')) rmSync(join(cwd, '.artifacts', name))
  }
  assert.is((await call(['ls'], { cwd })).code, 13)
  const { code, stdout } = await call(['fsck'], { cwd })
  assert.is(code, 1)
  assert.match(stdout, 'damaged   log/000000000001.json: does not match its checksum\n')
  await run(['fsck', '--repair'], { cwd })
  assert.ok(readFileSync(log).equals(good))
  await run(['ls'], { cwd })
})

test('--json has everything', async () => {
  const { cwd } = await damagedStore()
  const before = await call(['fsck', '--data', '--json'], { cwd })
  assert.is(before.code, 1)
  const report = JSON.parse(before.stdout)
  assertFields(report, fsck.json[''])
  for (const step of report.steps) assertFields(step, fsck.json['each of `steps`'])
  for (const problem of report.problems)
    assertFields(problem, fsck.json['each of `problems` and `found`'])
  const mended = JSON.parse(await run(['fsck', '--data', '--repair', '--json'], { cwd }))
  assertFields(mended, fsck.json[''])
  assert.equal(mended.found, report.problems)
  for (const repair of mended.repairs) assertFields(repair, fsck.json['each of `repairs`'])
})

test('a share is one that can be', async () => {
  const cwd = await workspaceWith()
  for (const share of ['5', '0%', '101%', 'all', '']) {
    assert.is((await call(['fsck', `--data=${share}`], { cwd })).code, 2, share)
  }
  assert.is((await call(['fsck', '--data', '5%'], { cwd })).code, 2)
  assert.is((await call(['fsck', '--data=0.5%'], { cwd })).code, 0)
})

async function damagedStore(): Promise<{ readonly cwd: string; readonly pack: string }> {
  const cwd = await workspaceWith({ 'data/big.txt': randomBytes(20_000).toString('hex') })
  await run(['commit', 'data', '-n', 'big'], { cwd })
  const [pack = ''] = readdirSync(join(cwd, '.artifacts/packs'))
  const file = join(cwd, '.artifacts/packs', pack)
  const bytes = readFileSync(file)
  bytes.write('damage', 5000)
  writeFileSync(file, bytes)
  return { cwd, pack }
}

test.run()
