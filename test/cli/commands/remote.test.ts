import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { remote } from '../../../src/cli/commands/remote.ts'
import { readEnvironment } from '../../../src/cli/io.ts'
import { fileServer } from '../../sync/file-server.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { workspaceWith } from '../workspace.ts'

const test = suite('remote')

/** Nobody listens at port 9 of this machine. */
const NOWHERE = 'http://127.0.0.1:9/x/'

test('a folder becomes the primary remote, and what was found there is said', async () => {
  const cwd = await workspaceWith()
  const url = pathToFileURL(join(cwd, 'usb')).href
  const said = await run(['remote', 'add', 'usb', 'usb'], { cwd })
  assert.match(said, `Added usb: ${url}. It is the primary.`)
  assert.match(said, /store +none yet/)
  assert.match(said, /pushing +any number of machines at a time \(atomic\)/)
  assert.match(said, /deleting +allowed/)
  assert.match(said, /clock +as here/)
  assert.equal(readdirSync(join(cwd, 'usb/probe')), [])
  assert.match(await run(['remote'], { cwd }), /^usb {2}file:\/\/\S+ {2}primary, atomic\n$/)
  const [first] = JSON.parse(await run(['remote', 'ls', '--json'], { cwd }))
  assertFields(first, remote.json['`ls`, an array of; `rm`'])
  assert.equal([first.name, first.url, first.primary, first.verdict], ['usb', url, true, 'atomic'])
  assert.is(await run(['remote', '-q'], { cwd }), 'usb\n')
})

test('without a network a remote is added all the same, and that it was not seen is said', async () => {
  const cwd = await workspaceWith()
  const { code, stdout, stderr } = await call(['remote', 'add', 'origin', NOWHERE], { cwd })
  assert.is(code, 0)
  assert.is(stdout, `Added origin: ${NOWHERE}. It is the primary.\n`)
  assert.match(stderr, 'could not be looked at')
  assert.match(stderr, 'first push will look')
  const check = await call(['remote', 'check', 'origin', '--json'], { cwd })
  assert.is(check.code, 20)
  const [found] = JSON.parse(check.stdout)
  assertFields(found, remote.json['`check`, an array of'])
  assert.equal([found.canPush, found.problem.code], [false, 'ERR_REMOTE_UNREACHABLE'])
  assert.match((await call(['remote', 'check'], { cwd })).stdout, /problem .*nothing listens there/)
})

for (const [conditions, wanted] of [
  ['refuses', /pushing +refused: it refuses to make/],
  ['ignores', /pushing +refused: it overwrites/],
  ['racy', /pushing +refused: of two who make/],
] as const) {
  test(`of a server whose conditions are ${conditions} it is said what that means, and what can be done`, async () => {
    await using server = await fileServer({}, { conditions })
    const cwd = await workspaceWith()
    const said = await run(['remote', 'add', 'origin', server.url], { cwd })
    assert.match(said, wanted)
    assert.match(said, 'artifacts config set remote.origin.single-writer true')
    await run(['config', 'set', 'remote.origin.single-writer', 'true'], { cwd })
    assert.match(
      await run(['remote', 'check'], { cwd }),
      /pushing +one machine at a time, as was promised/,
    )
    assert.match(await run(['remote', 'ls'], { cwd }), `primary, single writer, ${conditions}`)
  })
}

test('a server of static files and a store that somebody works in can only be read', async () => {
  const other = await workspaceWith({ 'a.txt': 'a' })
  await run(['commit', 'a.txt', '-n', 'a'], { cwd: other })
  const store = join(other, '.artifacts')
  await using server = await fileServer(
    { 'format.json': readFileSync(join(store, 'format.json')) },
    { isStatic: true },
  )
  const cwd = await workspaceWith()
  const web = await run(['remote', 'add', 'web', server.url], { cwd })
  assert.match(web, /pushing +no: it can only be read/)
  const folder = await run(['remote', 'add', 'folder', store, '--single-writer'], { cwd })
  assert.match(folder, /pushing +no: it is a store that somebody works in/)
  assert.match(folder, /store +[0-9a-f]{32}, format \d+, 1 operation\n/)
  const checks = JSON.parse(await run(['remote', 'check', '--json'], { cwd }))
  assert.equal(
    checks.map((check: { canPush: boolean; obstacle: string }) => [check.canPush, check.obstacle]),
    [
      [false, 'read-only'],
      [false, 'store'],
    ],
  )
  assert.is(checks[0].store, checks[1].store)
  assert.not(existsSync(join(store, 'probe')))
})

test('a remote that has become another one is a problem that is told', async () => {
  const [first, second] = [await workspaceWith(), await workspaceWith()]
  const format = (cwd: string): Buffer => readFileSync(join(cwd, '.artifacts/format.json'))
  await using server = await fileServer({ 'format.json': format(first) })
  const cwd = await workspaceWith()
  await run(['remote', 'add', 'origin', server.url], { cwd })
  server.files.set('format.json', format(second))
  const { code, stdout } = await call(['remote', 'check'], { cwd })
  assert.is(code, 22)
  assert.match(stdout, /hint +If that is meant: `artifacts remote rm origin`/)
  await run(['remote', 'rm', 'origin'], { cwd })
  await run(['remote', 'add', 'origin', server.url], { cwd })
  assert.match(await run(['remote', 'check'], { cwd }), /format \d+, 0 operations/)
})

test('when the primary is removed no other one takes its place by itself', async () => {
  const cwd = await workspaceWith()
  for (const name of ['a', 'b']) await call(['remote', 'add', name, name], { cwd })
  assert.match(await run(['remote', 'rm', 'a'], { cwd }), 'artifacts config set primary b')
  assert.is((await call(['config', 'get', 'primary'], { cwd })).code, 1)
  assert.match(await run(['remote', 'add', 'a', 'a'], { cwd }), 'It is the primary.')
  assert.not.match(await run(['remote', 'rm', 'b'], { cwd }), 'primary')
  const last = JSON.parse(await run(['remote', 'rm', 'a', '--json'], { cwd }))
  assertFields(last, remote.json['`ls`, an array of; `rm`'])
  assert.equal(JSON.parse(await run(['remote', '--json'], { cwd })), [])
  assert.is((await call(['remote', 'rm', 'a'], { cwd })).code, 12)
  assert.is((await call(['remote', 'check', 'a'], { cwd })).code, 12)
})

test('names that are taken or too alike, places that are none and the store itself are refused', async () => {
  const cwd = await workspaceWith()
  await run(['remote', 'add', 'team-eu', 'r'], { cwd })
  for (const [name, url, code] of [
    ['team-eu', 'x', 14],
    ['team.EU', 'x', 14],
    ['a/b', 'x', 2],
    ['..', 'x', 2],
    ['x', 'ftp://x', 2],
    ['x', '.artifacts', 2],
  ] as const) {
    assert.is((await call(['remote', 'add', name, url], { cwd })).code, code, `${name} ${url}`)
  }
  assert.is(await run(['remote', '-q'], { cwd }), 'team-eu\n')
})

test('a secret in an address is refused, told nowhere, and kept nowhere', async () => {
  const cwd = await workspaceWith()
  for (const url of [
    'https://me:hunter2@host/x',
    'https://host/x?token=hunter2',
    's3://k:hunter2@b/x',
  ]) {
    for (const flags of [[], ['--json'], ['-v']]) {
      const { code, stdout, stderr } = await call(['remote', 'add', 'x', url, ...flags], { cwd })
      assert.is(code, 2)
      assert.not.match(stdout + stderr, 'hunter2')
    }
  }
  assert.not(existsSync(join(cwd, '.artifacts/config.json')))
})

test('a token opens the server it is for, and stands in no file', async () => {
  await using server = await fileServer({}, { token: 'hunter2' })
  const cwd = await workspaceWith()
  const said = await call(['remote', 'add', 'origin', server.url], { cwd })
  assert.match(said.stderr, '401')
  const environment = readEnvironment({ ARTIFACTS_TOKEN_ORIGIN: 'hunter2', HOME: cwd })
  const check = await call(['remote', 'check', '-v'], { cwd, environment })
  assert.match(check.stdout, /\(atomic\)/)
  assert.not.match(check.stdout + check.stderr, 'hunter2')
  for (const file of readdirSync(join(cwd, '.artifacts'), {
    recursive: true,
    withFileTypes: true,
  })) {
    if (file.isFile()) {
      assert.not(readFileSync(join(file.parentPath, file.name)).includes('hunter2'), file.name)
    }
  }
})

test('adding once more what is there changes nothing, and looks again', async () => {
  const cwd = await workspaceWith()
  for (const created of [true, false]) {
    const added = JSON.parse(await run(['remote', 'add', 'usb', 'usb', '--json'], { cwd }))
    assertFields(added, remote.json['`add`'])
    assert.equal([added.created, added.verdict, added.primary], [created, 'atomic', true])
  }
  assert.match(await run(['remote', 'add', 'usb', './usb/'], { cwd }), /^There is usb: /)
  await run(['remote', 'add', 'usb', 'usb', '--single-writer'], { cwd })
  assert.match(await run(['remote'], { cwd }), 'single writer')
  assert.is((await call(['remote', 'add', 'usb', 'elsewhere'], { cwd })).code, 14)
})

test('a token that goes unencrypted to another machine is a remark', async () => {
  const cwd = await workspaceWith()
  const environment = readEnvironment({ ARTIFACTS_TOKEN: 'hunter2', HOME: cwd })
  for (const [url, wanted] of [
    ['http://nowhere.invalid/', true],
    ['https://nowhere.invalid/', false],
    [NOWHERE, false],
  ] as const) {
    await call(['remote', 'add', 'origin', url], { cwd, environment })
    const { stdout } = await call(['remote', 'check'], { cwd, environment })
    assert.is(/token +goes there unencrypted/.test(stdout), wanted, url)
    await run(['remote', 'rm', 'origin'], { cwd })
  }
})

test('half a command is not understood', async () => {
  const cwd = await workspaceWith()
  for (const words of [
    ['add'],
    ['add', 'x'],
    ['ls', 'x'],
    ['rm'],
    ['rm', 'a', 'b'],
    ['check', 'a', 'b'],
    ['ls', '--single-writer'],
    ['move'],
  ]) {
    const { code, stderr } = await call(['remote', ...words], { cwd })
    assert.is(code, 2)
    assert.match(stderr, 'Usage: ')
  }
})

test.run()
