/** Lines of text, as `diff -u` shows them: jsdiff's shortest edit script (Myers 1986). */
import type { Hunk, TextDifference } from './difference.ts'
import { readAll, type Source } from './source.ts'
import { Unfit } from './unfit.ts'

/** A larger file is no text that a person reads line by line. */
const MAX_BYTES = 16 << 20
/** Lines added and removed that are looked for; the work grows with their square. */
const MAX_EDITS = 3_000
const CONTEXT = 3

/** @returns Unfit for files that are too large or not text. */
export async function compareTexts(before: Source, after: Source): Promise<TextDifference | Unfit> {
  if (before.size > MAX_BYTES || after.size > MAX_BYTES) return new Unfit('too large for lines')
  const a = readAll(before)
  const b = readAll(after)
  if (isBinary(a) || isBinary(b)) return new Unfit('not text')
  const [old, now, isLatin] = decode(a, b)
  const { structuredPatch } = await import('diff')
  const notes = isLatin ? ['Not UTF-8: read as Latin-1.'] : []
  const found = structuredPatch('', '', old, now, '', '', {
    context: CONTEXT,
    maxEditLength: MAX_EDITS,
  })
  const hunks =
    found === undefined
      ? [replaced(old, now)]
      : found.hunks.map((hunk) => ({
          beforeStart: hunk.oldStart,
          beforeLines: hunk.oldLines,
          afterStart: hunk.newStart,
          afterLines: hunk.newLines,
          lines: hunk.lines,
        }))
  if (found === undefined) {
    notes.push(
      `More than ${MAX_EDITS} lines differ: shown as one block, from the first to the last.`,
    )
  }
  return { kind: 'text', added: count(hunks, '+'), removed: count(hunks, '-'), hunks, notes }
}

/** Whether a file is no text: it holds a zero byte, and no mark that says UTF-16. */
export function isBinary(bytes: Uint8Array): boolean {
  return encodingOf(bytes) === 'utf-8' && bytes.includes(0)
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
}

/** Both texts, and whether one is not what it says it is, so that both were read byte by byte. */
function decode(a: Uint8Array, b: Uint8Array): [string, string, boolean] {
  const read = (bytes: Uint8Array): string =>
    new TextDecoder(encodingOf(bytes), { fatal: true, ignoreBOM: true }).decode(bytes)
  try {
    return [read(a), read(b), false]
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const latin = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
    return [latin(a), latin(b), true]
  }
}

function count(hunks: readonly Hunk[], mark: '+' | '-'): number {
  let lines = 0
  for (const hunk of hunks) for (const line of hunk.lines) if (line.startsWith(mark)) lines++
  return lines
}

/** All from the first to the last line that differs, as one hunk. */
function replaced(before: string, after: string): Hunk {
  const a = linesOf(before)
  const b = linesOf(after)
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (
    end < Math.min(a.length, b.length) - start &&
    a[a.length - 1 - end] === b[b.length - 1 - end]
  ) {
    end++
  }
  const lead = Math.min(CONTEXT, start)
  const tail = Math.min(CONTEXT, end)
  const from = start - lead
  const marked = (mark: string, lines: readonly string[]): string[] =>
    lines.flatMap((line) =>
      line.endsWith('\n') ? [mark + line.slice(0, -1)] : [mark + line, NO_NEWLINE],
    )
  const [beforeEnd, afterEnd] = [a.length - end, b.length - end]
  return {
    beforeStart: beforeEnd + tail > from ? from + 1 : from,
    beforeLines: beforeEnd + tail - from,
    afterStart: afterEnd + tail > from ? from + 1 : from,
    afterLines: afterEnd + tail - from,
    lines: [
      ...marked(' ', a.slice(from, start)),
      ...marked('-', a.slice(start, beforeEnd)),
      ...marked('+', b.slice(start, afterEnd)),
      ...marked(' ', a.slice(beforeEnd, beforeEnd + tail)),
    ],
  }
}

const NO_NEWLINE = '\\ No newline at end of file'

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}
