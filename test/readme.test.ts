/** Runs what README.md shows: every command of its console blocks, and its program. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryDirectory } from './support/temp.ts'

const test = suite('README.md')
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const BIN = fileURLToPath(new URL('../src/cli/bin.js', import.meta.url))
const INDEX = new URL('../src/index.js', import.meta.url).href

function blocks(language: string): string[] {
  const found = README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))
  return Array.from(found, ([, text = '']) => text)
}

function makeData(dir: string): void {
  mkdirSync(join(dir, 'data'))
  writeFileSync(join(dir, 'data/bikes.csv'), 'id,color\n1,red\n2,green\n')
  writeFileSync(join(dir, 'data/notes.txt'), `${'Bikes seen at the bridge. '.repeat(20)}\n`)
}

test('every command of the tour, and then of two machines, prints what it shows', async () => {
  const [tour = '', machines = ''] = blocks('console')
  await using dir = await temporaryDirectory()
  makeData(dir.path)
  const shell = `artifacts() { '${process.execPath}' '${BIN}' "$@"; }\n`
  const steps = [tour, machines].flatMap((block) => block.split(/^\$ /m).slice(1))
  assert.ok(steps.length > 20, 'both have steps')
  for (const step of steps) {
    const [command = '', ...expected] = step.trimEnd().split('\n')
    const output = execFileSync('bash', ['-c', `exec 2>&1; ${shell}${command}`], {
      cwd: dir.path,
      encoding: 'utf8',
    })
    for (const line of expected) {
      const pattern = line
        .split('…')
        .map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      const isThere = output
        .split('\n')
        .some((each) => new RegExp(`^${pattern.join('.*')}$`).test(each.trim()))
      assert.ok(isThere, `"${command}" prints "${line}", not:\n${output}`)
    }
  }
})

test('the program of the tour runs', async () => {
  const [program = ''] = blocks('ts')
  await using dir = await temporaryDirectory()
  makeData(dir.path)
  const file = join(dir.path, 'program.mjs')
  writeFileSync(file, program.replace("'artifacts'", `'${INDEX}'`))
  const output = execFileSync(process.execPath, [file], { cwd: dir.path, encoding: 'utf8' })
  assert.is(output, 'bikes.csv\nnotes.txt\n')
})

test.run()
