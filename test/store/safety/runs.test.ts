/** Twenty processes log to one store at once, each with its run: every edge and every version is there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { writeTree } from '../../support/files.ts'
import type { Told } from './run-child.ts'
import { isFull, newWorkspace, readAll } from './workspace.ts'

const test = suite('runs of many processes')

const PROCESSES = 20
const ROUNDS = isFull ? 20 : 3
const CHILD = fileURLToPath(new URL('./run-child.js', import.meta.url))

async function child(...args: readonly string[]): Promise<Told> {
  const process_ = spawn(process.execPath, [CHILD, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [out, [code]] = await Promise.all([text(process_.stdout), once(process_, 'close')])
  assert.is(code, 0)
  return JSON.parse(out) as Told
}

test(`${PROCESSES} processes, ${ROUNDS} rounds`, async () => {
  await using workspace = await newWorkspace()
  const base = join(workspace.path, 'base')
  writeTree(base, { f: 'base' })
  const { id } = await workspace.run((store) => store.commit([base], { name: 'base' }))
  const names = Array.from({ length: PROCESSES }, (_, i) => `p${i}`)
  const told = await Promise.all(names.map((name) => child(workspace.path, name, String(ROUNDS))))
  // The index is made anew, from the log alone.
  rmSync(join(workspace.root, 'index'))
  await workspace.run(async (store) => {
    for (const { run: runId, used, logged } of told) {
      const run = await store.run(runId)
      assert.is(run.state, 'finished')
      const edges = run.edges()
      assert.equal(
        edges.filter(({ direction }) => direction === 'input').map((edge) => edge.id),
        used,
      )
      assert.ok(used.every((version) => version === id))
      // The same content under the same name counts once.
      const expected = new Map(logged.map(([version, slot]) => [`${version} ${slot}`, slot]))
      const outputs = edges.filter(({ direction }) => direction === 'output')
      assert.equal(
        outputs.map((edge) => `${edge.id} ${edge.slot}`).sort(),
        [...expected.keys()].sort(),
      )
      for (const [version, , content] of logged)
        assert.is(readAll(store, `@${version}`, 'f').toString(), content)
    }
    const all: string[] = []
    for await (const run of store.runs({ group: 'all' })) all.push(run.id)
    assert.equal(all.sort(), told.map(({ run }) => run).sort())
    assert.is(store.versions('shared').length, PROCESSES * ROUNDS)
    assert.is(store.versions('same').length, 1)
    const numbers = store.versions('shared').map(({ version }) => version)
    assert.is(new Set(numbers).size, numbers.length)
  })
})

test.run()
