/**
 * The outline of a document: the keys, types and sizes of its outer levels. A scanner of our own, because the document
 * may be much longer than what is read of it; it looks for the structure alone and takes numbers and words as they are.
 */
import { Unfit } from '../content-diff/unfit.ts'
import type { Previewed } from './preview.ts'

export interface ValuesPreview {
  readonly kind: 'values'
  /** Of lines of JSON, the outline is that of the first. */
  readonly format: 'json' | 'jsonl' | 'yaml'
  readonly packed?: 'gzip'
  readonly outline: Outline
}

export interface Outline {
  readonly type: 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'
  /** Members; of a cut document as many as were met. */
  readonly size?: number
  /** The document goes on where it was not read. */
  readonly isCut?: true
  /** A string's text, or a word or number as it is written; long ones are cut. */
  readonly text?: string
  /** The first members, of the outer levels. */
  readonly members?: readonly Member[]
}

export interface Member {
  /** In an object. */
  readonly key?: string
  readonly value: Outline
}

const READ_BYTES = 64 << 10
const LEVELS = 2
const MEMBERS = 12
const LONGEST_TEXT = 80

/** Undefined for what is no such document. */
export async function documentPreview(
  source: Previewed,
  format: ValuesPreview['format'],
): Promise<ValuesPreview | undefined> {
  const bytes = source.read(0, READ_BYTES)
  const isAll = bytes.length === source.size && source.isCut !== true
  // What is not UTF-8 is shown for what it is by others.
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\ufeff/, '')
  if (format === 'yaml') {
    if (!isAll) return undefined
    const { parseYaml } = await import('../content-diff/yaml.ts')
    const value = parseYaml(text, '')
    if (value instanceof Unfit) return undefined
    const outline = outlineOf(JSON.stringify(value), true)
    return outline && { kind: 'values', format, outline }
  }
  const end = format === 'jsonl' ? text.indexOf('\n') : -1
  const outline = end < 0 ? outlineOf(text, isAll) : outlineOf(text.slice(0, end), true)
  return outline && { kind: 'values', format, outline }
}

/**
 * The outline of a JSON text, or of its beginning.
 * @param isWhole false: the text goes on
 */
export function outlineOf(text: string, isWhole: boolean): Outline | undefined {
  const scanner = new Scanner(text)
  const outline = scanner.value(0)
  if (outline === undefined || !scanner.isAtEnd) return undefined
  return isWhole && outline.isCut === true ? undefined : outline
}

/** Steps through a text; what is no JSON gives undefined, what is cut is marked. */
class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Nothing but white space follows. */
  get isAtEnd(): boolean {
    this.#space()
    return this.#at === this.#text.length
  }

  value(level: number): Outline | undefined {
    this.#space()
    switch (this.#text[this.#at]) {
      case undefined:
        return undefined
      case '{':
        return this.#members('object', '}', level)
      case '[':
        return this.#members('array', ']', level)
      case '"':
        return this.#string()
      default:
        return this.#word()
    }
  }

  #members(type: 'object' | 'array', close: string, level: number): Outline | undefined {
    const members: Member[] = []
    let size = 0
    const made = (isCut: boolean): Outline => ({
      type,
      size,
      ...(isCut ? { isCut: true } : {}),
      ...(level < LEVELS ? { members } : {}),
    })
    this.#at++
    for (;;) {
      this.#space()
      if (this.#isOver) return made(true)
      if (this.#text[this.#at] === close && size === 0) break
      const member = this.#member(type, level)
      if (member === undefined) return this.#isOver ? made(true) : undefined
      size++
      if (members.length < MEMBERS && level < LEVELS) members.push(member)
      if (member.value.isCut === true && this.#isOver) return made(true)
      this.#space()
      if (this.#isOver) return made(true)
      const next = this.#text[this.#at]
      if (next === close) break
      if (next !== ',') return undefined
      this.#at++
    }
    this.#at++
    return made(false)
  }

  #member(type: 'object' | 'array', level: number): Member | undefined {
    if (type === 'array') {
      const value = this.#inner(level)
      return value && { value }
    }
    const key = this.#text[this.#at] === '"' ? this.#string() : undefined
    if (key === undefined || key.isCut === true) return undefined
    this.#space()
    if (this.#text[this.#at] !== ':') return undefined
    this.#at++
    const value = this.#inner(level)
    return value && { key: key.text ?? '', value }
  }

  /** Deep levels are stepped over: no depth of a document is one of the stack. */
  #inner(level: number): Outline | undefined {
    this.#space()
    const first = this.#text[this.#at]
    if (level < LEVELS || (first !== '{' && first !== '[')) return this.value(level + 1)
    const type = first === '{' ? 'object' : 'array'
    let depth = 0
    while (!this.#isOver) {
      const character = this.#text[this.#at]
      if (character === '"') {
        if (this.#string() === undefined) return undefined
        continue
      }
      if (character === '{' || character === '[') depth++
      if (character === '}' || character === ']') depth--
      this.#at++
      if (depth === 0) return { type }
    }
    return { type, isCut: true }
  }

  #string(): Outline | undefined {
    const start = this.#at
    for (this.#at++; !this.#isOver; this.#at++) {
      const character = this.#text[this.#at]
      if (character === '\\') this.#at++
      else if (character === '"') {
        this.#at++
        const text = textOf(this.#text.slice(start, this.#at))
        return text === undefined ? undefined : { type: 'string', text: shortened(text) }
      }
    }
    this.#at = this.#text.length
    return { type: 'string', text: shortened(this.#text.slice(start + 1)), isCut: true }
  }

  #word(): Outline | undefined {
    WORD.lastIndex = this.#at
    const text = WORD.exec(this.#text)?.[0]
    if (text === undefined) return undefined
    this.#at += text.length
    if (text === 'true' || text === 'false') return { type: 'boolean', text }
    if (text === 'null') return { type: 'null', text }
    if (NUMBER.test(text)) return { type: 'number', text: shortened(text) }
    return undefined
  }

  get #isOver(): boolean {
    return this.#at >= this.#text.length
  }

  #space(): void {
    SPACE.lastIndex = this.#at
    SPACE.test(this.#text)
    this.#at = Math.max(this.#at, SPACE.lastIndex)
  }
}

const WORD = /[-+.\w]+/y
/** With what Python writes beside numbers. */
const NUMBER = /^(-?\d[\d.eE+-]*|-?Infinity|NaN)$/
const SPACE = /[ \t\n\r]*/y

function textOf(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function shortened(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text
}
