import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { serve } from '../../../src/cli/commands/serve.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { twoVersions, workspaceWith } from '../workspace.ts'

const test = suite('serve')
const BIN = join(import.meta.dirname, '../../../src/cli/bin.js')

test('serves until it is told to stop, and ends with 0', async () => {
  const cwd = await twoVersions()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { child, line } = await started(cwd, ['--port', '0'])
    const url = /^Serving at (http:\/\/127\.0\.0\.1:\d+\/)\n$/.exec(line)?.[1] ?? ''
    const text = await fetch(`${url}files/bike:v0/a.txt`).then((answer) => answer.text())
    assert.is(text, 'one\n')
    const rest = printed(child)
    child.kill(signal)
    assert.is(await ended(child), 0)
    assert.is(await rest, 'Stopped after 1 request.\n')
  }
})

test('says where it is and how it ended as JSON', async () => {
  const cwd = await workspaceWith()
  const { child, line } = await started(cwd, ['--port', '0', '--json', '--read-only'])
  const first = JSON.parse(line)
  assert.is(first.type, 'serving')
  assertFields(first, serve.json['']?.toString() ?? '')
  const put = await fetch(`${first.url}latest.json`, { method: 'PUT', body: 'x' })
  assert.is(put.status, 405)
  const rest = printed(child)
  child.kill('SIGTERM')
  assert.equal(JSON.parse(await rest), { type: 'stopped', requests: 1 })
  assert.is(await ended(child), 0)
})

test('tokens are made, listed without what they are, and given up', async () => {
  const cwd = await workspaceWith()
  const token = await run(['serve', 'token', 'add', 'ci', '--scope', 'write'], { cwd })
  assert.match(token, /^artifacts_[A-Za-z0-9_-]{43}\n$/)
  const made = JSON.parse(
    await run(['serve', 'token', 'add', 'eva', '--scope', 'read', '--json'], { cwd }),
  )
  assertFields(made, serve.json['`token add`']?.toString() ?? '')
  const list = await run(['serve', 'token', 'ls'], { cwd })
  assert.match(list, /^ci +write +2\d{3}-.*\neva +read +2.*\n$/)
  assert.not.match(list, /artifacts_/)
  const [first = ''] = (await run(['serve', 'token', 'ls', '--json'], { cwd })).split('\n')
  assertFields(JSON.parse(first), serve.json['`token ls`, a line for each']?.toString() ?? '')
  assert.is(await run(['serve', 'token', 'rm', 'ci'], { cwd }), 'Gave up the token "ci".\n')
  assert.is((await call(['serve', 'token', 'rm', 'ci'], { cwd })).code, 12)
  assert.is((await call(['serve', 'token', 'add', 'eva', '--scope', 'read'], { cwd })).code, 14)
})

test('what is not understood is a mistake that says what fits', async () => {
  const cwd = await workspaceWith()
  for (const argv of [
    ['token'],
    ['token', 'add', 'x'],
    ['token', 'ls', 'x'],
    ['token', 'show', 'x'],
    ['tokens', 'ls'],
    ['--port', '70000'],
    ['--port', 'http'],
    ['--scope', 'read'],
    ['--host', '0.0.0.0'],
    ['--tls-cert', 'x.pem'],
  ]) {
    const { code, stderr } = await call(['serve', ...argv], { cwd })
    assert.is(code, 2, argv.join(' '))
    assert.ok(argv[0] === '--scope' || stderr.includes('hint:'), argv.join(' '))
  }
})

test.run()

async function started(
  cwd: string,
  argv: readonly string[],
): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, [BIN, 'serve', ...argv], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  return { child, line: String(line) }
}

async function printed(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const piece of child.stdout ?? []) text += piece
  return text
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit')
  return child.exitCode
}
