/**
 * The test runner: every test file in a process of its own, a few at a time, each under a time limit.
 *
 * uvu ends with exit code 0 after a hook that threw, a forgotten `.run()` or a process that ended while a test was
 * waiting, so the exit code alone proves nothing. A file passes when it exits with 0, says `Total:` above 0, and its
 * `Passed:` is the same number; everything else is a failure and is shown with its output. Of a file that passed, only
 * lines that begin with `note:` are shown. Nothing may print the secrets that tests use.
 *
 * usage: node build/test/run.js [--full] [--limit SECONDS] [--without TEXT]... [TEXT]...   (from the project's folder)
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, stripVTControlCharacters } from 'node:util'

interface Result {
  readonly file: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly seconds: number
  /** Why the file failed; absent when it passed. */
  readonly reason?: string
}

const MEMORY = '/dev/shm'
const MEMORY_WANTED = 2 * 2 ** 30
const OUTPUT_KEPT = 2 ** 20
const SLOWEST_SHOWN = 5
/** Passwords and tokens of tests against servers. */
const SECRETS = /hunter2|testsecret/

const running = new Set<ChildProcess>()
const { values: options, positionals: patterns } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    /** Seconds a test file may take. */
    limit: { type: 'string' },
    /** Leaves out files with this in their names. */
    without: { type: 'string', multiple: true, default: [] },
  },
})
const limit = Number(options.limit ?? (options.full ? 3600 : 120))
if (!(limit > 0)) throw new Error(`--limit takes a number of seconds, not "${options.limit}"`)

const folder = mkdtempSync(join(temporaryRoot(), 'artifacts-test-'))
// A test may read its folder as another user, so the way to it stands open.
chmodSync(folder, 0o755)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const child of running) killGroup(child)
    remove(folder)
    process.exit(130)
  })
}
try {
  process.exitCode = report(await runAll(testFiles()))
} finally {
  remove(folder)
}

/** Found by their sources, so that what an earlier build left behind is not run. */
function testFiles(): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => options.full || !file.endsWith('.full.test.ts'))
    .filter((file) => patterns.length === 0 || patterns.some((text) => file.includes(text)))
    .filter((file) => !options.without.some((text) => file.includes(text)))
    .sort()
}

async function runAll(files: readonly string[]): Promise<Result[]> {
  const width = Math.min(4, availableParallelism())
  console.log(`node ${process.version}, ${files.length} files, ${width} at a time, in ${folder}`)
  const queue = files.entries()
  const results: Result[] = []
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const [number, file] of queue)
        results.push(await runFile(file, join(folder, `${number}`)))
    }),
  )
  return results
}

async function runFile(file: string, temporary: string): Promise<Result> {
  const started = performance.now()
  const program = join('build/test', file.replace(/\.ts$/, '.js'))
  mkdirSync(temporary, { mode: 0o755 })
  const { end, output } = existsSync(program)
    ? await runProgram(program, temporary)
    : { end: 'is not built', output: '' }
  remove(temporary)

  const [total, passed, skipped] = ['Total', 'Passed', 'Skipped'].map((word) =>
    lastCount(output, word),
  )
  const counts = {
    passed: passed ?? 0,
    failed: Math.max(0, (total ?? 0) - (passed ?? 0)),
    skipped: skipped ?? 0,
  }
  const reason =
    end ??
    onlyReason(file) ??
    (total === undefined ? 'ended without a summary' : undefined) ??
    (total === 0 ? 'ran no test; is `.run()` missing?' : undefined) ??
    (SECRETS.test(output) ? 'printed a secret' : undefined) ??
    (total === passed ? undefined : `${counts.failed} of ${total} tests failed`)
  const seconds = (performance.now() - started) / 1000
  const line = `${file.replace(/\.test\.ts$/, '')} (${counts.passed}/${total ?? 0}, ${seconds.toFixed(1)} s)`
  if (reason === undefined) {
    console.log(`ok    ${line}`)
    for (const [, note] of output.matchAll(/^note: (.*)$/gm)) console.log(`        ${note}`)
    return { file, seconds, ...counts }
  }
  console.log(`FAIL  ${line}: ${reason}\n${output.replace(/^/gm, '      | ')}`)
  return { file, seconds, ...counts, failed: Math.max(1, counts.failed), reason }
}

/** Ends with undefined as `end` when the program exited with 0 within the time limit. */
function runProgram(
  program: string,
  temporary: string,
): Promise<{ readonly end: string | undefined; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--enable-source-maps', program], {
      // Its own process group, so that what a test started and left behind ends with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(temporary),
    })
    running.add(child)
    let output = ''
    let late = false
    const collect = (text: string): void => {
      output = (output + text).slice(-OUTPUT_KEPT)
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    const timer = setTimeout(() => {
      late = true
      killGroup(child)
    }, limit * 1000)
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(timer)
      running.delete(child)
      killGroup(child)
      // A process that left the group may hold the pipes open for ever.
      setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }, 1000).unref()
    })
    child.once('close', (code, signal) => {
      const end = late
        ? `took more than ${limit} s`
        : code === 0
          ? undefined
          : `ended with ${signal ?? `exit code ${code}`}`
      resolve({ end, output: stripVTControlCharacters(output) })
    })
  })
}

/** Nothing of the developer's own settings reaches a test. */
function environment(temporary: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ARTIFACTS_'))
  return {
    ...Object.fromEntries(inherited),
    TMPDIR: temporary,
    XDG_CONFIG_HOME: join(temporary, 'config'),
    XDG_CACHE_HOME: join(temporary, 'cache'),
    ...(options.full ? { ARTIFACTS_TEST_FULL: '1' } : {}),
  }
}

/** A mark that a developer may leave while working, and that must not reach the main line. */
function onlyReason(file: string): string | undefined {
  if (!process.env['CI']) return undefined
  const only = /^\s*\w+\.only\(/m.test(readFileSync(join('test', file), 'utf8'))
  return only ? 'has a test marked `.only`' : undefined
}

function lastCount(output: string, word: string): number | undefined {
  const [, digits] = [...output.matchAll(new RegExp(`^ {2}${word}: +(\\d+)$`, 'gm'))].at(-1) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** Prints the end of the report; the last line is read by programs. Returns the exit code. */
function report(results: readonly Result[]): number {
  const sum = (count: (result: Result) => number): number =>
    results.reduce((total, result) => total + count(result), 0)
  const passed = sum((result) => result.passed)
  const failed = sum((result) => result.failed)
  const skipped = sum((result) => result.skipped)

  console.log('\nslowest:')
  for (const { file, seconds } of results
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, SLOWEST_SHOWN))
    console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${file}`)
  if (skipped > 0) console.log(`skipped: ${skipped}`)
  for (const { file, reason } of results)
    if (reason !== undefined) console.log(`FAIL ${file}: ${reason}`)
  if (passed + failed === 0)
    console.log(`no test matches ${patterns.join(' ') || 'test/**/*.test.ts'}`)
  console.log(`\n${passed} passed, ${failed} failed`)
  return failed > 0 || passed === 0 ? 1 : 0
}

/** Memory where it has room: a disk is slow at creating files after many were deleted. */
function temporaryRoot(): string {
  if (!existsSync(MEMORY)) return tmpdir()
  const { bavail, bsize } = statfsSync(MEMORY)
  return bavail * bsize > MEMORY_WANTED ? MEMORY : tmpdir()
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Also what a test made unwritable. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  } catch {
    spawnSync('chmod', ['-R', 'u+rwX', path])
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  }
}
