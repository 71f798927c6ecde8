/** Runs the programs in examples/ and compares what they print with what they say they print. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { writeTree } from './support/files.ts'
import { temporaryDirectory } from './support/temp.ts'

const test = suite('examples')
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** What the documents that the examples come from assume to be in the current directory. */
const FILES = {
  'checkpoints/model.h5': 'checkpoint',
  'data_samples/sample.json': '{"bikes":["red","green"]}\n',
  'dataset/bikes.csv': 'id,color\n1,red\n',
  'dataset/notes.txt': 'Bikes.\n',
  'hello.txt': 'hello!',
  'images/cat.png': 'cat',
  'images/dog.png': 'dog',
  'model.h5': 'weights',
}

for (const name of readdirSync(join(ROOT, 'examples')).filter((each) => each.endsWith('.ts'))) {
  const source = readFileSync(join(ROOT, 'examples', name), 'utf8')
  const [, expected] = /^\/\* prints\n(.*)^\*\/$/ms.exec(source) ?? []
  // A program without it is part of another one.
  if (expected === undefined) continue
  test(`${name} prints what it says`, async () => {
    await using dir = await temporaryDirectory()
    writeTree(dir.path, FILES)
    const program = join(ROOT, 'build/examples', name.replace(/\.ts$/, '.js'))
    const printed = execFileSync(process.execPath, [program], { cwd: dir.path, encoding: 'utf8' })
    assert.fixture(printed, expected)
  })
}

test('examples/README.md has a line for each program', () => {
  const listed = readFileSync(join(ROOT, 'examples/README.md'), 'utf8')
  for (const name of readdirSync(join(ROOT, 'examples')).filter((each) => each.endsWith('.ts'))) {
    assert.ok(listed.includes(`| [${name}](${name}) |`), name)
  }
})

test.run()
