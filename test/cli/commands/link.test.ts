import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { link } from '../../../src/cli/commands/link.ts'
import { unlink } from '../../../src/cli/commands/unlink.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('link and unlink')

test('says what is now what, and reads through the portfolio', async () => {
  const cwd = await twoVersions()
  const text = await run(['link', 'bike:v0', 'registry/champion', '-a', 'prod'], { cwd })
  assert.is(text, 'bike:v0 is now registry/champion:v0 (latest and prod).\n')
  const again = await run(['link', 'bike:v0', 'registry/champion'], { cwd })
  assert.is(again, 'bike:v0 is already registry/champion:v0 (latest and prod).\n')
  assert.is(await run(['cat', 'registry/champion:prod', 'a.txt'], { cwd }), 'one\n')
  assert.match(
    await run(['ls'], { cwd }),
    /^registry\/champion {2}dataset portfolio {2}1 version /m,
  )
  assert.match(
    await run(['log', 'registry/champion'], { cwd }),
    /^registry\/champion:v0 .* -> bike:v0/,
  )
  assert.match(await run(['show', 'bike:v0'], { cwd }), /^ {2}linked as +registry\/champion:v0$/m)
})

test('unlink says what is gone and what stays', async () => {
  const cwd = await twoVersions()
  await run(['link', 'bike:v0', 'champion', '-a', 'prod'], { cwd })
  await run(['link', 'bike:v1', 'champion'], { cwd })
  const text = await run(['unlink', 'champion:v1'], { cwd })
  assert.is(text, 'champion:v1 is gone; bike:v1 stays. latest is now bike:v0.\n')
  assert.is((await call(['rm', 'bike:v0', '--aliases'], { cwd })).code, 14)
  await run(['undo'], { cwd })
  assert.match(await run(['show', 'champion'], { cwd }), /^champion:v1\n/)
})

test('--json has the documented fields', async () => {
  const cwd = await twoVersions()
  const linked = await run(['link', 'bike', 'champion', '--json'], { cwd })
  assertFields(JSON.parse(linked), link.json[''])
  const unlinked = await run(['unlink', 'champion', '--json'], { cwd })
  assertFields(JSON.parse(unlinked), unlink.json[''])
})

test('what is no portfolio, and no link, is refused', async () => {
  const cwd = await twoVersions()
  assert.is((await call(['link', 'bike:v0', 'bike'], { cwd })).code, 14)
  assert.is((await call(['link', 'bike:v0', 'champion:v1'], { cwd })).code, 2)
  const { code, stderr } = await call(['unlink', 'bike:v0'], { cwd })
  assert.is(code, 2)
  assert.match(stderr, 'hint: No portfolio holds it.')
})

test.run()
