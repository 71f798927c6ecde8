/** Files that hold a value: JSON and YAML. */
import { randomUUID } from 'node:crypto'
import type { Json } from '../types.ts'
import type { ValuesDifference } from './difference.ts'
import { type Mark, parseExactly } from './json.ts'
import { readAll, type Source } from './source.ts'
import { Unfit } from './unfit.ts'
import { compareValues } from './values.ts'

/** JSON takes about ten times as much memory as its text, a document of the package `yaml` several hundred times. */
const MAX_BYTES = { json: 32 << 20, yaml: 1 << 20 }

/** @returns Unfit for files that are too large or not of the format. */
export async function compareDocuments(
  before: Source,
  after: Source,
  format: 'json' | 'yaml',
  limit: number,
): Promise<ValuesDifference | Unfit> {
  if (Math.max(before.size, after.size) > MAX_BYTES[format]) {
    return new Unfit(`it is larger than ${MAX_BYTES[format] >> 20} MiB`)
  }
  // Nobody who writes a document can know it.
  const mark = `\u{f0000}${randomUUID()} `
  const parse = format === 'json' ? parseExactly : (await import('./yaml.ts')).parseYaml
  const a = parseText(before, parse, mark)
  if (a instanceof Unfit) return a
  const b = parseText(after, parse, mark)
  if (b instanceof Unfit) return b
  return compareValues(a, b, { format, mark, limit })
}

function parseText(
  source: Source,
  parse: (text: string, mark: Mark) => Json | Unfit,
  mark: Mark,
): Json | Unfit {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readAll(source))
  } catch (error) {
    if (error instanceof TypeError) return new Unfit('it is not UTF-8')
    throw error
  }
  return parse(text, mark)
}
