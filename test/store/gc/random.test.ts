/** Random runs of processes that write, collect and read, some of which are killed or put to sleep. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Tree } from '../../support/files.ts'
import { type Random, seededRandom } from '../../support/random.ts'
import { seedOf, treeOf } from './random-child.ts'
import { assertClean, assertVersions, openIn, workspace } from './workspace.ts'

const test = suite('random')

const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'
/** Another one: `SEED=7 node build/test/store/gc/random.test.js`. */
const SEED = Number(process.env['SEED'] ?? 1)
const RUNS = isFull ? 12 : 1
const SECONDS = isFull ? 20 : 5
const PROCESSES = 3

for (let run = 0; run < RUNS; run++) {
  const seed = SEED + run
  test(`processes that write, collect and read at once, killed at times, lose nothing (seed ${seed})`, async () => {
    await using space = await workspace()
    const { path, layout } = space
    const random = seededRandom(seed)
    const until = Date.now() + SECONDS * 1000
    const counts = { ended: 0, killed: 0 }
    await Promise.all(
      Array.from({ length: PROCESSES }, async () => {
        while (Date.now() < until) await oneProcess(path, random, counts)
      }),
    )
    for (const name of ['bike', 'car', 'boat'])
      rmSync(join(path, name), { recursive: true, force: true })
    await assertLive(path)
    {
      using store = await openIn(path)
      await store.gc({ grace: '0' })
    }
    await assertClean(layout)
    const versions = await assertLive(path)
    process.stdout.write(
      `\nnote: seed ${seed}: ${counts.ended} processes ended, ${counts.killed} were killed, ${versions} versions are live\n`,
    )
  })
}

/** Runs a process to its end, or kills it, or lets it sleep for a while. */
async function oneProcess(
  path: string,
  random: Random,
  counts: { ended: number; killed: number },
): Promise<void> {
  const script = fileURLToPath(new URL('./random-child.js', import.meta.url))
  const seed = random.integer(0, 2 ** 31)
  const child = spawn(process.execPath, ['--enable-source-maps', script, path, String(seed), '30'])
  const closed = once(child, 'close')
  const errors = text(child.stderr)
  const fate = random.pick(['end', 'kill', 'kill', 'sleep'] as const)
  if (fate !== 'end') {
    await Promise.race([closed, setTimeout(random.integer(200, 1500))])
    if (fate === 'kill') child.kill('SIGKILL')
    else {
      child.kill('SIGSTOP')
      await Promise.race([closed, setTimeout(random.integer(100, 700))])
      child.kill('SIGCONT')
    }
  }
  const [status, signal] = (await closed) as [number | null, string | null]
  if (signal === 'SIGKILL') counts.killed++
  else {
    assert.is(status, 0, `the process with seed ${seed} failed: ${await errors}`)
    counts.ended++
  }
}

/** Checks every live version against what its description says; returns how many there are. */
async function assertLive(path: string): Promise<number> {
  const expected: Record<string, Tree> = {}
  {
    using store = await openIn(path)
    for (const { ref, description } of store.history()) expected[ref] = treeOf(seedOf(description))
  }
  await assertVersions(path, expected)
  return Object.keys(expected).length
}

test.run()
