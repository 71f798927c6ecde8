import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareContents } from '../../src/content-diff/compare.ts'
import type { TextDifference } from '../../src/content-diff/difference.ts'
import { seededRandom } from '../support/random.ts'
import { OPTIONS, sourceOf } from './sources.ts'

const test = suite('text differences')

async function differ(
  before: string | Uint8Array,
  after: string | Uint8Array,
): Promise<TextDifference> {
  const found = await compareContents(sourceOf(before), sourceOf(after), OPTIONS)
  if (found.kind !== 'text') throw new Error(`Compared as ${found.kind}.`)
  return found
}

function patchOf({ hunks }: TextDifference): string {
  const body = hunks.map(
    ({ beforeStart, beforeLines, afterStart, afterLines, lines }) =>
      `@@ -${beforeStart},${beforeLines} +${afterStart},${afterLines} @@\n${lines.join('\n')}\n`,
  )
  return `--- a\n+++ a\n${body.join('')}`
}

/** What GNU patch makes of the text. */
function patched(folder: string, before: string, patch: string): string {
  writeFileSync(join(folder, 'a'), before)
  const { status, stderr, stdout } = spawnSync('patch', ['-s', '--binary', 'a'], {
    cwd: folder,
    input: patch,
  })
  if (status !== 0) throw new Error(`${stdout}${stderr}${patch}`)
  return readFileSync(join(folder, 'a'), 'utf8')
}

const line = fc.constantFrom('a', 'b', 'c', 'dd', '', ' e', '\\ f', '+g', '-h', '@@ i', 'ü\r')
const text = fc
  .tuple(fc.array(line, { maxLength: 30 }), fc.boolean())
  .map(([lines, isEnded]) => lines.join('\n') + (isEnded && lines.length > 0 ? '\n' : ''))

test('GNU patch makes the new text of the old one, and GNU diff finds no shorter way', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'text-'))
  await fc.assert(
    fc.asyncProperty(text, text, async (before, after) => {
      fc.pre(before !== after)
      const found = await differ(before, after)
      assert.is(patched(folder, before, patchOf(found)), after)
      writeFileSync(join(folder, 'a'), before)
      writeFileSync(join(folder, 'b'), after)
      const gnu = spawnSync('diff', ['-u', '--minimal', '--text', 'a', 'b'], { cwd: folder })
      const lines = gnu.stdout.toString().split('\n').slice(2)
      assert.is(found.added, lines.filter((one) => one.startsWith('+')).length)
      assert.is(found.removed, lines.filter((one) => one.startsWith('-')).length)
    }),
    { numRuns: 80 },
  )
})

test('texts with too many differences are split at lines that are once in each', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'text-'))
  const random = seededRandom(11)
  const lines = Array.from({ length: 12_000 }, (_, i) => (i % 3 === 0 ? '}' : `line ${i}`))
  for (const isEnded of [true, false]) {
    const edited = lines.flatMap((line, i) => {
      if (i % 3 !== 1) return [line]
      return random.pick([[`other ${i}`], [], [line, 'more', `and ${i}`], [line]])
    })
    const [before, after] = [lines, edited].map((all) => all.join('\n') + (isEnded ? '\n' : ''))
    const found = await differ(before as string, after as string)
    assert.match(found.notes.join(), 'More than 3000 lines differ')
    assert.is(patched(folder, before as string, patchOf(found)), after)
    const unchanged = lines.filter((_, i) => i % 3 === 2).length
    assert.ok(found.removed < lines.length - unchanged, `${found.removed} lines removed`)
  }
})

test('texts that have no line in common are one block', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'text-'))
  const text = (of: string): string =>
    Array.from({ length: 4000 }, (_, i) => `${of}${i}\n`).join('')
  const [before, after] = [`one\none\n${text('old')}one`, `one\none\n${text('new')}one`]
  const found = await differ(before, after)
  assert.equal([found.hunks.length, found.added], [1, 4000])
  assert.is(patched(folder, before, patchOf(found)), after)
})

test('bytes that are not UTF-8 are compared as they are, UTF-16 by its mark', async () => {
  const found = await differ(Buffer.from([0xe4, 10, 65]), Buffer.from([0xe5, 10, 65]))
  assert.equal([found.added, found.removed], [1, 1])
  assert.match(found.notes.join(), 'Latin-1')
  const wide = await differ(
    Buffer.from('\ufeffa\nb\n', 'utf16le'),
    Buffer.from('\ufeffa\nc\n', 'utf16le'),
  )
  assert.equal(wide.hunks[0]?.lines, [' \ufeffa', '-b', '+c'])
})

test('what is no text is compared by its chunks, and so is what is too large', async () => {
  const binary = await compareContents(sourceOf('a\0b'), sourceOf('a\0c'), OPTIONS)
  assert.is(binary.kind, 'bytes')
  const tail = 'the same end of both files, in many chunks, '.repeat(20)
  const found = await compareContents(sourceOf(`\0one${tail}`), sourceOf(`\0two.${tail}`), OPTIONS)
  if (found.kind !== 'bytes') throw new Error(found.kind)
  assert.is(found.after.size, 5 + tail.length)
  assert.ok(found.after.own >= 4 && found.after.own < 100, `${found.after.own}`)
  const large = { ...sourceOf('x'), size: 2 ** 40, read: () => Buffer.from('x') }
  assert.is((await compareContents(large, large, OPTIONS)).kind, 'bytes')
})

test.run()
