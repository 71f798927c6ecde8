import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { authorizationFor, tokenVariable } from '../../../src/sync/net/credentials.ts'
import { loginFor } from '../../../src/sync/net/netrc.ts'
import { throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('credentials')
const HOST = new URL('https://host.test/team/store/')

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function write(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

test('the remote’s own variable comes first, then the general one, the file, netrc', async () => {
  await using home = await temporaryDirectory()
  const env = { HOME: home.path }
  const asked = { remote: 'team.eu', takesToken: true }
  assert.is(authorizationFor(HOST, { env, ...asked }), undefined)
  write(join(home.path, '.netrc'), 'machine host.test login me password n\n')
  assert.is(authorizationFor(HOST, { env, ...asked }), basic('me:n'))
  write(join(home.path, '.config/artifacts/credentials'), 'https://host.test f\n')
  assert.is(authorizationFor(HOST, { env, ...asked }), 'Bearer f')
  const general = { ...env, ARTIFACTS_TOKEN: 'g' }
  assert.is(authorizationFor(HOST, { env: general, ...asked }), 'Bearer g')
  assert.is(authorizationFor(HOST, { env: general, remote: 'x', takesToken: false }), 'Bearer f')
  assert.is(tokenVariable('team.eu'), 'ARTIFACTS_TOKEN_TEAM_EU')
  const own = { ...general, ARTIFACTS_TOKEN_TEAM_EU: 'o' }
  assert.is(authorizationFor(HOST, { env: own, ...asked }), 'Bearer o')
  assert.is(authorizationFor(HOST, { env: own, takesToken: false }), 'Bearer f')
})

test('a line of the file is for one origin, and what lies below its address', async () => {
  await using home = await temporaryDirectory()
  const file = join(home.path, 'tokens')
  write(
    file,
    '# tokens\nhttps://host.test all\n  https://host.test/team part\nhttps://host.test/te wrong\nhttp://host.test plain\nhttps://host.test:8443 port\n',
  )
  const at = (url: string): string | undefined =>
    authorizationFor(new URL(url), {
      env: { ARTIFACTS_CREDENTIALS: file, HOME: home.path },
      takesToken: false,
    })
  assert.is(at('https://host.test/team/store/'), 'Bearer part')
  assert.is(at('https://host.test/team/'), 'Bearer part')
  assert.is(at('https://host.test/teams/'), 'Bearer all')
  assert.is(at('http://host.test/team/'), 'Bearer plain')
  assert.is(at('https://host.test:8443/team/'), 'Bearer port')
  assert.is(at('https://host.test:8444/'), undefined)
  assert.is(at('https://host.test.evil/'), undefined)
})

test('files that others may read are refused when something would be taken from them', async () => {
  await using home = await temporaryDirectory()
  const env = { HOME: home.path }
  const netrc = join(home.path, '.netrc')
  write(netrc, 'machine other.test password hunter2', 0o644)
  assert.is(authorizationFor(HOST, { env, takesToken: false }), undefined)
  const file = join(home.path, '.config/artifacts/credentials')
  write(file, 'https://host.test hunter2', 0o640)
  for (const path of [file, netrc]) {
    const error = throwsCode(() => authorizationFor(HOST, { env, takesToken: false }), 'ERR_CONFIG')
    assert.match(error.hint ?? '', `chmod 600 '${path}'`)
    assert.not.match(JSON.stringify(error), 'hunter2')
    write(file, '')
    write(netrc, 'machine host.test password hunter2', 0o604)
  }
})

test('a token that could not be sent as it is is refused without being repeated', () => {
  for (const token of ['hunter2\nx-evil: 1', 'hunter2 ü']) {
    const env = { ARTIFACTS_TOKEN: token, HOME: '/none' }
    const error = throwsCode(() => authorizationFor(HOST, { env, takesToken: true }), 'ERR_CONFIG')
    assert.not.match(JSON.stringify(error), 'hunter2')
  }
})

test('netrc is read as curl does, but for "default"', () => {
  const text = `# machine host.test login no password no
machine first.test
  login a
  password "with \\"quotes\\" and spaces"
  account x
machine nopass.test login b
macdef init
machine host.test login macro password macro

machine HOST.test password alone machine last.test login c password #d
machine last.test login e password f
default login anybody password anything
`
  assert.equal(loginFor(text, 'first.test'), { user: 'a', password: 'with "quotes" and spaces' })
  assert.is(loginFor(text, 'nopass.test'), undefined)
  assert.equal(loginFor(text, 'host.test'), { user: '', password: 'alone' })
  assert.equal(loginFor(text, 'last.test'), { user: 'c', password: '#d' })
  assert.is(loginFor(text, 'elsewhere.test'), undefined)
  assert.is(loginFor('', 'host.test'), undefined)
})

test.run()
