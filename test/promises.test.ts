/** docs/coming-from-wandb-and-clearml.md: every promise has a row, and what a row names is there. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('docs/coming-from-wandb-and-clearml.md')
const DOCUMENT = readFileSync('docs/coming-from-wandb-and-clearml.md', 'utf8')
const PROMISES = 254

/** Number, there, here, shown by, difference. */
const rows = Array.from(DOCUMENT.matchAll(/^\| (\d+ \|.*) \|$/gm), ([, cells = '']) =>
  cells.split(/(?<!\\)\|/).map((cell) => cell.trim()),
)

test('has a row for each promise, in order', () => {
  assert.equal(
    rows.map(([number]) => Number(number)),
    Array.from({ length: PROMISES }, (_, index) => index + 1),
  )
})

test('leaves no cell empty', () => {
  for (const row of rows) {
    assert.is(row.length, 5, row.join(' | '))
    for (const cell of row) assert.ok(cell !== '', row.join(' | '))
  }
})

test('names a test or an example for each, or says that it is not yet there, and why', () => {
  for (const [number, , here = '', shown = '', difference = ''] of rows) {
    if (shown === 'none') {
      assert.ok(here.startsWith('not yet') && difference.length > 10, `row ${number}`)
    } else {
      assert.match(shown, /^\[/, `row ${number}`)
    }
  }
})

test('names tests that exist', () => {
  const sources = new Map<string, string>()
  const sourceOf = (path: string): string => {
    const source = sources.get(path) ?? plain(readFileSync(path, 'utf8'))
    sources.set(path, source)
    return source
  }
  for (const [number, , , shown = ''] of rows) {
    for (const part of shown === 'none' ? [] : shown.split(/; (?=\[)/)) {
      const [, link = '', title] = /^\[[^\]]+\]\(\.\.\/([^)]+)\)(?:: (.+))?$/.exec(part) ?? []
      assert.ok(existsSync(join(process.cwd(), link)), `row ${number}: "${part}"`)
      if (title !== undefined) {
        assert.ok(sourceOf(link).includes(plain(title)), `row ${number}: no test "${title}"`)
      } else {
        assert.match(link, /^examples\//, `row ${number}: "${part}" names no test`)
      }
    }
  }
})

/** As it is read, whatever quotes stand around it. */
function plain(text: string): string {
  return text.replaceAll('\\', '')
}

test.run()
