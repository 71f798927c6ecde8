/**
 * Credentials of every kind, used in every way that succeeds and that fails: none of them is in what is printed, with
 * whatever flags, nor in a file of a store or of a remote. Servers here repeat what they are told.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readEnvironment } from '../../src/cli/io.ts'
import { web } from '../support/web.ts'
import { fileServer } from '../sync/file-server.ts'
import { listening } from '../sync/net/tunnel.ts'
import { call } from './call.ts'
import { workspaceWith } from './workspace.ts'

const test = suite('no secrets')

/** In each secret of these tests, and in nothing else. */
const MARK = 'hunter2'
const FLAGS = [[], ['--json'], ['-v'], ['-q']]

test('of servers and buckets that repeat what they are told', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a' })
  const heard: string[] = []
  await using echo = await web({}, (request, response) => {
    const { authorization = '', 'x-amz-security-token': session = '' } = request.headers
    heard.push(authorization, String(session))
    request.resume()
    const isWeb = authorization.startsWith('Bearer')
    const told = `You said ${authorization} and ${session}`
    const body = `<Error><Code>AccessDenied</Code><Message>${told}</Message></Error>`
    const location = `http://${authorization.replace(/\W/g, '')}@127.0.0.1:9/x?token=${MARK}`
    response.writeHead(isWeb && request.method === 'PUT' ? 307 : 403, {
      location,
      'content-length': Buffer.byteLength(body),
      'x-echo': told.replaceAll('\n', ' '),
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  const variables = {
    HOME: cwd,
    ARTIFACTS_TOKEN: `${MARK}-general`,
    ARTIFACTS_TOKEN_TEAM: `${MARK}-team`,
    AWS_ENDPOINT_URL_S3: echo.url,
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: `${MARK}-aws`,
    AWS_SESSION_TOKEN: `${MARK}-session`,
  }
  await nothingTold(cwd, variables, [
    `remote add web ${echo.url}/x`,
    `remote add team ${echo.url}/y`,
    'remote add bucket s3://bucket/x',
    'remote check',
    'remote check team',
    'commit s3://bucket/key -n far',
    `commit ${echo.url}/file -n near`,
    'commit data -n bike',
    'push',
    'push --remote team',
    'push --remote bucket',
    'pull --remote bucket',
    'fetch --remote team',
    `clone ${echo.url}/z copy`,
    'clone s3://bucket/z copy2',
    'status',
    'config',
    `remote add x http://me:${MARK}@127.0.0.1:9/`,
    `remote add y s3://key:${MARK}@bucket/`,
    `push --remote http://me:${MARK}@127.0.0.1:9/`,
    `clone https://${MARK}@127.0.0.1:9/ copy3`,
    `config set remote.web.url https://me:${MARK}@host/`,
  ])
  for (const secret of [`Bearer ${MARK}-general`, `Bearer ${MARK}-team`, `${MARK}-session`]) {
    assert.ok(heard.includes(secret), `${secret} was used`)
  }
})

test('of a server that lets in who has them, out of a file and out of netrc', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a' })
  await using ours = await fileServer({}, { token: `${MARK}-file` })
  await using theirs = await fileServer({}, { token: `${MARK}-netrc` })
  const config = join(cwd, 'config')
  mkdirSync(join(config, 'artifacts'), { recursive: true })
  secretFile(join(config, 'artifacts/credentials'), `${new URL(ours.url).origin} ${MARK}-file\n`)
  secretFile(join(cwd, '.netrc'), `machine 127.0.0.1 password ${MARK}-netrc\n`)
  const printed = await nothingTold(
    cwd,
    { HOME: cwd, XDG_CONFIG_HOME: config },
    [
      `remote add origin ${ours.url}`,
      `remote add other ${theirs.url}`,
      'commit data -n bike',
      'push',
      'push --remote other',
      'pull',
      `clone ${ours.url} copy`,
      'remote check',
    ],
    ['config', '.netrc'],
  )
  assert.match(printed, 'Pushed bike:v0 to origin')
  assert.match(printed, /origin[\s\S]*\(atomic\)[\s\S]*other[\s\S]*\(atomic\)/)
})

test('of a proxy', async () => {
  const cwd = await workspaceWith()
  const heard: (string | undefined)[] = []
  const server = createServer()
  server.on('connect', (request, socket) => {
    const told = request.headers['proxy-authorization']
    heard.push(told)
    socket.end(`HTTP/1.1 407 Not with ${told}\r\n\r\n`)
  })
  await using proxy = await listening(server)
  const https_proxy = `http://me:${MARK}@127.0.0.1:${proxy.port}`
  await nothingTold(cwd, { HOME: cwd, https_proxy }, [
    'remote add origin https://example.test/',
    'remote check',
  ])
  assert.ok(heard.includes(`Basic ${Buffer.from(`me:${MARK}`).toString('base64')}`))
})

/** Runs lines with all kinds of flags, and looks through all that came of it; returns what was printed. */
async function nothingTold(
  cwd: string,
  variables: Readonly<Record<string, string>>,
  lines: readonly string[],
  secretFiles: readonly string[] = [],
): Promise<string> {
  const environment = readEnvironment(variables)
  const pairs = [`me:${MARK}`, `:${MARK}`].map((pair) => Buffer.from(pair).toString('base64'))
  const isTold = (text: string | Buffer): boolean =>
    [MARK, ...pairs].some((secret) => text.includes(secret))
  let printed = ''
  for (const line of lines) {
    for (const flags of FLAGS) {
      const { stdout, stderr } = await call([...line.split(' '), ...flags], { cwd, environment })
      printed += stdout + stderr
      assert.not(isTold(stdout + stderr), `${line} ${flags}: ${stdout}${stderr}`)
    }
  }
  for (const file of readdirSync(cwd, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
    const path = join(file.parentPath, file.name)
    const inside = path.slice(cwd.length + 1)
    if (!file.isFile() || secretFiles.some((each) => inside.startsWith(each))) continue
    assert.not(isTold(readFileSync(path)), path)
  }
  return printed
}

function secretFile(path: string, text: string): void {
  writeFileSync(path, text)
  chmodSync(path, 0o600)
}

test.run()
