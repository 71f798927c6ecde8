/**
 * JSON that comes back as it was. `JSON.stringify` turns NaN into null, leaves out what is undefined and calls `toJSON`;
 * here all that is refused, by its place in the value.
 */
import { ArtifactsError } from '../errors.ts'
import type { Json } from '../types.ts'

/** Levels that a value may have. */
export const MAX_DEPTH = 500

/**
 * The JSON of `value`; `where` names it in errors.
 * @throws ArtifactsError ERR_INVALID_VALUE for what JSON can't hold.
 */
export function jsonText(value: unknown, where: string): string {
  return textOf(value, where, 0)
}

/** The value of a JSON text. @throws ArtifactsError ERR_INVALID_VALUE naming `where`. */
export function parseJson(text: string, where: string): Json {
  try {
    return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new ArtifactsError('ERR_INVALID_VALUE', `"${where}" is not JSON: ${error.message}.`, {
      cause: error,
      hint: 'Read its bytes instead of its value: `artifacts cat REF PATH`.',
    })
  }
}

/**
 * JSON as Python writes it, whose `json` knows infinite numbers; they come back as such. NaN comes back as the text that
 * stands for it in our own tables.
 */
export function parsePythonJson(text: string, where: string): Json {
  if (!/[^"\\\w](?:NaN|-?Infinity)/.test(text)) return parseJson(text, where)
  const mark = /"|NaN|Infinity/g
  let readable = ''
  let from = 0
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    const [word] = found
    if (word === '"') {
      mark.lastIndex = endOfString(text, found.index)
      continue
    }
    readable += text.slice(from, found.index) + WORDS[word as keyof typeof WORDS]
    from = mark.lastIndex
  }
  return parseJson(readable + text.slice(from), where)
}

/** No number is too large for the grammar of JSON. */
const WORDS = { NaN: '"NaN"', Infinity: '1e999' } as const

/** Where the text goes on behind the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end >= 0) {
    let slashes = 0
    while (text[end - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return end + 1
    end = text.indexOf('"', end + 1)
  }
  return text.length
}

const BYTE_ORDER_MARK = 0xfeff

function textOf(value: unknown, where: string, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      if (!Number.isFinite(value)) throw invalid(where, `${value} is no JSON`)
      return Object.is(value, -0) ? '-0' : String(value)
    case 'object':
      if (value === null) return 'null'
      if (depth === MAX_DEPTH) throw invalid(where, `it is over ${MAX_DEPTH} levels deep`)
      return Array.isArray(value) ? arrayText(value, where, depth) : recordText(value, where, depth)
    default:
      throw invalid(where, `${typeof value === 'bigint' ? 'a bigint' : typeof value} is no JSON`)
  }
}

function arrayText(items: readonly unknown[], where: string, depth: number): string {
  let text = '['
  // Not map(), which leaves out holes.
  for (let i = 0; i < items.length; i++) {
    text += `${i === 0 ? '' : ','}${textOf(items[i], `${where}[${i}]`, depth + 1)}`
  }
  return `${text}]`
}

function recordText(record: object, where: string, depth: number): string {
  const prototype = Object.getPrototypeOf(record)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    const name = record.constructor?.name ?? 'an object of a class'
    throw invalid(where, `${name} is no JSON`)
  }
  let text = '{'
  for (const [key, value] of Object.entries(record)) {
    const between = text === '{' ? '' : ','
    text += `${between}${JSON.stringify(key)}:${textOf(value, `${where}.${key}`, depth + 1)}`
  }
  return `${text}}`
}

function invalid(where: string, why: string): ArtifactsError {
  return new ArtifactsError('ERR_INVALID_VALUE', `"${where}" can't be stored: ${why}.`, {
    hint: 'Store null, text or a number in its place, or a table, which holds NaN, dates and bigints.',
  })
}
