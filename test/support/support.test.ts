import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../src/store/io/io.ts'
import { forEachCall } from './crash.ts'
import { readTree, shownTree, type Tree, writeTree } from './files.ts'
import { seededRandom } from './random.ts'
import { temporaryDirectory } from './temp.ts'

const test = suite('support')

test('a tree is read as it was written', async () => {
  await using dir = await temporaryDirectory()
  const tree: Tree = {
    'b/text.txt': 'text',
    'b/run.sh': { content: '#!/bin/sh\n', mode: 0o755 },
    'a.bin': seededRandom(1).bytes(10_000),
    'not-utf8': Buffer.from([0xff]),
    link: { symlink: 'b/text.txt' },
    empty: null,
    'ü/ö': '',
  }
  writeTree(dir.path, tree)
  const read = readTree(dir.path)
  assert.equal(read, shownTree(tree))
  assert.equal(Object.keys(read), [
    'a.bin',
    'b/run.sh',
    'b/text.txt',
    'empty',
    'link',
    'not-utf8',
    'ü/ö',
  ])
  assert.match(String(read['a.bin']), /^sha256:[0-9a-f]{64} \(10000 bytes\)$/)
})

test('the same seed gives the same bytes, another one others', () => {
  assert.equal(seededRandom(1).bytes(33), seededRandom(1).bytes(33))
  assert.not.equal(seededRandom(1).bytes(33), seededRandom(2).bytes(33))
  const text = seededRandom(1).text(1000)
  assert.is(text.length, 1000)
  assert.match(text, /^[a-z \n]+$/)
  const numbers = Array.from({ length: 1000 }, seededRandom(1).next)
  assert.ok(numbers.every((number) => number >= 0 && number < 1))
  const mean = numbers.reduce((sum, number) => sum + number, 0) / 1000
  assert.ok(Math.abs(mean - 0.5) < 0.05)
})

test('the matrix names the point at which a check failed', async () => {
  const io = createIo({ durability: 'power' })
  const matrix = {
    prepare: (directory: string) => writeTree(directory, { a: '' }),
    run: (directory: string) => io.unlink(join(directory, 'a')),
    faults: [{ do: 'fail', code: 'EROFS' }],
    check: (directory: string) => assert.not.ok(fs.existsSync(join(directory, 'a')), 'still there'),
  } as const
  try {
    await forEachCall(matrix)
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /"EROFS".* at call 1 \(unlink .*\/a\): .*still there/)
  }
})

test('the matrix notices an operation that is not the same each time', async () => {
  const io = createIo({ durability: 'power' })
  let runs = 0
  const matrix = {
    prepare: () => {},
    run: (directory: string) => runs++ === 0 && io.mkdir(join(directory, 'a')),
    faults: [{ do: 'die', when: 'before' }],
    check: () => {},
  } as const
  try {
    await forEachCall(matrix)
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /never made/)
  }
})

test.run()
