/** A directory that is watched while a program writes in it as fast as it can; for a minute with ARTIFACTS_TEST_FULL=1. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTree } from '../support/files.ts'
import { tearIn } from './restless-writer.ts'
import { textOf, Watching } from './watching.ts'
import { pathsOf, workspace } from './workspace.ts'

const test = suite('watch-restless')
const IS_FULL = process.env['ARTIFACTS_TEST_FULL'] === '1'

const SETTLE_MS = 400

/** False: the machine was so busy that a file was left alone for too long before it was whole. */
async function runs(): Promise<boolean> {
  await using ws = await workspace()
  const dir = ws.write('data', { settled: 'here before\n' })
  await using watching = new Watching(ws.store, dir, { settle: SETTLE_MS })
  await watching.version(0)
  ws.write('data', { 'also-settled': 'made at the start\n' })
  const script = join(import.meta.dirname, 'restless-writer.js')
  const writer = spawn(process.execPath, [script, dir, IS_FULL ? '65' : '6', '900'])
  let printed = ''
  writer.stdout.on('data', (text) => {
    printed += text
  })
  const [code] = await once(writer, 'exit')
  assert.is(code, 0)
  const during = watching.versions.length
  const [rate, gap] = printed.trim().split(' ').map(Number)
  process.stdout.write(`note: ${rate} changes a second, ${during} versions meanwhile\n`)
  if ((gap ?? 0) >= SETTLE_MS) return false
  assert.ok(during > 1, 'nothing was stored while it wrote')
  for (let waited = 0; ; waited++) {
    const { changes } = await ws.store.diff({ ref: watching.versions.at(-1) as string }, { dir })
    if (changes.length === 0) break
    assert.ok(waited < 100, `not stored in the end: ${JSON.stringify(changes)}`)
    await sleep(100)
  }
  const refs = watching.versions
  for (const ref of refs.slice(1)) {
    const paths = pathsOf(ws.store, ref)
    assert.ok(paths.includes('also-settled'), ref)
    for (const path of paths.filter((each) => !each.includes('settled'))) {
      assert.is(tearIn(await textOf(ws, ref, path)), undefined, `${ref} ${path} is torn`)
    }
  }
  await ws.store.download(refs.at(-1) as string, ws.at('copy'))
  assert.equal(readTree(ws.at('copy')), readTree(dir))
  return true
}

test('10,000 changes a second, and a writer that never stops: no file of any version is torn', async () => {
  for (let attempt = 0; !(await runs()); attempt++)
    assert.ok(attempt < 5, 'the machine is too busy')
})

test.run()
