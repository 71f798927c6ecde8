/** The first lines of a text in UTF-8, or UTF-16 with its mark. */
import { isBinary } from '../content-diff/text.ts'
import type { Previewed, PreviewLimits } from './preview.ts'

export interface TextPreview {
  readonly kind: 'text'
  readonly packed?: 'gzip'
  /** Without their ends; long ones are cut. */
  readonly lines: readonly string[]
  /** There is more. */
  readonly isCut: boolean
}

const HEAD_BYTES = 8192
const LONGEST_LINE = 200

/** Undefined for what is no text. */
export function textPreview(source: Previewed, limits: PreviewLimits): TextPreview | undefined {
  const head = source.read(0, HEAD_BYTES)
  if (isBinary(head)) return undefined
  const isAll = head.length === source.size
  const text = decoded(head, isAll)
  if (text === undefined) return undefined
  const all = text.split(/\r\n|\n|\r/)
  // What stands behind the last end of line is a line only if there is something.
  if (all.at(-1) === '') all.pop()
  const lines = all.slice(0, limits.lines)
  const isCut = !isAll || source.isCut === true || lines.length < all.length
  return { kind: 'text', lines: lines.map(shortened), isCut }
}

function shortened(line: string): string {
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line
}

/** A character that the head ends in is left out. */
function decoded(bytes: Uint8Array, isAll: boolean): string | undefined {
  const mark = Buffer.from(bytes.subarray(0, 2)).toString('hex')
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: !isAll })
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
