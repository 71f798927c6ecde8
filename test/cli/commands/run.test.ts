import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { run as command } from '../../../src/cli/commands/run.ts'
import type { RunEdge, RunSummary } from '../../../src/index.ts'
import { call, run } from '../call.ts'
import { assertFields, lines } from '../json.ts'
import { workspaceWith, write } from '../workspace.ts'

const test = suite('run')

const BIN = join(import.meta.dirname, '../../../../dist/cli/bin.js')

async function withData(): Promise<string> {
  const cwd = await workspaceWith({ 'data/a.txt': 'one\n' })
  await run(['commit', 'data', '-n', 'bike'], { cwd })
  return cwd
}

/** A program that `node` runs; `$` is what it finds in the environment. */
function program(code: string): string[] {
  const lead = "const fs = require('node:fs'), $ = process.env;"
  return ['--', process.execPath, '-e', `${lead}${code}`]
}

interface Shown extends RunSummary {
  readonly inputs: readonly RunEdge[]
  readonly outputs: readonly RunEdge[]
}

async function shown(cwd: string, name: string): Promise<Shown> {
  return JSON.parse(await run(['run', 'show', name, '--json'], { cwd }))
}

test('start prints an id alone, which commit, use and finish take', async () => {
  const cwd = await withData()
  const config = ['--config', 'lr=1e-3', '--config', 'name=x']
  const id = (await run(['run', 'start', '--name', 'by hand', ...config], { cwd })).trim()
  assert.match(id, /^[a-z2-7]{12}$/)
  assert.match(await run(['use', 'bike', '--run', id], { cwd }), /\/a\.txt\n$/)
  write(cwd, { 'model.pt': 'weights' })
  await run(['commit', 'model.pt', '-n', 'model', '--run', 'by hand', '--slot', 'best'], { cwd })
  const said = await run(['run', 'finish', id], { cwd })
  assert.is(said, `run ${id} by hand has finished.\n`)
  const facts = await shown(cwd, 'by hand')
  assertFields(facts, command.json['`show`'])
  assert.equal([facts.state, facts.config], ['finished', { lr: 0.001, name: 'x' }])
  const edges = [...facts.inputs, ...facts.outputs]
  for (const edge of edges) assertFields(edge, command.json['An input or output'])
  assert.equal(
    edges.map(({ direction, slot, ref }) => [direction, slot, ref]),
    [
      ['input', 'bike', 'bike:v0'],
      ['output', 'best', 'model:v0'],
    ],
  )
})

test('ARTIFACTS_RUN stands for --run', async () => {
  const cwd = await withData()
  const id = (await run(['run', 'start'], { cwd })).trim()
  const environment = { run: id }
  await run(['use', 'bike', '-q'], { cwd, environment })
  const report = JSON.parse(await run(['commit', 'data', '--json'], { cwd, environment }))
  assert.is(report.run, id)
  await run(['run', 'finish', '--failed'], { cwd, environment })
  assert.is((await shown(cwd, id)).state, 'failed')
})

test('a run of another store in ARTIFACTS_RUN is passed over, aloud', async () => {
  const cwd = await withData()
  const around = { cwd, environment: { run: 'elsewhere' } }
  const { code, stderr } = await call(['commit', 'data'], around)
  assert.is(code, 0)
  assert.match(stderr, '"elsewhere"')
  assert.is((await call(['use', 'bike'], around)).code, 2)
  assert.is((await call(['use', 'bike', '--run', 'elsewhere'], around)).code, 12)
})

test('exec gives the program its inputs, stores what it made, and records all that', async () => {
  const cwd = await withData()
  await run(['commit', 'data', '-n', 'second'], { cwd })
  const code = `
    fs.readFileSync('in/a.txt'); fs.mkdirSync('out')
    fs.writeFileSync('out/model', fs.readFileSync($.ARTIFACTS_IN_SECOND, 'utf8') + $.ARTIFACTS_RUN)
    fs.writeFileSync('where', $.ARTIFACTS_IN_BIKE)`
  const {
    code: ended,
    stdout,
    stderr,
  } = await call(
    ['run', 'exec', '-n', 'train', '--job', 'training', '--tag', 't', '--in', 'bike=in'].concat(
      '--in',
      'second',
      '--out',
      'model/bike-model=out',
      ...program(code),
    ),
    { cwd },
  )
  assert.equal([ended, stdout], [0, ''], stderr)
  assert.match(
    stderr,
    /Run train \(\w+\) finished after [\d.]+ s\. It used bike:v0 and second:v0\./,
  )
  assert.match(stderr, /It logged bike-model:v0 \(1 file, /)
  const facts = await shown(cwd, 'train')
  assert.equal([facts.state, facts.exitCode, facts.job], ['finished', 0, 'training'])
  assert.is(facts.directory, cwd)
  assert.is(facts.command?.[0], process.execPath)
  assert.is(readFileSync(join(cwd, 'where'), 'utf8'), join(cwd, 'in'))
  const model = await run(['cat', 'bike-model', 'model'], { cwd })
  assert.is(model, `one\n${facts.id}`)
  const version = JSON.parse(await run(['show', 'bike-model', '--json'], { cwd }))
  assert.equal([version.type, version.run], ['model', facts.id])
})

test('exec ends with the exit code of the program, and stores nothing of one that failed', async () => {
  const cwd = await withData()
  const made = ['--out', 'model=m.pt', ...program("fs.writeFileSync('m.pt', 'x'); process.exit(7)")]
  const failed = await call(['run', 'exec', '--name', 'bad', ...made], { cwd })
  assert.is(failed.code, 7)
  assert.match(failed.stderr, /^Run bad \(\w+\) failed with 7 after /m)
  const facts = await shown(cwd, 'bad')
  assert.equal([facts.state, facts.exitCode, facts.outputs], ['failed', 7, []])
  assert.is((await call(['run', 'exec', '--keep-failed', ...made], { cwd })).code, 7)
  assert.match(await run(['log', 'model'], { cwd }), /^model:v0 /)
})

test('exec tells what it did with --json on standard error, in one line', async () => {
  const cwd = await withData()
  const { stdout, stderr } = await call(['run', 'exec', '--json', '--in', 'bike', ...program('')], {
    cwd,
  })
  assert.is(stdout, '')
  const [report] = lines(stderr).filter(({ type }) => type === 'run')
  assertFields(report, command.json['`exec`, on standard error'])
  assert.equal(report?.['inputs'], ['bike:v0'])
})

test('a program that is not there ends with 127, as in a shell', async () => {
  const cwd = await withData()
  const { code, stderr } = await call(['run', 'exec', '--name', 'x', '--', './nothing'], { cwd })
  assert.is(code, 127)
  assert.match(stderr, '"./nothing" could not be found')
  assert.is((await shown(cwd, 'x')).exitCode, 127)
})

test('a program that a signal ends has 128 and its number', async () => {
  const cwd = await withData()
  const { code } = await call(['run', 'exec', ...program("process.kill(process.pid, 'SIGTERM')")], {
    cwd,
  })
  assert.is(code, 143)
})

test('what is wrong before the program starts leaves no run', async () => {
  const cwd = await withData()
  write(cwd, { 'mine/keep.txt': 'mine' })
  for (const [wanted, words] of [
    [12, ['--in', 'nothing']],
    [14, ['--in', 'bike=mine']],
    [2, ['--in', 'bike=']],
    [2, ['--out', 'model']],
    [2, ['--out', 'a/b/c=x']],
    [2, ['--in', 'bike', '--in', 'bike:v0']],
    [2, ['--state', 'running']],
    [2, ['--with-patch']],
  ] as const) {
    const { code, stderr } = await call(['run', 'exec', ...words, ...program('')], { cwd })
    assert.is(code, wanted, `${words.join(' ')}: ${stderr}`)
  }
  assert.is((await call(['run', 'exec', 'node'], { cwd })).code, 2)
  assert.is(await run(['run', 'ls'], { cwd }), '')
  assert.is(readFileSync(join(cwd, 'mine/keep.txt'), 'utf8'), 'mine')
})

test('an output that the program did not make is an error, and the run has failed', async () => {
  const cwd = await withData()
  const words = ['run', 'exec', '--name', 'x', '--out', 'model=m.pt', ...program('')]
  const { code, stderr } = await call(words, { cwd })
  assert.is(code, 12)
  assert.match(stderr, '"m.pt"')
  assert.is((await shown(cwd, 'x')).state, 'failed')
})

test('names without a project mean the project of the run', async () => {
  const cwd = await withData()
  await run(['commit', 'data', '-n', 'vision/car'], { cwd })
  const words = ['--project', 'vision', '--in', 'car', '--in', 'default/bike', '--out', 'copy=data']
  await run(['run', 'exec', ...words, ...program('')], { cwd })
  assert.match(await run(['ls', '-q'], { cwd }), /^vision\/copy$/m)
})

test('exec records the commit of git, and with --with-patch what differs from it', async () => {
  const cwd = await withData()
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      cwd,
      encoding: 'utf8',
    }).trim()
  git('init', '-q', '-b', 'trunk')
  git('remote', 'add', 'origin', 'https://ann:secret@example.com/bikes.git')
  write(cwd, { 'code.py': 'one\n' })
  git('add', 'code.py')
  git('commit', '-q', '-m', 'x')
  await run(['run', 'exec', '--name', 'clean', '--with-patch', ...program('')], { cwd })
  const commit = git('rev-parse', 'HEAD')
  const clean = { commit, branch: 'trunk', remote: 'https://example.com/bikes.git', dirty: false }
  assert.equal((await shown(cwd, 'clean')).source, clean)
  write(cwd, { 'code.py': 'two\n' })
  await run(['run', 'exec', '--name', 'changed', '--with-patch', ...program('')], { cwd })
  const { patch, dirty } = (await shown(cwd, 'changed')).source ?? {}
  assert.is(dirty, true)
  assert.match(String(patch), /^-one\n\+two$/m)
  await run(['run', 'exec', '--name', 'plain', ...program('')], { cwd })
  assert.equal((await shown(cwd, 'plain')).source, { ...clean, dirty: true })
})

test('ls lists runs, the newest first, by what they are', async () => {
  const cwd = await withData()
  await run(['run', 'start', '--name', 'one', '--job', 'a'], { cwd })
  await run(['run', 'start', '--name', 'two', '--job', 'b', '--project', 'p'], { cwd })
  const all = await run(['run', 'ls'], { cwd })
  assert.match(
    all,
    /^\w{12} {2}running {2}two {2}b {2}p {2}just now\n\w{12} {2}running {2}one {2}a {5}just now\n$/,
  )
  const found = lines(await run(['run', 'ls', '--job', 'a', '--json'], { cwd }))
  for (const each of found) assertFields(each, command.json['`ls`, a line for each run'])
  assert.equal(
    found.map(({ name }) => name),
    ['one'],
  )
  assert.is(await run(['run', 'ls', '--state', 'failed'], { cwd }), '')
  assert.match(await run(['run', 'ls', '-q', '--limit', '1'], { cwd }), /^\w{12}\n$/)
})

test('show tells each slot with ref, size and place', async () => {
  const cwd = await withData()
  await run(['run', 'exec', '-n', 'a', '--in', 'bike', '--out', 't/copy=data', ...program('')], {
    cwd,
  })
  const facts = await run(['run', 'show', 'a'], { cwd })
  assert.match(facts, /^run \w{12} a\n {2}state +finished, exit code 0\n/)
  assert.match(
    facts,
    /^used:\n {2}bike {2}bike:v0 {2}dataset {2}1 file, 4 B {2}artifacts:\/\/[0-9a-f]{12}$/m,
  )
  assert.match(facts, /^logged:\n {2}copy {2}copy:v0 {2}t {2}1 file, 4 B {2}artifacts:/m)
  await run(['rm', 'copy'], { cwd })
  assert.match(await run(['run', 'show', 'a'], { cwd }), /copy:v0 {2}t {2}deleted/)
})

test('refuses what is not understood', async () => {
  const cwd = await withData()
  for (const words of [
    [],
    ['begin'],
    ['start', 'x'],
    ['finish'],
    ['exec'],
    ['show'],
    ['ls', 'x'],
    ['ls', '--in', 'bike'],
    ['start', '--failed'],
    ['start', '--', 'x'],
  ]) {
    assert.is((await call(['run', ...words], { cwd })).code, 2, words.join(' '))
  }
  assert.is((await call(['run', 'show', 'nothing'], { cwd })).code, 12)
})

test('a process that is killed leaves a run that has crashed', async () => {
  const cwd = await withData()
  const words = ['run', 'exec', '-n', 'killed', ...program("process.kill(process.ppid, 'SIGKILL')")]
  try {
    execFileSync(process.execPath, [BIN, ...words], { cwd, stdio: 'ignore' })
    assert.unreachable()
  } catch (error) {
    assert.is((error as { signal?: string }).signal, 'SIGKILL')
  }
  assert.is((await shown(cwd, 'killed')).state, 'crashed')
  assert.match(await run(['run', 'ls', '--state', 'crashed'], { cwd }), 'killed')
  await run(['run', 'finish', 'killed', '--failed'], { cwd })
  assert.is((await shown(cwd, 'killed')).state, 'failed')
  assert.not.ok(existsSync(join(cwd, 'in')))
  rmSync(cwd, { recursive: true })
})

test('what an interrupted program made is stored when it ends well', async () => {
  const cwd = await withData()
  const controller = new AbortController()
  const { code } = await call(['run', 'exec', '-n', 'stopped', '--out', 'copy=data', '--', 'x'], {
    cwd,
    signal: controller.signal,
    spawn: async () => {
      controller.abort()
      return 0
    },
  })
  assert.is(code, 0)
  const { state, outputs } = await shown(cwd, 'stopped')
  assert.equal([state, outputs.map(({ ref }) => ref)], ['finished', ['copy:v0']])
})

test('edit gives a run other labels', async () => {
  const cwd = await withData()
  const start = ['--name', 'a', '--job', 'b', '--tag', 'x', '--config', 'lr=1', '--config', 'n=2']
  await run(['run', 'start', ...start], { cwd })
  const words = ['--name', 'c', '--job=', '--tag', 'y', '--tag', 'z', '--config', 'lr=3']
  assert.match(await run(['run', 'edit', 'a', ...words], { cwd }), /^run \w{12} c\n/)
  const { name, job, tags, config } = await shown(cwd, 'c')
  assert.equal([name, job, tags, config], ['c', undefined, ['y', 'z'], { lr: 3, n: 2 }])
  assert.is((await call(['run', 'edit', 'c'], { cwd })).code, 2)
  assert.is((await call(['run', 'edit', 'c', '--project', 'p'], { cwd })).code, 2)
  await run(['undo'], { cwd })
  assert.equal((await shown(cwd, 'a')).tags, ['x'])
})

test('the output of the program passes through, and it is told to end', async () => {
  const cwd = await withData()
  const code =
    "process.on('SIGTERM', () => process.exit(9)); console.log('up'); setInterval(() => {}, 1e6)"
  const words = ['run', 'exec', '-n', 'ended', '--in', 'bike', ...program(code)]
  const child = spawn(process.execPath, [BIN, ...words], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const stderr = text(child.stderr)
  let stdout = ''
  for await (const piece of child.stdout) {
    stdout += piece
    child.kill('SIGTERM')
  }
  assert.is(stdout, 'up\n')
  assert.match(await stderr, /^Run ended \(\w+\) failed with 9 after .* It used bike:v0\.\n$/m)
  assert.is(child.exitCode ?? (await once(child, 'exit'))[0], 9)
  assert.equal([(await shown(cwd, 'ended')).state], ['failed'])
})

test.run()
