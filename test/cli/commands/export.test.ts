import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exportCommand } from '../../../src/cli/commands/export.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('export')

test('writes a tar to standard output, and the same to a file', async () => {
  const cwd = await twoVersions()
  const printed: Uint8Array[] = []
  const write = async (piece: string | Uint8Array): Promise<void> => {
    printed.push(Buffer.from(piece))
  }
  assert.is((await call(['export', 'bike:v0'], { cwd, write })).code, 0)
  assert.is(
    await run(['export', 'bike:v0', '-o', 'x.tar'], { cwd }),
    'Exported bike:v0 to x.tar: 4 files, 61 B.\n',
  )
  assert.ok(readFileSync(join(cwd, 'x.tar')).equals(Buffer.concat(printed)))
  mkdirSync(join(cwd, 'out'))
  assert.is(spawnSync('tar', ['-C', 'out', '-xf', 'x.tar'], { cwd }).status, 0)
  assert.match(await run(['diff', 'bike:v0', './out', '--exit-code'], { cwd }), '')
  assert.is(await run(['export', 'bike:v0', '-o', 'x.tar', '-q'], { cwd }), '')
})

test('--json says what is in the file', async () => {
  const cwd = await twoVersions()
  const answer = JSON.parse(await run(['export', 'bike', '-o', 'x.tar', '--json'], { cwd }))
  assertFields(answer, exportCommand.json['With -o'])
  assert.is(answer.file, join(cwd, 'x.tar'))
  assert.is(answer.tarBytes, readFileSync(answer.file).length)
})

test('writes nothing to a terminal, and no file of a version that there is not', async () => {
  const cwd = await twoVersions()
  const { code, stderr } = await call(['export', 'bike'], { cwd, columns: 80 })
  assert.is(code, 2)
  assert.match(stderr, 'artifacts export bike -o FILE.tar')
  assert.is((await call(['export', 'car', '-o', 'x.tar'], { cwd })).code, 12)
  assert.not(existsSync(join(cwd, 'x.tar')))
})

test.run()
