/** What only a real process can show: streams, signals, exit codes, the environment, the time to start. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT_CODES } from '../../src/errors.ts'
import { run } from './call.ts'
import { workspaceWith } from './workspace.ts'

const test = suite('bin')

const BIN = join(import.meta.dirname, '../../src/cli/bin.js')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function artifacts(
  argv: readonly string[],
  options: { cwd?: string; input?: string; env?: Record<string, string> } = {},
): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...argv], {
    cwd: options.cwd,
    input: options.input ?? '',
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
  })
  return { code: status, stdout, stderr }
}

/** A shell line in which `artifacts` is the program. */
function shell(line: string, cwd: string): Ended {
  const script = `artifacts() { '${process.execPath}' '${BIN}' "$@"; }\n${line}`
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { cwd, encoding: 'utf8' })
  return { code: status, stdout, stderr }
}

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'bin-'))
}

/** A store with a version of small files. */
async function storeOf(count: number): Promise<string> {
  const files = Array.from({ length: count }, (_, i) => [`data/file-${i}`, `${i}\n`])
  const cwd = await workspaceWith(Object.fromEntries(files))
  await run(['commit', 'data', '-n', 'many'], { cwd })
  return cwd
}

test('--version starts in at most 2.5 times the time of an empty node', () => {
  const time = (argv: readonly string[]): number => {
    const started = performance.now()
    assert.is(spawnSync(process.execPath, argv).status, 0)
    return performance.now() - started
  }
  let [empty, version] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let i = 0; i < 5; i++) {
    empty = Math.min(empty, time(['-e', '0']))
    version = Math.min(version, time([BIN, '--version']))
  }
  assert.ok(version <= 2.5 * empty, `${version} ms against ${empty} ms`)
})

test('exit codes reach the shell', () => {
  const cwd = folder()
  assert.is(artifacts(['--version']).code, 0)
  assert.is(artifacts(['comit']).code, EXIT_CODES.ERR_USAGE)
  assert.is(artifacts(['ls'], { cwd }).code, EXIT_CODES.ERR_NO_STORE)
})

test('answers go to standard output, everything else to standard error', () => {
  const cwd = folder()
  const { stdout, stderr } = artifacts(['ls'], { cwd })
  assert.is(stdout, '')
  assert.match(stderr, /^error: .*\nhint: /)
})

test('the store is found through the environment', async () => {
  const cwd = await storeOf(1)
  const env = { ARTIFACTS_STORE: join(cwd, '.artifacts') }
  assert.match(artifacts(['ls'], { cwd: folder(), env }).stdout, 'many')
})

test('standard input can be committed', async () => {
  const cwd = folder()
  await run(['init'], { cwd })
  const input = 'x'.repeat(1_000_000)
  const { code, stderr } = artifacts(['commit', '-', '--as', 'in/x.txt', '-n', 'typed'], {
    cwd,
    input,
  })
  assert.is(code, 0, stderr)
  assert.is(artifacts(['cat', 'typed', 'in/x.txt'], { cwd }).stdout, input)
})

test('bytes go out as they are', async () => {
  const cwd = folder()
  await run(['init'], { cwd })
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 256))
  writeFileSync(join(cwd, 'noise'), bytes)
  await run(['commit', 'noise', '-n', 'noise'], { cwd })
  shell('artifacts cat noise noise > copy', cwd)
  assert.ok(bytes.equals(readFileSync(join(cwd, 'copy'))))
})

test('a reader that goes away ends the program quietly', async () => {
  const cwd = await storeOf(1000)
  writeFileSync(join(cwd, 'data/big'), randomBytes(1_000_000))
  // Both of the last two print more than a pipe holds.
  for (const command of ['commit data', 'ls many: --json', 'cat many big']) {
    const line = `artifacts ${command} | head -c 5 > /dev/null; echo "\${PIPESTATUS[0]}"`
    assert.equal(shell(line, cwd), { code: 0, stdout: '0\n', stderr: '' }, command)
  }
})

test('a closed standard output is a reader gone, a closed standard error nobody told', async () => {
  const cwd = await storeOf(1)
  assert.is(shell(`artifacts ls many: 2>&1 | true; echo "\${PIPESTATUS[0]}"`, cwd).stdout, '0\n')
  assert.is(shell('artifacts ls nothing: 2> >(true) ; echo $?', cwd).stdout, '12\n')
})

test('an output that cannot be written is named', () => {
  const { code, stderr } = shell('artifacts completion bash > /dev/full', folder())
  assert.is(code, 4)
  assert.match(stderr, /^error: "standard output": no space is left/)
})

test('a directory that was deleted is named', () => {
  const { code, stderr } = shell('mkdir gone; cd gone; rmdir ../gone; artifacts ls', folder())
  assert.is(code, 4)
  assert.match(stderr, /^error: "current directory": it does not exist/)
})

/** Starts a commit of standard input, which lasts until it is told to end. */
async function startCommit(cwd: string): Promise<{ child: ChildProcess; stderr: () => string }> {
  const child = spawn(process.execPath, [BIN, 'commit', '-', '--as', 'x', '-n', 'typed'], { cwd })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (piece) => {
    text += piece
  })
  child.stdin.on('error', () => {})
  child.stdin.write(Buffer.alloc(1 << 20))
  // It has begun when what it read lies in the store's temporary folder.
  while (readdirSync(join(cwd, '.artifacts/tmp')).length === 0) {
    assert.is(child.exitCode, null, text)
    await sleep(10)
  }
  return { child, stderr: () => text }
}

test('a query without an end is ended by a signal', async () => {
  const cwd = await storeOf(1)
  const query =
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
  const child = spawn(process.execPath, [BIN, 'sql', query], { cwd, stdio: 'ignore' })
  const ended = once(child, 'close')
  await sleep(1500)
  child.kill('SIGINT')
  const [code, signal] = await ended
  // A shell makes 130 of both; the first is that of a program that had not come to the query yet.
  assert.ok(code === 130 || signal === 'SIGINT', `${code} ${signal}`)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} cleans up, ends with 130, and leaves the store as it was`, async () => {
    const cwd = await storeOf(1)
    const { child, stderr } = await startCommit(cwd)
    child.kill(signal)
    const [code] = await once(child, 'close')
    assert.is(code, 130)
    assert.match(stderr(), /^Interrupted; /)
    assert.is(await run(['ls', '-q'], { cwd }), 'many\n')
    await run(['verify', 'many'], { cwd })
    assert.equal(readdirSync(join(cwd, '.artifacts/tmp')), [])
  })
}

test.run()
