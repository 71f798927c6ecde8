import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkout } from '../../../src/cli/commands/checkout.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, write } from '../workspace.ts'

const test = suite('checkout')

test('makes a directory equal to a version and says so', async () => {
  const cwd = await twoVersions()
  assert.match(
    await run(['checkout', 'bike:v0', 'copy'], { cwd }),
    /^Checked out bike:v0 into copy \(4 added; /,
  )
  assert.equal(readdirSync(join(cwd, 'copy')).sort(), ['a.txt', 'b.txt', 'old.txt', 'sub'])
  assert.is(await run(['checkout', 'bike:v0', 'copy'], { cwd }), 'copy holds bike:v0 already.\n')
})

test('without a directory takes the one bound to the artifact', async () => {
  const cwd = await twoVersions()
  await run(['checkout', 'bike:v0'], { cwd })
  assert.is(readFileSync(join(cwd, 'data/a.txt'), 'utf8'), 'one\n')
  await run(['checkout', 'bike', 'second'], { cwd })
  assert.is((await call(['checkout', 'bike:v0'], { cwd })).code, 2)
})

test('refuses to lose work unless forced', async () => {
  const cwd = await twoVersions()
  write(cwd, { 'data/a.txt': 'precious\n' })
  const { code, stderr } = await call(['checkout', 'bike:v0'], { cwd })
  assert.is(code, 14)
  assert.match(stderr, 'a.txt')
  assert.match(stderr, '--force')
  assert.is(readFileSync(join(cwd, 'data/a.txt'), 'utf8'), 'precious\n')
  await run(['checkout', 'bike:v0', '--force'], { cwd })
  assert.is(readFileSync(join(cwd, 'data/a.txt'), 'utf8'), 'one\n')
})

test('--dry-run changes nothing', async () => {
  const cwd = await twoVersions()
  assert.match(
    await run(['checkout', 'bike:v0', '--dry-run'], { cwd }),
    /^Would check out bike:v0 into /,
  )
  assert.is(readFileSync(join(cwd, 'data/a.txt'), 'utf8'), 'one and two\n')
  await run(['checkout', 'bike:v0', 'copy', '--dry-run'], { cwd })
  assert.not(existsSync(join(cwd, 'copy')))
})

test('behind -- only these paths are brought', async () => {
  const cwd = await twoVersions()
  await run(['checkout', 'bike:v0', '--', 'b.txt'], { cwd })
  assert.is(readFileSync(join(cwd, 'data/b.txt'), 'utf8'), 'b\n')
  assert.is(readFileSync(join(cwd, 'data/a.txt'), 'utf8'), 'one and two\n')
})

test('--json prints the report', async () => {
  const cwd = await twoVersions()
  const report = JSON.parse(await run(['checkout', 'bike:v0', 'copy', '--json'], { cwd }))
  assertFields(report, checkout.json[''])
  assert.is(report.added, 4)
})

test('-q says nothing', async () => {
  const cwd = await twoVersions()
  assert.equal(await call(['checkout', '-q', 'bike:v0', 'copy'], { cwd }), {
    code: 0,
    stdout: '',
    stderr: '',
  })
})

test.run()
