/**
 * A real S3 server for tests: Ceph's gateway on loopback, from Debian packages that are unpacked once a machine. Where
 * that can't be done a test says so and is left out, except under CI: there it fails.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryDirectory } from '../temp.ts'

export interface Rgw extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** Variables by which a client finds it. */
  readonly env: Readonly<Record<string, string>>
}

const SCRIPTS = resolve('test/support/s3')
/** Beside temporary folders, because those end with a test. */
const ROOT = `/var/tmp/artifacts-test-rgw-${process.getuid?.() ?? 0}`

/** Undefined where there is no way to it, with a note why. */
export async function startRgw(): Promise<Rgw | undefined> {
  const problem = run('rgw-unpack.sh', [ROOT], 300_000)
  if (problem !== undefined) return without(problem)
  const directory = await temporaryDirectory()
  const data = join(directory.path, 'rgw')
  mkdirSync(data)
  const port = await freePorts(3)
  const stop = async (): Promise<void> => {
    for (const name of ['rgw', 'osd', 'mon']) await end(join(data, `${name}.pid`))
    await directory[Symbol.asyncDispose]()
  }
  const failure = run('rgw-up.sh', [ROOT, data, String(port)], 100_000)
  const url = `http://127.0.0.1:${port}`
  if (failure !== undefined || !(await answers(url))) {
    const log = join(data, 'rgw.out')
    const said = failure ?? (existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : 'no answer')
    await stop()
    return without(said)
  }
  const env = {
    AWS_ENDPOINT_URL_S3: url,
    AWS_ACCESS_KEY_ID: 'testkey',
    AWS_SECRET_ACCESS_KEY: 'testsecret',
    AWS_REGION: 'default',
    HOME: directory.path,
  }
  return { url, env, [Symbol.asyncDispose]: stop }
}

/** What went wrong, if anything did. */
export function run(script: string, args: readonly string[], timeout: number): string | undefined {
  const { status, stdout, stderr, error } = spawnSync('bash', [join(SCRIPTS, script), ...args], {
    encoding: 'utf8',
    timeout,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (status === 0) return undefined
  return `${script} ended with ${status ?? error?.message}: ${(stdout + stderr).slice(-2000)}`
}

export function without(problem: string): undefined {
  if (process.env['CI']) throw new Error(`There is no S3 server. ${problem}`)
  process.stdout.write(
    `note: without an S3 server, tests against one are left out: ${problem.replaceAll('\n', ' ')}\n`,
  )
}

export async function answers(url: string): Promise<boolean> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return true
    await sleep(100)
  }
  return false
}

export async function end(file: string): Promise<void> {
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8'))
  try {
    process.kill(pid, 'SIGKILL')
    for (;;) {
      process.kill(pid, 0)
      await sleep(20)
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** The first of so many neighbouring ports that nobody listens at. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000)
    const servers: Server[] = []
    try {
      for (let port = first; port < first + count; port++) servers.push(await listen(port))
      return first
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    } finally {
      for (const server of servers) await new Promise((done) => server.close(done))
    }
  }
}

function listen(port: number): Promise<Server> {
  const server = createServer()
  return new Promise((done, fail) => {
    server.once('error', fail)
    server.listen(port, '127.0.0.1', () => done(server))
  })
}
