/** Objects of the native module that nobody holds any more do not end the process when they are collected. */
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('commonjs')

/** Young objects are collected between turns of the event loop, where no code of a program runs. */
const PROGRAM = `
import { Database } from '${new URL('../../src/store/commonjs.js', import.meta.url).href}'
import { setTimeout } from 'node:timers/promises'
function use() {
  const database = new Database(':memory:')
  for (const row of database.prepare('SELECT 1 AS one UNION SELECT 2').iterate()) void row
  database.close()
}
let junk
for (let round = 0; round < 60; round++) {
  for (let i = 0; i < 10; i++) use()
  junk = Array.from({ length: 200_000 }, (_, i) => ({ i }))
  await setTimeout(1)
}
console.log('done', junk.length)
`

test('databases, statements and iterators can be collected', () => {
  const argv = ['--input-type=module', '-e', PROGRAM]
  const { status, signal, stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  assert.equal([status, signal, stdout], [0, null, 'done 200000\n'])
})

test.run()
