/** A server that is killed in the middle of whatever it does leaves a whole store behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { HttpBackend } from '../../../src/sync/backends/http.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { type Push, push, sourceStore } from './serving.ts'

const test = suite('serve, killed')
const BIN = join(import.meta.dirname, '../../../src/cli/bin.js')
const ROUNDS = process.env['ARTIFACTS_TEST_FULL'] ? 40 : 6

test('killed at any moment of a push, it leaves a whole store, and the push succeeds again', async () => {
  await using source = await sourceStore()
  const large = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`${i}`, `${i} `.repeat(400)]),
  )
  const pushes: Push[] = []
  for (let i = 0; i < 3; i++) {
    pushes.push(source.push(await source.commit({ ...large, [`${i}`]: `${i}`.repeat(9000) })))
  }
  await using directory = await temporaryDirectory()
  const { store } = await Store.init(directory.path)
  const { root } = store
  store.close()
  let done = 0
  for (let round = 0; round < ROUNDS; round++) {
    const { child, url } = await start(root)
    await using backend = new HttpBackend(url, { env: {} })
    const killed = sleep(round * 25).then(() => child.kill('SIGKILL'))
    try {
      while (done < pushes.length) {
        await push({ backend }, pushes[done] as Push)
        done++
      }
    } catch {
      // It was killed. What it had done it knows.
    }
    await killed
    await ended(child)
    const report = await Store.fsck({ store: root }, { data: 1 })
    assert.ok(report.ok, JSON.stringify(report))
    const after = await Store.open({ store: root })
    const versions = after.artifacts().length === 0 ? 0 : after.versions('bike').length
    after.close()
    assert.ok(versions >= done)
    done = versions
  }
  const { child, url } = await start(root)
  await using backend = new HttpBackend(url, { env: {} })
  for (; done < pushes.length; done++) await push({ backend }, pushes[done] as Push)
  child.kill('SIGTERM')
  assert.is(await ended(child), 0)
})

test.run()

async function start(root: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0', '--store', root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { stdout } = child
  const [line] = await once(stdout, 'data')
  const url = /http:\S+/.exec(String(line))?.[0] ?? ''
  return { child, url }
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}
