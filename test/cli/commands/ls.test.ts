import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ls } from '../../../src/cli/commands/ls.ts'
import { call, run } from '../call.ts'
import { assertFields, lines } from '../json.ts'
import { twoVersions, workspaceWith } from '../workspace.ts'

const test = suite('ls')

async function mixed(): Promise<string> {
  const cwd = await workspaceWith({ 'data/run.sh': '#!/bin/sh\n', 'data/sub/big': 'x'.repeat(300) })
  chmodSync(join(cwd, 'data/run.sh'), 0o755)
  symlinkSync('run.sh', join(cwd, 'data/link'))
  mkdirSync(join(cwd, 'data/none'))
  await run(['commit', 'data', '-n', 'mixed'], { cwd })
  return cwd
}

test('lists artifacts', async () => {
  const cwd = await twoVersions()
  assert.is(await run(['ls'], { cwd }), 'bike  dataset  2 versions  71 B  just now\n')
  assert.is(await run(['ls', '-q'], { cwd }), 'bike\n')
})

test('lists the versions of an artifact, the newest first', async () => {
  const cwd = await twoVersions()
  assert.is(
    await run(['ls', 'bike'], { cwd }),
    'v1  latest  4 files  71 B  just now\nv0  good    4 files  61 B  just now\n',
  )
})

test('lists the entries of a version, of every kind', async () => {
  const cwd = await mixed()
  assert.is(
    await run(['ls', 'mixed:'], { cwd }),
    ['   link  link -> run.sh', '  empty  none/', '   10 B  run.sh*', '  300 B  sub/big', ''].join(
      '\n',
    ),
  )
  assert.is(await run(['ls', 'mixed:v0', 'sub'], { cwd }), '  300 B  sub/big\n')
  assert.is(await run(['ls', '-q', 'mixed', 'sub/'], { cwd }), 'sub/big\n')
})

test('--json gives artifacts and versions as arrays and an entry on each line', async () => {
  const cwd = await mixed()
  const [artifacts, versions, entries] = Object.values(ls.json)
  for (const value of JSON.parse(await run(['ls', '--json'], { cwd })))
    assertFields(value, artifacts)
  for (const value of JSON.parse(await run(['ls', 'mixed', '--json'], { cwd })))
    assertFields(value, versions)
  const found = lines(await run(['ls', 'mixed:', '--json'], { cwd }))
  for (const value of found) assertFields(value, entries)
  assert.equal(
    found.map(({ type, kind, path }) => [type, kind, path]),
    [
      ['entry', 'symlink', 'link'],
      ['entry', 'directory', 'none'],
      ['entry', 'file', 'run.sh'],
      ['entry', 'file', 'sub/big'],
    ],
  )
  assert.equal(found[2]?.['content'], {
    kind: 'inline',
    base64: Buffer.from('#!/bin/sh\n').toString('base64'),
  })
})

test('names are escaped on a terminal only', async () => {
  const cwd = await workspaceWith({ 'data/a\x1b[2J\nb': 'x\n' })
  await run(['commit', 'data', '-n', 'odd'], { cwd })
  assert.is(await run(['ls', 'odd:', '-q'], { cwd }), 'a\x1b[2J\nb\n')
  assert.is(await run(['ls', 'odd:', '-q'], { cwd, columns: 80 }), 'a\\x1b[2J\\nb\n')
})

test('a name that does not exist ends with 12 and the nearest one', async () => {
  const cwd = await twoVersions()
  const { code, stdout, stderr } = await call(['ls', 'bik'], { cwd })
  assert.is(code, 12)
  assert.is(stdout, '')
  assert.match(stderr, /^error: .*"bik".*\nhint: .*bike/)
})

test('an artifact of another project is shown with it', async () => {
  const cwd = await workspaceWith({ 'data/a': 'a\n' })
  await run(['commit', 'data', '-n', 'vision/cars'], { cwd })
  assert.match(await run(['ls'], { cwd }), /^vision\/cars {2}/)
  assert.is(await run(['ls', '-q', 'vision/cars:'], { cwd }), 'a\n')
})

test.run()
