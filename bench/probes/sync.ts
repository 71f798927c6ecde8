/**
 * Bringing data to a bucket and back, beside `rclone copy` of the plain files and restic, each with a server of its own
 * (Ceph's gateway on loopback), and over `artifacts serve`: commit with push, and clone with checkout. What is judged are ratios.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { adminOf } from '../../test/support/s3/admin.ts'
import { type Rgw, startRgw } from '../../test/support/s3/rgw.ts'
import { warm } from '../disk.ts'
import { measure } from '../measure.ts'
import { makePlace } from '../place.ts'
import type { Probe } from '../results.ts'
import { figureOf } from '../stats.ts'
import { PROGRAM } from '../tools/ours.ts'
import { type Command, type Place, run } from '../tools/tool.ts'
import { model } from '../workloads/model.ts'
import { small } from '../workloads/small.ts'
import { inputAt, prepare, type Workload } from '../workloads/workload.ts'
import type { ProbeSource } from './probe.ts'

export const sync: ProbeSource = { name: 'sync', run: measureSync }

const ROUNDS = 2
const BUCKET = 'bench'

type Way = 'push' | 'pull'
type Peer = 'rclone' | 'restic'
type Contender = Peer | 'ours, S3' | 'ours, serve'

interface Limit {
  readonly way: Way
  readonly against: Peer | 'the faster'
  readonly atMost: number
}

const LIMITS: Readonly<Record<string, readonly Limit[]>> = {
  small: [
    { way: 'push', against: 'rclone', atMost: 0.1 },
    { way: 'push', against: 'restic', atMost: 0.7 },
    { way: 'pull', against: 'rclone', atMost: 0.4 },
    { way: 'pull', against: 'restic', atMost: 0.5 },
  ],
  model: [
    { way: 'push', against: 'the faster', atMost: 0.7 },
    { way: 'pull', against: 'the faster', atMost: 0.8 },
  ],
}

async function measureSync(dir: string, scale: number): Promise<readonly Probe[]> {
  if (spawnSync('rclone', ['version']).status !== 0) {
    process.stderr.write('rclone is not installed: sync is skipped\n')
    return []
  }
  const probes: Probe[] = []
  for (const workload of [small, model]) probes.push(...(await probesOf(workload, dir, scale)))
  return probes
}

interface Times {
  readonly seconds: Map<string, number[]>
  peakBytes: number
}

async function probesOf(workload: Workload, dir: string, scale: number): Promise<Probe[]> {
  const input = inputAt(join(dir, workload.name))
  prepare(workload, input, scale)
  const times: Times = { seconds: new Map(), peakBytes: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of ['rclone', 'restic', 'ours, S3', 'ours, serve'] as const) {
      await play(contender, input.data, join(dir, `${workload.name}-${round}-${contender}`), times)
    }
  }
  const limits = LIMITS[workload.name] ?? []
  const places = ['ours, S3', 'ours, serve'] as const
  return [
    ...places.flatMap((own) => limits.map((limit) => probeOf(workload.name, own, limit, times))),
    {
      name: `${workload.name}: largest process of ours`,
      value: times.peakBytes / 1e6,
      unit: 'MB',
      limit: 300,
      detail: 'commit, push, clone, checkout; the server not among them',
    },
  ]
}

function probeOf(
  workload: string,
  own: Contender,
  { way, against, atMost }: Limit,
  { seconds }: Times,
): Probe {
  const median = (who: Contender): number =>
    figureOf(seconds.get(`${who} ${way}`) ?? [])?.median ?? Number.NaN
  const peers: readonly Peer[] = against === 'the faster' ? ['rclone', 'restic'] : [against]
  const theirs = Math.min(...peers.map(median))
  return {
    name: `${workload}: ${way}, ${own}, against ${against}`,
    value: median(own) / theirs,
    unit: '×',
    limit: atMost,
    detail: `${median(own).toFixed(2)} s beside ${theirs.toFixed(2)} s`,
  }
}

async function play(who: Contender, data: string, dir: string, times: Times): Promise<void> {
  const plain = makePlace(dir, data)
  await using server = who === 'ours, serve' ? await startServe(plain) : await startBucket()
  const place = { ...plain, env: { ...plain.env, ...server.env } }
  const steps = STEPS[who](place, server.address)
  steps.prepare()
  for (const way of ['push', 'pull'] as const) {
    warm(data)
    let seconds = 0
    for (const command of steps[way]) {
      const measured = measure(place, command)
      seconds += measured.seconds
      if (who.startsWith('ours')) {
        times.peakBytes = Math.max(times.peakBytes, measured.peakBytes ?? 0)
      }
    }
    const key = `${who} ${way}`
    times.seconds.set(key, [...(times.seconds.get(key) ?? []), seconds])
    process.stderr.write(`sync: ${dir.split('/').at(-1)}: ${way}: ${seconds.toFixed(2)} s\n`)
  }
  compare(data, steps.restored)
  rmSync(dir, { recursive: true })
}

interface Steps {
  readonly restored: string
  prepare(): void
  readonly push: readonly Command[]
  readonly pull: readonly Command[]
}

const STEPS: Readonly<Record<Contender, (place: Place, address: string) => Steps>> = {
  rclone(place) {
    const restored = join(place.home, 'restored')
    const config = join(place.home, 'rclone.conf')
    const { AWS_ENDPOINT_URL_S3: endpoint = '', AWS_ACCESS_KEY_ID: key = '' } = place.env
    const secret = place.env['AWS_SECRET_ACCESS_KEY'] ?? ''
    const copy = (from: string, to: string): Command => ({
      argv: ['rclone', '--config', config, 'copy', '--transfers', '16', from, to],
      cwd: place.home,
    })
    return {
      restored,
      prepare: () =>
        writeFileSync(
          config,
          `[s3]\ntype = s3\nprovider = Ceph\naccess_key_id = ${key}\nsecret_access_key = ${secret}\nendpoint = ${endpoint}\n`,
        ),
      push: [copy(place.data, `s3:${BUCKET}/plain`)],
      pull: [copy(`s3:${BUCKET}/plain`, restored)],
    }
  },
  restic(place) {
    const restored = join(place.home, 'restored')
    const repository = `s3:${place.env['AWS_ENDPOINT_URL_S3']}/${BUCKET}/restic`
    const restic = (...args: readonly string[]): Command => ({
      argv: ['restic', '-q', '-r', repository, ...args],
      cwd: place.data,
    })
    return {
      restored,
      prepare: () => {
        run(place, place.data, 'restic', '-q', '-r', repository, 'init')
      },
      push: [restic('backup', '.')],
      pull: [restic('restore', 'latest', '--target', restored)],
    }
  },
  'ours, S3': oursAt,
  'ours, serve': oursAt,
}

function oursAt(place: Place, address: string): Steps {
  const clone = join(place.home, 'clone')
  const restored = join(place.home, 'restored')
  const artifacts = (store: string, ...args: readonly string[]): Command => ({
    argv: [process.execPath, PROGRAM, '--store', join(store, '.artifacts'), ...args],
    cwd: place.home,
  })
  const tell = ({ argv }: Command): void => {
    run(place, place.home, ...argv)
  }
  return {
    restored,
    prepare: () => {
      mkdirSync(place.store, { recursive: true })
      run(place, place.home, process.execPath, PROGRAM, 'init', place.store)
      tell(artifacts(place.store, 'remote', 'add', 'origin', address))
    },
    push: [
      artifacts(place.store, 'commit', place.data, '-n', 'data', '-q'),
      artifacts(place.store, 'push', '-q'),
    ],
    pull: [
      { argv: [process.execPath, PROGRAM, 'clone', address, clone, '-q'], cwd: place.home },
      artifacts(clone, 'checkout', 'data', restored, '-q'),
    ],
  }
}

interface Remote extends AsyncDisposable {
  readonly address: string
  readonly env: Readonly<Record<string, string>>
}

async function startBucket(): Promise<Remote> {
  const server: Rgw | undefined = await startRgw()
  if (server === undefined) throw new Error('There is no S3 server: see the note above.')
  await adminOf(server).makeBucket(BUCKET)
  // A home of its own has the bench.
  const { HOME: _, ...env } = server.env
  return {
    address: `s3://${BUCKET}/ours`,
    env,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function startServe(place: Place): Promise<Remote> {
  const served = join(place.home, 'served')
  run(place, place.home, process.execPath, PROGRAM, 'init', served)
  const argv = [PROGRAM, '--store', join(served, '.artifacts'), 'serve', '--port', '0', '--json']
  const child = spawn(process.execPath, argv, { env: place.env, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stderr.pipe(createWriteStream(join(place.home, 'serve.err')))
  const address = await firstUrl(child)
  return {
    address,
    env: {},
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function firstUrl(child: ChildProcess): Promise<string> {
  let said = ''
  for await (const piece of child.stdout ?? []) {
    said += String(piece)
    const url = /"url":"([^"]+)"/.exec(said)?.[1]
    if (url === undefined) continue
    child.stdout?.resume()
    return url
  }
  throw new Error(`serve ended: ${said}`)
}

/** Whoever gives back other files than it was given has no figure. */
function compare(data: string, restored: string): void {
  const argv = ['-r', '-q', '--no-dereference', data, restored]
  const { status, stdout, stderr } = spawnSync('diff', argv, { encoding: 'utf8', maxBuffer: 256e6 })
  if (status !== 0)
    throw new Error(`What was restored differs: ${(stdout || stderr).split('\n')[0]}`)
}
