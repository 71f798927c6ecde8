import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { restore } from '../../../src/cli/commands/restore.ts'
import { rm } from '../../../src/cli/commands/rm.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('rm and restore')

test('deletes a version, says where latest is now, and how to take it back', async () => {
  const cwd = await twoVersions()
  const { code, stdout, stderr } = await call(['rm', 'bike:v1'], { cwd })
  assert.is(code, 0)
  assert.match(
    stdout,
    /^Removed bike:v1 \(4 files, 71 B\)\. latest is now bike:v0\. gc can free \d+ B after its grace\.\n$/,
  )
  assert.match(stderr, '`artifacts undo 3` takes it back')
  assert.is(await run(['log', '-q'], { cwd }), 'bike:v0\n')
  assert.is(await run(['status'], { cwd }), 'data: bike:v1 (deleted, latest is v0), clean\n')
})

test('refuses what an alias holds, and prints the command that would do it', async () => {
  const cwd = await twoVersions()
  const { code, stderr } = await call(['rm', 'bike:v0'], { cwd })
  assert.is(code, 14)
  assert.match(stderr, 'artifacts rm bike:v0 --aliases')
  assert.match(
    await run(['rm', 'bike:v0', '--aliases'], { cwd }),
    'Removed bike:v0 (4 files, 61 B). good of bike:v0 is gone. gc can free ',
  )
})

test('deletes a whole artifact, and restores its versions', async () => {
  const cwd = await twoVersions()
  assert.match(
    await run(['rm', 'bike', '--all-versions', '--aliases'], { cwd }),
    /^Removed 2 versions: bike:v0 and bike:v1 \(8 files, 132 B\)\. latest of bike:v1 is gone\. good /,
  )
  assert.is(await run(['ls'], { cwd }), '')
  const { stderr, code } = await call(['show', 'bike'], { cwd })
  assert.is(code, 12)
  assert.match(stderr, '`artifacts restore bike:v1`')
  assert.is(
    await run(['restore', 'bike:v1'], { cwd }),
    'Restored bike:v1 (4 files, 71 B). latest is now bike:v1.\n',
  )
  const again = await call(['restore', 'bike:v1'], { cwd })
  assert.equal(
    [again.code, again.stdout, again.stderr],
    [0, 'Nothing to restore.\n', 'bike:v1 was not deleted.\n'],
  )
})

test('to restore a file is another command, which is named', async () => {
  const cwd = await twoVersions()
  for (const file of ['data', 'data/a.txt']) {
    const { code, stderr } = await call(['restore', file], { cwd })
    assert.is(code, 2)
    assert.match(stderr, `artifacts checkout REF -- ${file}`)
  }
  assert.is((await call(['restore', 'nothing'], { cwd })).code, 12)
})

test('--json has the versions', async () => {
  const cwd = await twoVersions()
  const removed = JSON.parse(await run(['rm', 'bike:v1', '--json'], { cwd }))
  assertFields(removed, rm.json[''])
  assert.equal(
    removed.removed.map(({ ref }: { ref: string }) => ref),
    ['bike:v1'],
  )
  assertFields(JSON.parse(await run(['restore', 'bike:v1', '--json'], { cwd })), restore.json[''])
})

test('verbs from elsewhere lead here', async () => {
  for (const [verb, command] of [
    ['delete', 'rm'],
    ['remove', 'rm'],
    ['mv', 'rename'],
    ['revert', 'undo'],
    ['oplog', 'op log'],
  ] as const) {
    assert.match((await call([verb, 'x'])).stderr, `\`artifacts ${command}\``)
  }
})

test.run()
