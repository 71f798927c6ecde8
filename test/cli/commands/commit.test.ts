import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commit } from '../../../src/cli/commands/commit.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { workspaceWith, write } from '../workspace.ts'

const test = suite('commit')

test('says what it did and where you are now', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n', 'data/b.txt': 'b\n' })
  const first = await run(['commit', 'data', '-n', 'bike'], { cwd })
  assert.match(first, /^Committed bike:v0 \(2 added; \d.* stored, \d.* reused\)\.\n$/)
  write(cwd, { 'data/a.txt': 'other\n', 'data/c.txt': 'c\n' })
  assert.match(await run(['commit'], { cwd }), /^Committed bike:v1 \(1 added, 1 changed; .*\)\.\n$/)
  assert.match(await run(['commit'], { cwd }), /^Unchanged: bike:v1 has this content \(3 files, /)
})

test('--json prints the report, in which created tells whether there is a new version', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n' })
  const first = JSON.parse(await run(['commit', 'data', '--json'], { cwd }))
  assertFields(first, commit.json[''])
  assert.is(first.artifact, 'data')
  assert.is(first.version, 'v0')
  assert.match(first.id, /^[0-9a-f]{64}$/)
  assert.is(first.created, true)
  const second = JSON.parse(await run(['commit', 'data', '--json'], { cwd }))
  assert.is(second.created, false)
  assert.is(second.id, first.id)
})

test('-q prints only the ref', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n' })
  assert.equal(await call(['commit', '-q', 'data', '-n', 'bike'], { cwd }), {
    code: 0,
    stdout: 'bike:v0\n',
    stderr: '',
  })
})

test('labels arrive as they were typed', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n', 'meta.json': '{"source":"lab","n":1}' })
  const labels = ['-t', 'model', '-a', 'best', '-a', 'prod', '--tag', 'x y', '-m', '1e-3']
  const meta = ['--meta', 'lr=1e-3', '--meta', 'code=007', '--meta-file', 'meta.json']
  await run(['commit', ...labels, 'data', '-n', 'm', ...meta], { cwd })
  const shown = JSON.parse(await run(['show', 'm', '--json'], { cwd }))
  assert.is(shown.type, 'model')
  assert.equal([...shown.aliases].sort(), ['best', 'latest', 'prod'])
  assert.equal(shown.tags, ['x y'])
  assert.is(shown.description, '1e-3')
  assert.equal(shown.metadata, { source: 'lab', n: 1, lr: 0.001, code: '007' })
})

test('names and paths that look like numbers are names and paths', async () => {
  const cwd = await workspaceWith({ '007/0x10': 'a\n', '1e-3': 'b\n' })
  await run(['commit', '007', '1e-3', '-n', '123456'], { cwd })
  assert.is(await run(['ls', '-q', '123456:'], { cwd }), '007/0x10\n1e-3\n')
})

test('standard input needs a path and gets it', async () => {
  const cwd = await workspaceWith()
  await run(['commit', '-', '--as', 'in/x.csv', '-n', 'table'], { cwd, stdin: 'a,b\n' })
  assert.is(await run(['cat', 'table', 'in/x.csv'], { cwd }), 'a,b\n')
  assert.is((await call(['commit', '-', '-n', 'table'], { cwd, stdin: 'x' })).code, 2)
})

test('--as puts a directory below a path, and names a file', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n', 'one.txt': '1\n' })
  await run(['commit', 'data', '--as', 'deep/er', '-n', 'bike'], { cwd })
  assert.is(await run(['ls', '-q', 'bike:'], { cwd }), 'deep/er/a.txt\n')
  await run(['commit', 'one.txt', '--as', 'uno.txt', '-n', 'file'], { cwd })
  assert.is(await run(['ls', '-q', 'file:'], { cwd }), 'uno.txt\n')
})

test('--incremental adds to the latest version, --base to any', async () => {
  const cwd = await workspaceWith({ 'a.txt': 'a\n', 'b.txt': 'b\n' })
  await run(['commit', 'a.txt', '-n', 'bike'], { cwd })
  await run(['commit', 'b.txt', '-n', 'bike', '--incremental'], { cwd })
  assert.is(await run(['ls', '-q', 'bike:'], { cwd }), 'a.txt\nb.txt\n')
  await run(['commit', 'b.txt', '-n', 'car', '--base', 'bike:v0'], { cwd })
  assert.is(await run(['ls', '-q', 'car:'], { cwd }), 'a.txt\nb.txt\n')
})

test('--include and --exclude choose', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n', 'data/b.csv': 'b\n', 'data/c.tmp': 'c\n' })
  await run(['commit', 'data', '-n', 'x', '--exclude', '*.tmp', '--exclude', '*.csv'], { cwd })
  assert.is(await run(['ls', '-q', 'x:'], { cwd }), 'a.txt\n')
  await run(['commit', 'data', '-n', 'y', '--include', '*.csv'], { cwd })
  assert.is(await run(['ls', '-q', 'y:'], { cwd }), 'b.csv\n')
})

test('--reuse any takes an older version, --reuse never makes a new one', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n' })
  await run(['commit', 'data', '-n', 'x'], { cwd })
  write(cwd, { 'data/a.txt': 'b\n' })
  await run(['commit', 'data', '-n', 'x'], { cwd })
  write(cwd, { 'data/a.txt': 'a\n' })
  assert.is(await run(['commit', '-q', '--reuse', 'any'], { cwd }), 'x:v0\n')
  assert.is(await run(['commit', '-q', '--reuse', 'never'], { cwd }), 'x:v2\n')
})

test('labels that are not applied to what was there are named', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n' })
  await run(['commit', 'data', '-n', 'x'], { cwd })
  const { code, stderr } = await call(['commit', '-m', 'better', '-a', 'best'], { cwd })
  assert.is(code, 0)
  assert.match(
    stderr,
    'Not applied, because x:v0 was there already: description. This would: artifacts edit x:v0 -m',
  )
  assert.is(await run(['show', 'x:best'], { cwd }).then((text) => text.split('\n')[0]), 'x:v0')
})

test('--dry-run stores nothing', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n' })
  assert.match(
    await run(['commit', 'data', '-n', 'x', '--dry-run'], { cwd }),
    /^Would commit x:v0 \(1 added; /,
  )
  assert.is(await run(['ls'], { cwd }), '')
})

test('secrets are refused unless allowed', async () => {
  const cwd = await workspaceWith({ 'data/.env': 'TOKEN=1\n' })
  const { code, stderr } = await call(['commit', 'data', '-n', 'x'], { cwd })
  assert.is(code, 2)
  assert.match(stderr, '.env')
  await run(['commit', 'data', '-n', 'x', '--allow-secrets'], { cwd })
})

test('without a path and without a bound directory the line is not understood', async () => {
  const cwd = await workspaceWith()
  const { code, stderr } = await call(['commit'], { cwd })
  assert.is(code, 2)
  assert.match(stderr, /hint: /)
})

test('without a path the bound directory around the current one is stored', async () => {
  const cwd = await workspaceWith({ 'one/sub/a.txt': 'a\n', 'two/b.txt': 'b\n' })
  await run(['commit', 'one', '-n', 'first'], { cwd })
  await run(['commit', 'two', '-n', 'second'], { cwd })
  write(cwd, { 'one/sub/a.txt': 'new\n' })
  assert.is(await run(['commit', '-q'], { cwd: join(cwd, 'one/sub') }), 'first:v1\n')
  assert.is((await call(['commit'], { cwd })).code, 2)
})

test('a path that does not exist is named', async () => {
  const cwd = await workspaceWith()
  const { code, stderr } = await call(['commit', 'nothing', '-n', 'x'], { cwd })
  assert.is.not(code, 0)
  assert.match(stderr, '"nothing"')
  assert.not.match(stderr, '    at ')
})

test.run()
