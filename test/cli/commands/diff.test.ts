import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diff } from '../../../src/cli/commands/diff.ts'
import { call, run } from '../call.ts'
import { assertFields, lines } from '../json.ts'
import { twoVersions, workspaceWith, write } from '../workspace.ts'

const test = suite('diff')

const FORWARD = 'M\ta.txt\nD\tb.txt\nA\tnew.txt\nR\told.txt\trenamed.txt\n'

/** The lines in an order of their own: that of the changes is the library's matter. */
function sorted(text: string): string {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1))
    .map((line) => `${line}\n`)
    .join('')
}

test('compares two versions, the second named in any short way', async () => {
  const cwd = await twoVersions()
  const ways = [
    ['bike:v0', 'bike:v1'],
    ['bike:v0', 'v1'],
    ['bike:v0..v1'],
    ['bike:good', 'latest'],
    ['bike:v0..bike'],
    ['bike:v0', ':latest'],
  ]
  for (const way of ways) {
    assert.is(sorted(await run(['diff', ...way, '--name-status'], { cwd })), FORWARD, way.join(' '))
  }
})

test('says in words what changed, and sums up', async () => {
  const cwd = await twoVersions()
  const text = await run(['diff', 'bike:v0', 'v1'], { cwd })
  assert.match(text, 'modified  a.txt  4 B -> 12 B\n')
  assert.match(text, 'removed   b.txt  2 B\n')
  assert.match(text, 'added     new.txt  4 B\n')
  assert.match(text, 'renamed   old.txt -> renamed.txt\n')
  assert.match(text, /\n1 added, 1 removed, 1 modified, 1 renamed \(.*\)\n$/)
})

test('--stat shows by how much', async () => {
  const cwd = await twoVersions()
  const text = await run(['diff', 'bike:v0', 'v1', '--stat'], { cwd })
  assert.match(text, '     +8 B  a.txt\n')
  assert.match(text, '     -2 B  b.txt\n')
})

test('--no-renames shows a rename as removed and added', async () => {
  const cwd = await twoVersions()
  const text = await run(['diff', 'bike:v0', 'v1', '--no-renames', '--name-status'], { cwd })
  assert.match(text, 'D\told.txt\n')
  assert.match(text, 'A\trenamed.txt\n')
})

test('compares a version with a directory, and a directory with a version', async () => {
  const cwd = await twoVersions()
  assert.is(sorted(await run(['diff', 'bike:v0', './data', '--name-status'], { cwd })), FORWARD)
  assert.is(
    sorted(await run(['diff', 'bike:v0', '.', '--name-status'], { cwd: join(cwd, 'data') })),
    FORWARD,
  )
  assert.is(await run(['diff', join(cwd, 'data'), 'bike'], { cwd }), '')
})

test('without a version compares the bound directory with what it holds', async () => {
  const cwd = await twoVersions()
  assert.is(await run(['diff'], { cwd }), '')
  write(cwd, { 'data/a.txt': 'three\n' })
  assert.is(await run(['diff', '--name-status'], { cwd }), 'M\ta.txt\n')
  assert.is(await run(['diff', './data', '--name-status'], { cwd }), 'M\ta.txt\n')
  assert.match(await run(['diff', 'bike:v0', '--name-status'], { cwd }), 'A\tnew.txt\n')
  assert.is((await call(['diff', './elsewhere'], { cwd })).code, 2)
})

test('behind -- only these paths count', async () => {
  const cwd = await twoVersions()
  assert.is(
    await run(['diff', 'bike:v0..v1', '--name-status', '--', 'a.txt', 'sub'], { cwd }),
    'M\ta.txt\n',
  )
  write(cwd, { 'data/a.txt': 'three\n', 'data/sub/c.txt': 'other\n' })
  assert.is(await run(['diff', '--name-status', '--', 'sub'], { cwd }), 'M\tsub/c.txt\n')
})

test('--exit-code ends with 1 where something differs', async () => {
  const cwd = await twoVersions()
  assert.is((await call(['diff', 'bike:v0', 'v1'], { cwd })).code, 0)
  assert.is((await call(['diff', 'bike:v0', 'v1', '--exit-code'], { cwd })).code, 1)
  assert.is((await call(['diff', 'bike:v0', 'v0', '--exit-code'], { cwd })).code, 0)
})

test('--json has a line for each change and one that sums up', async () => {
  const cwd = await twoVersions()
  const all = lines(await run(['diff', 'bike:v0', 'v1', '--json'], { cwd }))
  const summary = all.pop()
  for (const change of all) assertFields(change, diff.json['A line for each change'])
  assertFields(summary, diff.json['The last line'])
  assert.equal(all.map(({ kind }) => kind).sort(), ['added', 'modified', 'removed', 'renamed'])
  assert.equal(summary?.['counts'], {
    added: 1,
    removed: 1,
    modified: 1,
    renamed: 1,
    mode: 0,
    type: 0,
  })
})

test('two ways to show the same exclude each other', async () => {
  const cwd = await twoVersions()
  assert.is((await call(['diff', 'bike:v0', 'v1', '--stat', '--name-status'], { cwd })).code, 2)
})

test('a word behind a ref is an artifact if there is one, else an alias', async () => {
  const cwd = await twoVersions()
  write(cwd, { 'good/x.txt': 'x\n' })
  assert.is(await run(['diff', 'bike:v0', 'good'], { cwd }), '')
  await run(['commit', 'good'], { cwd })
  assert.match(await run(['diff', 'bike:v0', 'good', '--name-status'], { cwd }), 'A\tx.txt\n')
})

test('shows what differs inside files, by key where one is named', async () => {
  const cwd = await workspaceWith({
    'data/t.csv': 'id,v\n1,a\n2,b\n',
    'data/a.txt': 'x\n\x1b[2J\n',
  })
  await run(['commit', 'data', '-n', 'table'], { cwd })
  write(cwd, { 'data/t.csv': 'id,v\n2,c\n1,a\n', 'data/a.txt': 'y\n\x1b[2J\n' })
  await run(['commit'], { cwd })
  const diff = ['diff', 'table:v0', 'v1']
  assert.match(
    await run(diff, { cwd }),
    '    @@ -1,2 +1,2 @@\n    -x\n    +y\n     \x1b[2J\nmodified  t.csv',
  )
  assert.match(
    await run([...diff, '--key', 'id'], { cwd }),
    '    1 row changed; 2 rows, by id\n    ~ 2  v: b -> c\n',
  )
  assert.match(
    await run([...diff, '--format', 'md', '--key', 'id'], { cwd }),
    '| ~ | `2` | `b` → `c` |',
  )
  const page = await run([...diff, '--format', 'html', '--key', 'id'], { cwd })
  assert.match(page, '<del>b</del> <ins>c</ins>')
  assert.not.match(page, '\x1b')
  const [text, table] = lines(await run([...diff, '--format', 'json', '--key', 'id'], { cwd }))
  assert.is(text?.['path'], 'a.txt')
  assert.equal(Object(table?.['contents']).changed, 1)
  const refused = await call([...diff, '--format', 'html', '--stat'], { cwd })
  assert.is(refused.code, 2)
})

test.run()
