import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const ROOT = join(import.meta.dirname, '../..')
const RUNNER = join(import.meta.dirname, 'run.js')

const PASSES = [
  'import { suite } from "uvu"',
  'const test = suite("a")',
  'test("adds", () => {})',
  'test.run()',
]
const FAILS = PASSES.map((line) =>
  line.replace('() => {}', '() => { throw new Error("seven is not six") }'),
)

const HEARTBEAT = 'setInterval(() => require("node:fs").appendFileSync("beats", "x"), 20)'
const HANGS = [
  'import { spawn } from "node:child_process"',
  `spawn(process.execPath, ["-e", ${JSON.stringify(HEARTBEAT)}], { stdio: "inherit" })`,
]

const test = suite('run')

test('counts the test cases of all files and ends with 0', () => {
  const { code, lines } = run({ 'a.test.ts': PASSES, 'store/b.test.ts': PASSES })
  assert.is(lines.at(-1), '2 passed, 0 failed')
  assert.is(code, 0)
})

test('shows the output of a file with a failing test and ends with 1', () => {
  const { code, lines, output } = run({ 'a.test.ts': PASSES, 'b.test.ts': FAILS })
  assert.is(lines.at(-1), '1 passed, 1 failed')
  assert.is(code, 1)
  assert.match(output, 'FAIL  b (0/1')
  assert.match(output, 'seven is not six')
})

test('shows what a file notes, and no other output, when it passes', () => {
  const noting = body('console.log("noise"); console.log("note: 12 points, seed 3")')
  const { lines, output } = run({ 'a.test.ts': noting })
  assert.ok(lines.includes('        12 points, seed 3'), output)
  assert.not.match(output, 'noise')
})

for (const [what, lines, reason] of [
  ['a hook that throws before the tests', hook('before'), '1 of 1 tests failed'],
  ['a hook that throws after each test', hook('after.each'), '1 of 1 tests failed'],
  ['a hook that throws after the tests', hook('after'), 'exit code 1'],
  ['a forgotten run()', PASSES.slice(0, -1), 'ended without a summary'],
  ['a suite without tests', [PASSES[0], PASSES[1], PASSES[3]], 'ran no test'],
  ['a test that waits for ever', body('await new Promise(() => {})'), 'exit code 1'],
  ['a test that leaves with 0', body('process.exit(0)'), 'exit code 1'],
  ['a file that leaves with 0', ['process.exit(0)'], 'ended without a summary'],
  ['a file that throws', ['throw new Error("no")'], 'exit code 1'],
  ['a file that dies', ['process.kill(process.pid, "SIGKILL")'], 'ended with SIGKILL'],
  [
    'an exit code set beside tests that pass',
    [...PASSES, 'process.on("exit", () => { process.exitCode = 3 })'],
    'exit code 3',
  ],
] as const) {
  test(`takes ${what} for a failure`, () => {
    const result = run({ 'a.test.ts': lines })
    assert.is(result.code, 1)
    assert.match(result.output, reason)
    assert.match(result.lines.at(-1) ?? '', /^\d passed, 1 failed$/)
  })
}

test('kills a file that takes too long, with the processes it started', async () => {
  const folder = project({ 'a.test.ts': HANGS })
  try {
    const result = runIn(folder, ['--limit', '1'])
    assert.is(result.code, 1)
    assert.match(result.output, 'took more than 1 s')
    assert.ok(await stopped(folder))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('does not wait for a process that left the group and holds the output open', () => {
  const result = run({
    'a.test.ts': [
      'import { spawn } from "node:child_process"',
      'spawn("sleep", ["8"], { detached: true, stdio: "inherit" }).unref()',
      ...PASSES,
    ],
  })
  assert.is(result.lines.at(-1), '1 passed, 0 failed')
  assert.ok(result.seconds < 6)
})

test('runs only the files whose name holds one of the texts given', () => {
  const { output, lines } = run(
    { 'a.test.ts': PASSES, 'store/b.test.ts': FAILS, 'c.test.ts': PASSES },
    ['a.t', 'c'],
  )
  assert.is(lines.at(-1), '2 passed, 0 failed')
  assert.not.match(output, 'store/b')
})

test('fails when no test was run', () => {
  const { code, lines } = run({ 'a.test.ts': PASSES }, ['nothing'])
  assert.is(lines.at(-1), '0 passed, 0 failed')
  assert.is(code, 1)
})

test('runs the long files only when asked for, and tells the tests', () => {
  const files = {
    'a.test.ts': PASSES,
    'b.full.test.ts': ['if (process.env.ARTIFACTS_TEST_FULL !== "1") process.exit(9)', ...PASSES],
  }
  assert.is(run(files).lines.at(-1), '1 passed, 0 failed')
  assert.is(run(files, ['--full']).lines.at(-1), '2 passed, 0 failed')
})

test('refuses a test marked as the only one in CI, and nowhere else', () => {
  const files = { 'a.test.ts': PASSES.map((line) => line.replace('test(', 'test.only(')) }
  assert.is(run(files, [], { CI: '' }).lines.at(-1), '1 passed, 0 failed')
  const { code, output } = run(files, [], { CI: 'true' })
  assert.is(code, 1)
  assert.match(output, 'has a test marked `.only`')
})

test('ignores what an earlier build left, and misses what was not built', () => {
  const folder = project({ 'a.test.ts': PASSES, 'gone.test.ts': FAILS, 'new.test.ts': PASSES })
  try {
    rmSync(join(folder, 'test/gone.test.ts'))
    rmSync(join(folder, 'build/test/new.test.js'))
    const { lines, output } = runIn(folder, [])
    assert.is(lines.at(-1), '1 passed, 1 failed')
    assert.match(output, 'new.test.ts: is not built')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('gives each file an empty temporary folder and removes it with all it holds', () => {
  const folder = project({
    'a.test.ts': [
      'import { mkdirSync, readdirSync, writeFileSync, chmodSync } from "node:fs"',
      'import { tmpdir } from "node:os"',
      'if (readdirSync(tmpdir()).length > 0) process.exit(9)',
      'writeFileSync("where", tmpdir())',
      'mkdirSync(tmpdir() + "/closed")',
      'writeFileSync(tmpdir() + "/closed/file", "")',
      'chmodSync(tmpdir() + "/closed", 0)',
      ...PASSES,
    ],
  })
  try {
    const { lines } = runIn(folder, [])
    assert.is(lines.at(-1), '1 passed, 0 failed')
    const where = readFileSync(join(folder, 'where'), 'utf8')
    assert.match(where, 'artifacts-test-')
    assert.not(existsSync(dirname(where)))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test("passes none of the developer's settings on", () => {
  const files = {
    'a.test.ts': ['if (process.env.ARTIFACTS_STORE !== undefined) process.exit(9)', ...PASSES],
  }
  assert.is(run(files, [], { ARTIFACTS_STORE: '/nowhere' }).lines.at(-1), '1 passed, 0 failed')
})

test('removes its folder and ends what it started when it is told to stop', async () => {
  const folder = project({ 'a.test.ts': HANGS })
  try {
    const runner = spawn(process.execPath, [RUNNER], { cwd: folder })
    let output = ''
    runner.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const closed = new Promise<number | null>((resolve) => runner.once('close', resolve))
    for (let i = 0; i < 500 && !existsSync(join(folder, 'beats')); i++) await sleep(20)
    runner.kill('SIGINT')
    assert.is(await closed, 130)
    assert.ok(await stopped(folder))
    const [, used = ''] = /in (\S+)/.exec(output) ?? []
    assert.match(used, 'artifacts-test-')
    assert.not(existsSync(used))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()

function hook(name: string): readonly string[] {
  return [...PASSES.slice(0, -1), `test.${name}(() => { throw new Error("hook") })`, 'test.run()']
}

function body(statement: string): readonly string[] {
  return PASSES.map((line) => line.replace('() => {}', `async () => { ${statement} }`))
}

type Files = Readonly<Record<string, readonly (string | undefined)[]>>

interface Outcome {
  readonly code: number | null
  readonly output: string
  readonly lines: readonly string[]
  readonly seconds: number
}

function run(
  files: Files,
  parameters: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Outcome {
  const folder = project(files)
  try {
    return runIn(folder, parameters, env)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A folder with test sources and, in place of what a compiler would make of them, the same text. */
function project(files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'project-'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  for (const [file, lines] of Object.entries(files)) {
    for (const path of [join('test', file), join('build/test', file.replace(/\.ts$/, '.js'))]) {
      mkdirSync(join(folder, dirname(path)), { recursive: true })
      writeFileSync(join(folder, path), lines.join('\n'))
    }
  }
  return folder
}

function runIn(
  folder: string,
  parameters: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Outcome {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUNNER, ...parameters], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  const lines = stdout.trimEnd().split('\n')
  return {
    code: status,
    output: stdout + stderr,
    lines,
    seconds: (performance.now() - started) / 1000,
  }
}

/** True when the heartbeat that began in this folder has ended. */
async function stopped(folder: string): Promise<boolean> {
  const before = statSync(join(folder, 'beats')).size
  await sleep(300)
  return before > 0 && statSync(join(folder, 'beats')).size === before
}
