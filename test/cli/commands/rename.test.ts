import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rename } from '../../../src/cli/commands/rename.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, write } from '../workspace.ts'

const test = suite('rename')

test('gives an artifact another name', async () => {
  const cwd = await twoVersions()
  assert.is(await run(['rename', 'bike', 'bicycle'], { cwd }), 'Renamed bike to bicycle.\n')
  assert.is(await run(['log', '-q'], { cwd }), 'bicycle:v1\nbicycle:v0\n')
  assert.is(await run(['status'], { cwd }), 'data: bicycle:v1, clean\n')
  assert.is(
    await run(['rename', 'bicycle', 'bicycle'], { cwd }),
    'bicycle is called that already.\n',
  )
  write(cwd, { 'data/more.txt': 'more\n' })
  assert.match(await run(['commit'], { cwd }), /^Committed bicycle:v2 /)
})

test('refuses a name that is taken', async () => {
  const cwd = await twoVersions()
  write(cwd, { 'car/x': 'x\n' })
  await run(['commit', 'car'], { cwd })
  const { code, stderr } = await call(['rename', 'bike', 'car'], { cwd })
  assert.is(code, 14)
  assert.match(stderr, '"default/car"')
})

test('--json has both names', async () => {
  const cwd = await twoVersions()
  const value = JSON.parse(await run(['rename', 'bike', 'b', '--json'], { cwd }))
  assertFields(value, rename.json[''])
  assert.equal([value.artifact, value.old], ['b', 'bike'])
})

test.run()
