import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { download } from '../../../src/cli/commands/download.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, write } from '../workspace.ts'

const test = suite('download')

test('prints the directory alone, and the rest on standard error', async () => {
  const cwd = await twoVersions()
  process.chdir(cwd)
  const { stdout, stderr } = await call(['download', 'bike:v0'], { cwd })
  assert.is(stdout, `${join(cwd, 'artifacts/bike-v0')}\n`)
  assert.is(stderr, 'Downloaded bike:v0: 4 files, 61 B.\n')
  assert.equal(readdirSync(join(cwd, 'artifacts/bike-v0')).sort(), [
    'a.txt',
    'b.txt',
    'old.txt',
    'sub',
  ])
})

test('only adds', async () => {
  const cwd = await twoVersions()
  write(cwd, { 'copy/mine.txt': 'mine\n' })
  await run(['download', 'bike', 'copy'], { cwd })
  assert.is(readFileSync(join(cwd, 'copy/mine.txt'), 'utf8'), 'mine\n')
  assert.match((await call(['download', 'bike', 'copy'], { cwd })).stderr, ', 4 there already.')
})

test('--prefix, --include and --exclude choose', async () => {
  const cwd = await twoVersions()
  await run(['download', 'bike:v0', 'part', '--prefix', 'sub'], { cwd })
  assert.ok(existsSync(join(cwd, 'part/sub/c.txt')))
  assert.not(existsSync(join(cwd, 'part/a.txt')))
  await run(['download', 'bike:v0', 'rest', '--include', '*.txt', '--exclude', 'a.*'], { cwd })
  assert.equal(readdirSync(join(cwd, 'rest')).sort(), ['b.txt', 'old.txt', 'sub'])
})

test('--json prints the report and remarks nothing', async () => {
  const cwd = await twoVersions()
  const { stdout, stderr } = await call(['download', 'bike', 'copy', '--json'], { cwd })
  assertFields(JSON.parse(stdout), download.json[''])
  assert.is(stderr, '')
})

test.run()
