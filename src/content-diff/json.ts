/**
 * JSON as it is written. JavaScript rounds what its numbers can't hold, and two numbers that differ would look the same:
 * such a number, and Python's NaN and Infinity, become marked texts before the text is parsed.
 */
import type { Json } from '../types.ts'
import { Unfit } from './unfit.ts'

/** Levels that a document may have. */
export const MAX_DEPTH = 500

/** Begins a text that stands for a number, so that it equals no text of the document. */
export type Mark = string

/** The value of a JSON text; Unfit where it is none. */
export function parseExactly(text: string, mark: Mark): Json | Unfit {
  const marked = markNumbers(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text, mark)
  if (marked instanceof Unfit) return marked
  try {
    return JSON.parse(marked) as Json
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return new Unfit(`it is not JSON (${error.message.slice(0, 200)})`)
  }
}

const BYTE_ORDER_MARK = 0xfeff

/** The value without its marks. */
export function unmarked(value: Json, mark: Mark): Json {
  if (typeof value === 'string') return value.startsWith(mark) ? value.slice(mark.length) : value
  if (Array.isArray(value)) return value.map((item) => unmarked(item, mark))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, unmarked(item as Json, mark)]),
  )
}

/** Looks at everything outside of strings, which is where numbers and brackets are. */
function markNumbers(text: string, mark: Mark): string | Unfit {
  let out = ''
  let copied = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) {
      at = endOfString(text, at)
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_DEPTH) return new Unfit(`it has more than ${MAX_DEPTH} levels`)
    } else if (code === 0x5d || code === 0x7d) {
      depth--
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39) || code === 0x4e || code === 0x49) {
      NUMBER.lastIndex = at
      const literal = NUMBER.exec(text)?.[0]
      // What is no number is left for the parser to refuse.
      if (literal === undefined) continue
      const end = at + literal.length
      if (!isExact(literal)) {
        out += `${text.slice(copied, at)}"${mark}${literal}"`
        copied = end
      }
      at = end - 1
    }
  }
  return copied === 0 ? text : out + text.slice(copied)
}

const NUMBER = /-?(?:\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,10})?|Infinity|NaN)/y

/** Where the closing quote is; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start; ; ) {
    at = text.indexOf('"', at + 1)
    if (at < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === 0x5c) slashes++
    if (slashes % 2 === 0) return at
  }
}

/** Whether JavaScript's number, written in its shortest form, has the same digits. */
function isExact(literal: string): boolean {
  if (literal.length < 16 && !/[eEIN]/.test(literal)) return true
  const value = Number(literal)
  return Number.isFinite(value) && decimal(String(value)) === decimal(literal)
}

/** Digits and power of ten, in one form for all ways to write them. */
function decimal(literal: string): string {
  const [, sign, whole, fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? []
  const all = `${whole}${fraction}`.replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  if (digits === '') return '0'
  return `${sign}${digits}e${Number(power) - fraction.length + all.length - digits.length}`
}
