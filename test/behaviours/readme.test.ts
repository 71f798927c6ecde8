/** The table of behaviours: it has no gap, and every test that it names is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('behaviours: readme')

const HERE = join(import.meta.dirname, '../../../test/behaviours')
const ROWS = readFileSync(join(HERE, 'README.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split(' | '))

test('behaviours are numbered without a gap, and none is without an answer', () => {
  assert.equal(
    ROWS.map(([number]) => Number(number?.slice(2))),
    ROWS.map((_, index) => index + 1),
  )
  for (const [number, behaviour = '', answer = '', ...rest] of ROWS) {
    assert.equal(rest, [], number)
    assert.ok(behaviour.length > 10, number)
    assert.match(answer, /\]\(|Not here: /, number)
  }
})

test('every test that is named is there', () => {
  for (const [number, , answer = ''] of ROWS) {
    for (const [, title = '', file = ''] of answer.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)) {
      assert.ok(existsSync(join(HERE, file)), `${number}: ${file}`)
      const text = readFileSync(join(HERE, file), 'utf8').replaceAll("\\'", "'")
      assert.ok(text.includes(title), `${number}: "${title}" in ${file}`)
    }
  }
})

test('every test of this folder is named', () => {
  const named = readFileSync(join(HERE, 'README.md'), 'utf8')
  for (const name of readdirSync(HERE)) {
    if (name.endsWith('.test.ts') && name !== 'readme.test.ts') assert.match(named, `(${name})`)
  }
})

test.run()
