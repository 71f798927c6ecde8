/**
 * Text that compresses as real text does: words with a Zipf distribution, a topic per document (real documents repeat
 * their own rare words), punctuation, and five kinds of document: prose, JSON lines, CSV, source code, logs. No block
 * is ever repeated.
 */
import { type Random, randomOf } from './random.ts'
import type { TextWriter } from './text-writer.ts'

export const DOCUMENT_KINDS: readonly DocumentKind[] = ['prose', 'json', 'csv', 'source', 'log']
export type DocumentKind = 'prose' | 'json' | 'csv' | 'source' | 'log'
export const EXTENSIONS: Readonly<Record<DocumentKind, string>> = {
  prose: '.md',
  json: '.jsonl',
  csv: '.csv',
  source: '.ts',
  log: '.log',
}

/** The longest line that any kind writes: what a writer needs beside the size asked for. */
export const LINE_LIMIT = 2048

/** Replaces the writer's text by a document of `size` bytes. */
export function writeDocument(
  out: TextWriter,
  kind: DocumentKind,
  size: number,
  random: Random,
): Buffer {
  const topic = Array.from({ length: 48 }, () => wordAt(COMMON.length + random(5000)))
  const word = (): string =>
    random(4) === 0 ? (topic[random(topic.length)] ?? '') : wordAt(ZIPF[random(ZIPF.length)] ?? 0)
  const line = LINES[kind]
  out.length = 0
  while (out.length < size) line(out, random, word, topic)
  return out.view(size)
}

/** One sentence of prose, for an edit inside a document. */
export function sentence(random: Random): string {
  const words = Array.from({ length: 6 + random(12) }, () => wordAt(ZIPF[random(ZIPF.length)] ?? 0))
  return `${words.join(' ')}. `
}

const VOCABULARY = 8192
const COMMON =
  'the of and to in a is that for it as was with be by on not he this are or his from at which but have an had they you were their one all we can her has there been if more when will would who so no'.split(
    ' ',
  )
const WORDS = vocabulary()
const ZIPF = zipfTable()

type Line = (out: TextWriter, random: Random, word: () => string, topic: readonly string[]) => void
const LINES: Readonly<Record<DocumentKind, Line>> = {
  prose: proseLine,
  json: jsonLine,
  csv: csvLine,
  source: sourceLine,
  log: logLine,
}

function proseLine(out: TextWriter, random: Random, word: () => string): void {
  if (random(12) === 0) out.text('\n## ')
  for (let left = 3 + random(4); left > 0; left--) {
    const first = word()
    out.text(first.charAt(0).toUpperCase() + first.slice(1))
    for (let words = 4 + random(14); words > 0; words--) {
      out.text(random(10) === 0 ? ', ' : ' ')
      out.text(word())
    }
    out.text(random(12) === 0 ? '? ' : '. ')
  }
  out.text('\n')
}

function jsonLine(
  out: TextWriter,
  random: Random,
  word: () => string,
  topic: readonly string[],
): void {
  out.text('{"id":')
  out.integer(random(1e9))
  for (let field = 0; field < 5; field++) {
    out.text(`,"${topic[field]}":`)
    if (field % 2 === 0) out.text(`"${word()} ${word()}"`)
    else fraction(out, random, 4)
  }
  out.text(random(2) === 0 ? ',"label":true}\n' : ',"label":false}\n')
}

function csvLine(out: TextWriter, random: Random, word: () => string): void {
  out.integer(random(1e6))
  out.text(',')
  out.text(word())
  out.text(',')
  fraction(out, random, 6)
  out.text(',')
  out.text(word())
  out.text(',')
  out.integer(random(5000))
  out.text('\n')
}

function sourceLine(
  out: TextWriter,
  random: Random,
  word: () => string,
  topic: readonly string[],
): void {
  const name = (): string => `${topic[random(12)]}${capital(word())}`
  out.text(`export function ${name()}(${word()}: number, ${word()}: string): string {\n`)
  for (let lines = 2 + random(7); lines > 0; lines--) {
    const target = name()
    if (random(3) === 0)
      out.text(`  if (${target} > ${random(1000)}) return ${name()}(${word()})\n`)
    else out.text(`  const ${target} = ${name()}(${word()}, '${word()}')\n`)
  }
  out.text(`  // ${word()} ${word()} ${word()} ${word()}\n  return ${name()}\n}\n\n`)
}

function logLine(out: TextWriter, random: Random, word: () => string): void {
  out.text('2026-03-')
  out.digits(1 + random(28), 2)
  out.text('T')
  out.digits(random(24), 2)
  out.text(':')
  out.digits(random(60), 2)
  out.text(':')
  out.digits(random(60), 2)
  out.text(random(8) === 0 ? 'Z WARN  ' : 'Z INFO  ')
  out.text(`${word()}.${word()} step=`)
  out.integer(random(1e6))
  out.text(' loss=')
  fraction(out, random, 5)
  out.text(` ${word()} ${word()}\n`)
}

function fraction(out: TextWriter, random: Random, digits: number): void {
  out.text('0.')
  out.digits(random(10 ** digits), digits)
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function wordAt(rank: number): string {
  return WORDS[rank] ?? ''
}

function vocabulary(): readonly string[] {
  const starts = 'b c d f g h l m n p r s t v w br ch cl dr fl gr pl pr sh st str th tr'.split(' ')
  const middles = 'a e i o u a e i o ai ea ee ie oo ou'.split(' ')
  const ends = 'n r s t l nd ng st ck m d ll ss rt  '.split(' ')
  const random = randomOf('vocabulary')
  const pick = (from: readonly string[]): string => from[random(from.length)] ?? ''
  const words = new Set(COMMON)
  while (words.size < VOCABULARY) {
    let word = ''
    for (let left = 1 + random(3); left > 0; left--) word += pick(starts) + pick(middles)
    words.add(word + pick(ends))
  }
  return [...words]
}

/** Ranks in proportion to 1 / (rank + 2.7), after Mandelbrot: one lookup draws a word. */
function zipfTable(): Uint16Array {
  const table = new Uint16Array(65_536)
  let total = 0
  for (let rank = 0; rank < VOCABULARY; rank++) total += 1 / (rank + 2.7)
  let sum = 0
  let at = 0
  for (let rank = 0; rank < VOCABULARY; rank++) {
    sum += 1 / (rank + 2.7)
    for (const end = Math.round((sum / total) * table.length); at < end; at++) table[at] = rank
  }
  return table
}
