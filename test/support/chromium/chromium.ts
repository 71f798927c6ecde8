/**
 * A real browser for tests: Debian's headless Chromium, unpacked once a machine. Where that can't be done a test says so
 * and is left out, except under CI: there it fails.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

export interface Chromium {
  /** Opens the page and returns what it is when all has been loaded, as HTML. */
  dom(url: string): Promise<string>
  /** Writes a picture of the page to `file`. */
  picture(url: string, file: string, size: readonly [number, number]): Promise<void>
}

/** Beside temporary folders, because those end with a test. */
const ROOT = `/var/tmp/artifacts-test-chromium-${process.getuid?.() ?? 0}`

/** Undefined where there is no way to it, with a note why. */
export function findChromium(): Chromium | undefined {
  const { status, stdout, stderr } = spawnSync(
    'bash',
    [resolve('test/support/chromium/unpack.sh'), ROOT],
    { encoding: 'utf8', timeout: 300_000, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  if (status !== 0) return without(stdout + stderr)
  const program = join(ROOT, 'usr/lib/chromium/chromium-headless-shell')
  const libraries = new Set(librariesIn(ROOT).map((path) => dirname(path)))
  const open = (...args: string[]): Promise<string> =>
    run(
      program,
      [...FLAGS, `--user-data-dir=${mkdtempSync(join(tmpdir(), 'chromium-'))}`, ...args],
      {
        ...process.env,
        LD_LIBRARY_PATH: [...libraries].join(':'),
      },
    )
  return {
    dom: (url) => open('--dump-dom', url),
    async picture(url, file, [width, height]) {
      await open(
        `--window-size=${width},${height}`,
        '--hide-scrollbars',
        `--screenshot=${file}`,
        url,
      )
    },
  }
}

/** What comes from a page of ours is trusted, and the sandbox needs rights that a container may not have. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']

function librariesIn(root: string): string[] {
  const { stdout } = spawnSync('find', [join(root, 'usr/lib'), '-name', '*.so*'], {
    encoding: 'utf8',
  })
  return stdout.split('\n').filter((path) => path !== '')
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    child.on('error', fail)
    child.on('close', (code) => {
      if (code === 0) done(out)
      else fail(new Error(`Chromium ended with ${code}: ${err.slice(-2000)}`))
    })
  })
}

function without(problem: string): undefined {
  if (process.env['CI']) throw new Error(`There is no Chromium. ${problem}`)
  process.stdout.write(
    `note: without Chromium, tests in a browser are left out: ${problem.slice(-500).replaceAll('\n', ' ')}\n`,
  )
}
