import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { verify } from '../../../src/cli/commands/verify.ts'
import { call, run } from '../call.ts'
import { assertFields, lines } from '../json.ts'
import { twoVersions, workspaceWith, write } from '../workspace.ts'

const test = suite('verify')

test('what is as it was stored ends with 0', async () => {
  const cwd = await twoVersions()
  assert.is(
    await run(['verify', 'bike:v0', 'bike:v1'], { cwd }),
    'bike:v0: all as stored (4 files, 61 B)\nbike:v1: all as stored (4 files, 71 B)\n',
  )
})

test('a directory that differs is described and ends with 1', async () => {
  const cwd = await twoVersions()
  assert.is((await call(['verify', 'bike', '--dir', 'data'], { cwd })).code, 0)
  write(cwd, { 'data/a.txt': 'ONE and two\n', 'data/extra.txt': 'x\n' })
  rmSync(join(cwd, 'data/new.txt'))
  const { code, stdout } = await call(['verify', 'bike', '--dir', 'data'], { cwd })
  assert.is(code, 1)
  assert.is(
    stdout,
    'missing  new.txt\nchanged  a.txt\nextra    extra.txt\nbike:v1: 3 problems (4 files, 71 B)\n',
  )
})

test('a byte that changed in the store is found and ends with 1', async () => {
  const cwd = await workspaceWith({ 'data/big.txt': randomBytes(20_000).toString('hex') })
  await run(['commit', 'data', '-n', 'big'], { cwd })
  const packs = join(cwd, '.artifacts/packs')
  for (const name of readdirSync(packs)) {
    const fd = openSync(join(packs, name), 'r+')
    writeSync(fd, 'damage', 5000)
    closeSync(fd)
  }
  const { code, stdout } = await call(['verify', 'big'], { cwd })
  assert.is(code, 1)
  assert.match(stdout, /^damaged {2}big\.txt: /)
  assert.is((await call(['cat', 'big', 'big.txt'], { cwd })).code, 13)
})

test('--json has one object for each ref', async () => {
  const cwd = await twoVersions()
  const reports = lines(await run(['verify', 'bike:v0', 'bike:v1', '--json'], { cwd }))
  assert.is(reports.length, 2)
  for (const report of reports) assertFields(report, verify.json['A line for each REF'])
})

test('--dir goes with one version', async () => {
  const cwd = await twoVersions()
  assert.is((await call(['verify', 'bike:v0', 'bike:v1', '--dir', 'data'], { cwd })).code, 2)
})

test.run()
