/** What W&B's three commands do, with ours: put, list, get. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { call, run } from '../cli/call.ts'
import { workspaceWith } from '../cli/workspace.ts'

const test = suite('behaviours: commands')

test('a file is put in, listed with its size, and got out again', async () => {
  const cwd = await workspaceWith({ 'some/file.txt': 'hello world' })
  const put = await call(['commit', 'some/file.txt', '-n', 'test/simple'], { cwd })
  assert.is(put.code, 0)
  assert.match(put.stdout, 'Committed test/simple:v0')
  const listed = await run(['ls', 'test/simple:v0'], { cwd })
  assert.match(listed, /11 B .*file\.txt/)
  assert.match(await run(['ls', 'test/simple'], { cwd }), /v0 .*11 B/)
  const got = await call(['download', 'test/simple:v0', join(cwd, 'out')], { cwd })
  assert.is(got.code, 0)
  assert.is(got.stdout, `${join(cwd, 'out')}\n`)
  assert.is(readFileSync(join(cwd, 'out/file.txt'), 'utf8'), 'hello world')
})

test('a local copy is printed by its absolute path, and only that fills the cache', async () => {
  const cwd = await workspaceWith({ 'file.txt': 'hello world' })
  await run(['commit', 'file.txt', '-n', 'simple'], { cwd })
  await run(['download', 'simple', join(cwd, 'out')], { cwd })
  const cached = async (): Promise<number> =>
    JSON.parse(await run(['cache', 'ls', '--json'], { cwd })).copies.length
  assert.is(await cached(), 0)
  const path = (await run(['path', 'simple'], { cwd })).trim()
  assert.ok(isAbsolute(path))
  assert.is(readFileSync(path, 'utf8'), 'hello world')
  assert.is(await cached(), 1)
  assert.equal(readdirSync(join(cwd, '.artifacts/tmp')), [])
})

test('nothing is asked: what a name, type or project is not told is what it is always', async () => {
  const cwd = await workspaceWith({ 'model.pt': 'w' })
  await run(['commit', 'model.pt'], { cwd })
  const [shown] = [JSON.parse(await run(['show', 'model.pt', '--json'], { cwd }))].flat()
  assert.equal(
    [shown.artifact, shown.project, shown.type, shown.aliases],
    ['model.pt', 'default', 'dataset', ['latest']],
  )
})

test('what W&B and ClearML call these commands leads to ours', async () => {
  const cwd = await workspaceWith({ 'file.txt': 'x' })
  for (const [theirs, ours] of [
    ['put', 'commit'],
    ['get', 'download'],
    ['list', 'ls'],
    ['delete', 'rm'],
    ['compare', 'diff'],
  ] as const) {
    const { code, stderr } = await call([theirs, 'file.txt'], { cwd })
    assert.is(code, 2)
    assert.match(stderr, `artifacts ${ours}`)
  }
})

test('what is not there is named, and ends with its own exit code', async () => {
  const cwd = await workspaceWith({ 'file.txt': 'x' })
  await run(['commit', 'file.txt', '-n', 'simple'], { cwd })
  for (const argv of [
    ['download', 'simpel'],
    ['download', 'simple:v4'],
    ['verify', 'simple:best'],
    ['ls', 'other/simple'],
  ]) {
    const { code, stdout, stderr } = await call(argv, { cwd })
    assert.equal([code, stdout], [12, ''])
    assert.match(stderr, argv[1]?.split(/[:/]/)[0] ?? '')
  }
  assert.not.ok(existsSync(join(cwd, 'artifacts')))
})

test('a mistyped path is an error, never content', async () => {
  const cwd = await workspaceWith({ 'file.txt': 'x' })
  const { code, stderr } = await call(['commit', 'fiel.txt', '-n', 'n'], { cwd })
  assert.is(code, 12)
  assert.match(stderr, '"fiel.txt"')
  assert.is(await run(['ls', '--json'], { cwd }), '[]\n')
})

test('verifying says "no" by its exit code', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'x' })
  await run(['commit', 'data', '-n', 'n'], { cwd })
  await run(['verify', 'n', '--dir', 'data'], { cwd })
  await run(['download', 'n', 'out'], { cwd })
  const out = join(cwd, 'out')
  await call(['verify', 'n', '--dir', out], { cwd }).then(({ code }) => assert.is(code, 0))
  for (const [change, word] of [
    ['echo more >> a.txt', 'a.txt'],
    ['rm a.txt', 'a.txt'],
    ['touch extra', 'extra'],
  ] as const) {
    assert.is(spawnSync('sh', ['-c', change], { cwd: out }).status, 0)
    const { code, stdout, stderr } = await call(['verify', 'n', '--dir', out], { cwd })
    assert.is(code, 1)
    assert.match(stdout + stderr, word)
  }
})

test.run()
