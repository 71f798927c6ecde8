import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const ROOT = join(import.meta.dirname, '../../..')

type Packages = Readonly<Record<string, { readonly version: string; readonly optional?: boolean }>>

const WANTED: Packages = {
  '': { version: '1.0.0' },
  'node_modules/one': { version: '1.2.3' },
  'node_modules/other-platform': { version: '4.5.6', optional: true },
}

const test = suite('setup')

test('is content when everything wanted is installed, whatever the age of the files', () => {
  assert.equal(check({ 'node_modules/one': { version: '1.2.3' } }), { code: 0, said: '' })
})

test('sees that nothing was ever installed', () => {
  assert.equal(check(undefined), { code: 1, said: 'Nothing is installed' })
})

test('sees a package that was added since', () => {
  assert.equal(check({}), { code: 1, said: 'node_modules/one is missing, not 1.2.3' })
})

test('sees a package of another version', () => {
  const { code, said } = check({ 'node_modules/one': { version: '1.2.2' } })
  assert.is(code, 1)
  assert.is(said, 'node_modules/one is 1.2.2, not 1.2.3')
})

test('sees another version of a package that only some platforms have', () => {
  const { said } = check({
    'node_modules/one': { version: '1.2.3' },
    'node_modules/other-platform': { version: '4.0.0' },
  })
  assert.is(said, 'node_modules/other-platform is 4.0.0, not 4.5.6')
})

test('sees a native module that is not built for this Node', () => {
  const { code, said } = check({ 'node_modules/one': { version: '1.2.3' } }, 'damaged')
  assert.is(code, 1)
  assert.match(said, `better-sqlite3 does not load into Node ${process.version}`)
})

test.run()

/** Runs the check in a folder where `installed` is what npm noted, with the real native module or a damaged copy. */
function check(
  installed: Packages | undefined,
  native: 'real' | 'damaged' = 'real',
): { readonly code: number | null; readonly said: string } {
  const folder = mkdtempSync(join(tmpdir(), 'setup-'))
  try {
    const modules = join(folder, 'node_modules')
    mkdirSync(modules)
    for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path'])
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
    if (native === 'damaged') damageNative(modules)
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: WANTED }))
    if (installed !== undefined)
      writeFileSync(join(modules, '.package-lock.json'), JSON.stringify({ packages: installed }))
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'scripts/setup.mjs'), '--check'],
      { cwd: folder, encoding: 'utf8' },
    )
    return { code: status, said: (stdout + stderr).trim() }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function damageNative(modules: string): void {
  const copy = join(modules, 'better-sqlite3')
  const real = join(ROOT, 'node_modules/better-sqlite3')
  rmSync(copy)
  for (const part of ['package.json', 'lib'])
    cpSync(join(real, part), join(copy, part), { recursive: true })
  mkdirSync(join(copy, 'build/Release'), { recursive: true })
  writeFileSync(join(copy, 'build/Release/better_sqlite3.node'), 'built for another machine')
}
