import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { watch } from '../../../src/cli/commands/watch.ts'
import { call, run } from '../call.ts'
import { assertFields, lines } from '../json.ts'
import { workspaceWith, write } from '../workspace.ts'

const test = suite('watch command')
const BIN = join(import.meta.dirname, '../../../src/cli/bin.js')

interface Program {
  readonly child: ChildProcess
  stdout: string
  stderr: string
}

function start(cwd: string, ...argv: readonly string[]): Program {
  const child = spawn(process.execPath, [BIN, 'watch', 'data', '--settle', '1s', ...argv], { cwd })
  const program: Program = { child, stdout: '', stderr: '' }
  child.stdout.on('data', (text) => {
    program.stdout += text
  })
  child.stderr.on('data', (text) => {
    program.stderr += text
  })
  return program
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    assert.ok(waited < 20_000, 'it did not happen')
    await sleep(20)
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends it with 0, after storing what has come to rest`, async () => {
    const cwd = await workspaceWith({ 'data/a': 'a' })
    const program = start(cwd, '-n', 'bike')
    await until(() => program.stdout.includes('bike:v0'))
    write(cwd, { 'data/b': 'b' })
    await until(() => program.stdout.includes('bike:v1'))
    program.child.kill(signal)
    assert.equal(await once(program.child, 'exit'), [0, null])
    assert.match(
      program.stdout,
      /^Committed bike:v0 .*\nCommitted bike:v1 .*\nStopped after 2 versions\.\n$/,
    )
    assert.match(program.stderr, `Watching ${join(cwd, 'data')} for bike; Ctrl-C ends it.\n`)
    assert.is(await run(['cat', 'bike', 'b'], { cwd }), 'b')
  })
}

test('--json prints an object for each thing that happens', async () => {
  const cwd = await workspaceWith({ 'data/a': 'a' })
  const program = start(cwd, '--json')
  await until(() => program.stdout.includes('"version"'))
  program.child.kill()
  await once(program.child, 'exit')
  const [first, second, last] = lines(program.stdout)
  assertFields(first, watch.json['`watching`, a line at the start'])
  assertFields(second, watch.json['`version`, a line for each'])
  assertFields(last, watch.json['`stopped`, at the end'])
  assert.equal(last, { type: 'stopped', versions: 1 })
})

const IS_FULL = process.env['ARTIFACTS_TEST_FULL'] === '1'
const IN_NAMESPACE = ['-Ur', 'sh', '-c'] as const
const CAN_LIMIT =
  spawnSync('unshare', [...IN_NAMESPACE, 'echo 9 > /proc/sys/user/max_inotify_watches']).status ===
  0

// Without a namespace of one's own the limit is everybody's.
if (CAN_LIMIT) {
  test('where the system watches no more directories, it looks by itself, and says so', async () => {
    const cwd = await workspaceWith(
      Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`data/${index}/a`, 'a'])),
    )
    const line = `echo 5 > /proc/sys/user/max_inotify_watches && exec '${process.execPath}' '${BIN}' watch data --settle 1s --json`
    const child = spawn('unshare', [...IN_NAMESPACE, line], { cwd })
    let stdout = ''
    child.stdout.on('data', (text) => {
      stdout += text
    })
    await until(() => stdout.includes('"version"'))
    await until(() => stdout.includes('"looking"'))
    if (IS_FULL) {
      write(cwd, { 'data/19/b': 'b' })
      await until(() => stdout.includes('"data:v1"'))
    }
    child.kill('SIGINT')
    await once(child, 'exit')
    const looking = lines(stdout).find(({ type }) => type === 'looking')
    assertFields(looking, watch.json['`looking`, where the system does not tell of all changes'])
    assert.equal(looking, { type: 'looking', every: 10_000, reason: 'ENOSPC' })
    if (IS_FULL) assert.is(await run(['cat', 'data', '19/b'], { cwd }), 'b')
  })
}

test('a directory that there is not ends with 12, a settle that is none with 2', async () => {
  const cwd = await workspaceWith({ 'data/a': 'a' })
  assert.is((await call(['watch', 'none'], { cwd })).code, 12)
  assert.is((await call(['watch', 'data', '--settle', 'soon'], { cwd })).code, 2)
})

test.run()
