import { readFileSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT_CODES as LISTED } from '../../src/cli/help.ts'
import { EXIT_CODES } from '../../src/errors.ts'
import { reference } from './reference.ts'

const test = suite('docs')

const BEGIN =
  '<!-- made from the program by test/cli/docs.test.ts; UPDATE_DOCS=1 writes it anew -->\n\n'
/** Codes that only the command line uses. */
const CLI_CODES = ['ERR_INTERRUPTED', 'ERR_BUG']

test('docs/cli.md holds the reference that the program gives', async () => {
  const text = readFileSync('docs/cli.md', 'utf8')
  const start = text.indexOf(BEGIN)
  assert.ok(start > 0, 'the mark is missing')
  const head = text.slice(0, start + BEGIN.length)
  const wanted = `${head}${await reference()}\n`
  if (process.env['UPDATE_DOCS']) writeFileSync('docs/cli.md', wanted)
  else assert.is(text, wanted)
})

test('docs/errors.md has a heading for each code and no other', () => {
  const text = readFileSync('docs/errors.md', 'utf8')
  const headings = [...text.matchAll(/^## (\S+)/gm)].map(([, code]) => code)
  assert.equal(headings, [...Object.keys(EXIT_CODES), ...CLI_CODES])
})

test('docs/errors.md names the exit code of each error', () => {
  const text = readFileSync('docs/errors.md', 'utf8')
  for (const [code, exit] of Object.entries(EXIT_CODES)) {
    const [, said] = new RegExp(`^## ${code} \\(exit (\\d+)\\)$`, 'm').exec(text) ?? []
    assert.is(said, String(exit), code)
  }
})

test('every exit code that an error ends with is listed in help', () => {
  const listed = LISTED.map(([code]) => code)
  for (const code of Object.values(EXIT_CODES)) assert.ok(listed.includes(code), `${code}`)
})

test.run()
