/** Objects of the native module that nobody holds any more do not end the process when they are collected. */
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('commonjs')

const PROGRAM = `
import { Database } from '${new URL('../../src/store/commonjs.js', import.meta.url).href}'
import { setImmediate } from 'node:timers/promises'
function use() {
  const database = new Database(':memory:')
  for (const row of database.prepare('SELECT 1 AS one UNION SELECT 2').iterate()) void row
  database.close()
}
for (let round = 0; round < 20; round++) {
  use()
  globalThis.gc()
  await setImmediate()
}
console.log('done')
`

test('databases, statements and iterators can be collected', () => {
  const argv = ['--expose-gc', '--input-type=module', '-e', PROGRAM]
  const { status, signal, stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  assert.equal([status, signal, stdout], [0, null, 'done\n'])
})

test.run()
