import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { init } from '../../../src/cli/commands/init.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'

const test = suite('init')

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'init-'))
}

test('makes a store that git ignores', async () => {
  const cwd = folder()
  assert.is(await run(['init'], { cwd }), `Made a store in ${cwd}/.artifacts\n`)
  assert.is(readFileSync(join(cwd, '.artifacts/.gitignore'), 'utf8').trim(), '*')
})

test('again, says that it exists and changes nothing', async () => {
  const cwd = folder()
  const first = JSON.parse(await run(['init', '--json'], { cwd }))
  const second = JSON.parse(await run(['init', '--json'], { cwd }))
  assertFields(first, init.json[''])
  assert.equal(second, { ...first, created: false })
  assert.match(await run(['init'], { cwd }), 'A store is already in')
})

test('makes it in the directory that is named', async () => {
  const cwd = folder()
  await run(['init', 'sub/dir'], { cwd })
  assert.ok(existsSync(join(cwd, 'sub/dir/.artifacts')))
})

test('--store names the store itself', async () => {
  const cwd = folder()
  await run(['--store', 'here/.artifacts', 'init'], { cwd })
  assert.ok(existsSync(join(cwd, 'here/.artifacts/format.json')))
  assert.is((await call(['--store', 'here/other', 'init'], { cwd })).code, 2)
})

test.run()
