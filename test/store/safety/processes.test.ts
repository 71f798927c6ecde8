/** Many processes commit to one store at once, and some of them are killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Store } from '../../../src/index.ts'
import { writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import type { Told } from './commit-child.ts'
import { isFull, newWorkspace, readAll, verifyAll, type Workspace } from './workspace.ts'

const test = suite('many processes')

const SCRIPT = join(import.meta.dirname, 'commit-child.js')
const PROCESSES = 20
const ROUNDS = isFull ? 40 : 10
/** Waiting for a lock that nobody holds any more would take longer. */
const LONGEST_PAUSE_MS = 8000

interface Child {
  readonly process: ChildProcess
  readonly told: Told[]
  /** When it told of a commit, ms. */
  readonly times: number[]
  readonly ended: Promise<unknown>
  stderr: string
}

function start(workspace: Workspace, self: number, rounds: number): Child {
  const process_ = spawn(process.execPath, [SCRIPT, workspace.path, String(self), String(rounds)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const child: Child = {
    process: process_,
    told: [],
    times: [],
    ended: once(process_, 'close'),
    stderr: '',
  }
  createInterface(process_.stdout).on('line', (line) => {
    child.told.push(JSON.parse(line))
    child.times.push(performance.now())
  })
  process_.stderr.setEncoding('utf8').on('data', (text) => {
    child.stderr += text
  })
  return child
}

/** Every commit that was told of is there with its content, numbers have no gap, and all versions are whole. */
async function checkStore(store: Store, children: readonly Child[]): Promise<void> {
  for (const { told } of children) {
    for (const { ref, id, content } of told) {
      assert.is(store.version(ref).id, id, ref)
      assert.is(readAll(store, ref, 'f').toString(), content, ref)
    }
  }
  for (const { name, versions } of store.artifacts()) {
    const numbers = store.versions(name).map(({ version }) => version)
    const expected = Array.from({ length: versions }, (_, number) => `v${number}`).reverse()
    assert.equal(numbers, expected, name)
  }
  const created = children.flatMap(({ told }) => told.filter((each) => each.created))
  assert.is(new Set(created.map(({ ref }) => ref)).size, created.length)
  assert.is(store.versions('same').length, 1)
  assert.equal(await verifyAll(store), [])
}

test(`${PROCESSES} processes lose none of their commits`, async () => {
  await using workspace = await newWorkspace()
  const children = Array.from({ length: PROCESSES }, (_, self) => start(workspace, self, ROUNDS))
  await Promise.all(children.map(({ ended }) => ended))
  for (const { process, stderr, told } of children) {
    assert.is(process.exitCode, 0, stderr)
    assert.is(told.length, 2 * ROUNDS + 1)
  }
  await workspace.run(async (store) => {
    await checkStore(store, children)
    assert.is(store.versions('shared').length, PROCESSES * ROUNDS)
    assert.is(store.versions('own-7').length, ROUNDS)
    const log = readdirSync(join(workspace.root, 'log')).filter((name) => name.endsWith('.json'))
    assert.is(
      log.length,
      PROCESSES * ROUNDS * 2 + 1,
      'one operation for each version, nothing else',
    )
  })
  assert.equal(workspace.takeNotices(), [])
})

test('the others go on at once when some are killed', async () => {
  const seed = Number(process.env['SEED'] ?? 9)
  const random = seededRandom(seed)
  await using workspace = await newWorkspace()
  const rounds = ROUNDS / 2
  const children = Array.from({ length: PROCESSES }, (_, self) => start(workspace, self, rounds))
  const doomed = random.shuffle(children).slice(0, 8)
  const survivors = children.filter((child) => !doomed.includes(child))
  for (const child of doomed) {
    const commits = random.integer(0, rounds * 2)
    const delay = random.next() * 20
    void killAfter(child, commits, delay)
  }
  await Promise.all(children.map(({ ended }) => ended))
  const context = `seed ${seed}`
  for (const { process: child, stderr, told } of survivors) {
    assert.is(child.exitCode, 0, `${context}: ${stderr}`)
    assert.is(told.length, 2 * rounds + 1, context)
  }
  for (const { stderr } of doomed) assert.is(stderr, '', context)
  assert.ok(
    doomed.some(({ process: child }) => child.signalCode === 'SIGKILL'),
    context,
  )
  // Of all survivors together: a lock that a dead process left would stop them all.
  const times = survivors.flatMap(({ times }) => times).sort((a, b) => a - b)
  const pauses = times.slice(1).map((time, index) => time - (times[index] as number))
  const longest = Math.round(Math.max(...pauses))
  assert.ok(longest < LONGEST_PAUSE_MS, `${context}: a pause of ${longest} ms`)
  process.stdout.write(
    `\nnote: killed ${doomed.length} of ${PROCESSES}, longest pause ${longest} ms, ${context}\n`,
  )
  await workspace.run(async (store) => {
    await checkStore(store, children)
    writeTree(join(workspace.path, 'after'), { f: 'after' })
    const { version } = await store.commit([join(workspace.path, 'after')], { name: 'shared' })
    assert.is(version, `v${store.versions('shared').length - 1}`, context)
  })
})

async function killAfter({ process, told }: Child, commits: number, delay: number): Promise<void> {
  while (told.length < commits && process.exitCode === null) await sleep(1)
  await sleep(delay)
  process.kill('SIGKILL')
}

test.run()
