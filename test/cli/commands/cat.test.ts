import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { call, run } from '../call.ts'
import { twoVersions, workspaceWith, write } from '../workspace.ts'

const test = suite('cat')

test('prints the bytes of a file of any version', async () => {
  const cwd = await twoVersions()
  assert.is(await run(['cat', 'bike', 'a.txt'], { cwd }), 'one and two\n')
  assert.is(await run(['cat', 'bike:v0', 'a.txt'], { cwd }), 'one\n')
})

test('a file of many chunks comes out whole', async () => {
  const text = Array.from({ length: 200_000 }, (_, i) => `${i * 7919}`).join(',')
  const cwd = await workspaceWith({ 'data/table.csv': text })
  await run(['commit', 'data', '-n', 'big'], { cwd })
  assert.is(await run(['cat', 'big', 'table.csv'], { cwd }), text)
})

test('a reference is read where it leads, and refused when it has changed', async () => {
  const cwd = await workspaceWith({ 'far.txt': 'far away' })
  await run(['commit', '--reference', 'far.txt', '-n', 'ref'], { cwd })
  assert.is(await run(['cat', 'ref', 'far.txt'], { cwd }), 'far away')
  write(cwd, { 'far.txt': 'far gone' })
  const { code, stderr } = await call(['cat', 'ref', 'far.txt'], { cwd })
  assert.is(code, 22)
  assert.match(stderr, 'far.txt')
})

test('a path that is not there ends with 12 and prints nothing', async () => {
  const cwd = await twoVersions()
  const { code, stdout, stderr } = await call(['cat', 'bike', 'zzz'], { cwd })
  assert.is(code, 12)
  assert.is(stdout, '')
  assert.match(stderr, '"zzz"')
})

test.run()
