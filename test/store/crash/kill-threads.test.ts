/** Commands that work in several threads, killed from outside at moments spread over their run. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { isAbandoned } from '../../../src/store/layout.ts'
import { readTree, shownTree, type Tree, writeTree } from '../../support/files.ts'
import { type Random, seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { NAME, openOnce } from './commits.ts'
import { assertOldOrNew, isOneOf } from './expect.ts'
import { leftovers, observe, observeDigests, stateOf } from './observe.ts'
import { isFull, note } from './points.ts'

const test = suite('killed with threads')

const CHILD = fileURLToPath(new URL('command-child.js', import.meta.url))
const SEED = 5
const THREADS = 2
/** Opening one counts as 16 KiB of work, and threads are started at 16 MiB. */
const FILES = isFull ? 4000 : 1200

test('a commit killed at any moment is there or not, and succeeds the next time', async () => {
  const { first, second } = manyFiles()
  await using dir = await temporaryDirectory()
  const template = join(dir.path, 'template')
  const data = join(dir.path, 'data')
  writeTree(data, first)
  await initAndCommit(template, data)
  fs.rmSync(data, { recursive: true })
  writeTree(data, second)

  const workspace = join(dir.path, 'workspace')
  await copyTo(workspace, template)
  const before = await observeDigests(workspace, NAME)
  await commit(workspace, data)
  const after = await observeDigests(workspace, NAME)
  assert.equal(await observe(workspace, NAME), stateOf(first, second))
  await atMoments('a commit', async (kill) => {
    await copyTo(workspace, template)
    const done = await kill(['commit', workspace, data, String(THREADS)])
    const state = await observeDigests(workspace, NAME)
    if (done) assert.equal(state, after)
    else isOneOf(state, before, after)
    assertAbandoned(workspace)
    await commit(workspace, data)
    assert.equal(await observeDigests(workspace, NAME), after)
    return done
  })
})

test('a checkout killed at any moment leaves whole files, and succeeds the next time', async () => {
  const { first, second } = manyFiles()
  await using dir = await temporaryDirectory()
  const template = join(dir.path, 'template')
  const data = join(dir.path, 'data')
  for (const tree of [second, first]) {
    fs.rmSync(data, { recursive: true, force: true })
    writeTree(data, tree)
    await initAndCommit(template, data)
  }
  const [before, after] = [shownTree(first), shownTree(second)]
  const workspace = join(dir.path, 'workspace')
  const out = join(workspace, 'out')
  await atMoments('a checkout', async (kill) => {
    await copyTo(workspace, template)
    await checkout(workspace, `${NAME}:v1`)
    const done = await kill(['checkout', workspace, `${NAME}:v0`, String(THREADS)])
    if (done) assert.equal(readTree(out), after)
    else assertOldOrNew(readTree(out), before, after)
    assertAbandoned(workspace)
    await checkout(workspace, `${NAME}:v0`)
    assert.equal(readTree(out), after)
    return done
  })
})

/** Enough to be worth threads: small files in folders, and a large one. Between the two, every file changes, or goes. */
function manyFiles(): { readonly first: Tree; readonly second: Tree } {
  const random = seededRandom(SEED)
  return { first: files(random, 'a'), second: files(random, 'b') }
}

function files(random: Random, only: string): Tree {
  const tree: Record<string, Buffer> = { 'large.bin': random.bytes(6 << 20) }
  for (let i = 0; i < FILES; i++) {
    const name = i % 10 === 0 ? `${only}-${i}` : `file-${i}`
    tree[`folder-${i % 20}/${name}`] = random.bytes(random.integer(0, 4000))
  }
  return tree
}

/**
 * Runs `point` for moments spread by chance over the time that the command takes. It gets a function that runs a command
 * and kills it then, which answers true when it was done before; and returns that.
 */
async function atMoments(
  what: string,
  point: (kill: (args: readonly string[]) => Promise<boolean>) => Promise<boolean>,
): Promise<void> {
  const count = isFull ? 30 : 3
  const random = seededRandom(SEED)
  let whole = 0
  await point(async (args) => {
    whole = (await run(args, undefined)).milliseconds
    return true
  })
  let kills = 0
  for (let i = 0; i < count; i++) {
    const delay = ((i + random.next()) / count) * whole
    const done = await point(async (args) => {
      const ended = await run(args, delay)
      // The first one may have been slowed down by whatever else was going on.
      if (ended.done) whole = Math.min(whole, ended.milliseconds)
      return ended.done
    })
    if (!done) kills++
  }
  note(`${what} in threads: ${count} moments, ${kills} of them kills`)
  assert.ok(kills > count / 4, `${kills} of ${count} were killed`)
}

interface Ended {
  readonly done: boolean
  /** From its first word. */
  readonly milliseconds: number
}

async function run(args: readonly string[], killAfter: number | undefined): Promise<Ended> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify({ args })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  const started = performance.now()
  const timer =
    killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter)
  const [status, signal] = await closed
  clearTimeout(timer)
  if (signal !== 'SIGKILL') assert.is(status, 0)
  return { done: signal !== 'SIGKILL', milliseconds: performance.now() - started }
}

async function initAndCommit(workspace: string, data: string): Promise<void> {
  const { store } = await Store.init(workspace)
  store.close()
  await commit(workspace, data)
}

async function commit(workspace: string, data: string): Promise<void> {
  using store = await Store.open({ store: join(workspace, '.artifacts') })
  await store.commit([data], { name: NAME, type: 'dataset', jobs: THREADS })
}

async function checkout(workspace: string, ref: string): Promise<void> {
  using store = await Store.open({ store: join(workspace, '.artifacts') })
  await store.checkout(ref, join(workspace, 'out'), { jobs: THREADS })
}

/** Its index is in order, as in the original. */
async function copyTo(workspace: string, template: string): Promise<void> {
  fs.rmSync(workspace, { recursive: true, force: true })
  fs.cpSync(template, workspace, { recursive: true })
  await openOnce(workspace)
}

function assertAbandoned(workspace: string): void {
  const now = Date.now()
  for (const path of leftovers(workspace)) {
    if (!path.startsWith('tmp/')) continue
    assert.ok(isAbandoned(path.slice('tmp/'.length), now, now), `"${path}" seems to be in use`)
  }
}

test.run()
