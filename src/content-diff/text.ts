/** Lines of text, as `diff -u` shows them: jsdiff's shortest edit script (Myers 1986). */
import type { Hunk, TextDifference } from './difference.ts'
import { type Gap, gapsOf } from './gaps.ts'
import { anchorsOf } from './shared.ts'
import { readAll, type Source } from './source.ts'
import { Unfit } from './unfit.ts'

/** A larger file is no text that a person reads line by line. */
const MAX_BYTES = 16 << 20
/** Lines added and removed that are looked for; the work grows with their square. */
const MAX_EDITS = 3_000
const MAX_EDITS_BETWEEN = 500
const CONTEXT = 3

/** @returns Unfit for files that are too large or not text. */
export async function compareTexts(before: Source, after: Source): Promise<TextDifference | Unfit> {
  if (before.size > MAX_BYTES || after.size > MAX_BYTES) return new Unfit('too large for lines')
  const a = readAll(before)
  const b = readAll(after)
  if (isBinary(a) || isBinary(b)) return new Unfit('not text')
  const [old, now, isLatin] = decode(a, b)
  const { diffArrays, structuredPatch } = await import('diff')
  const notes = isLatin ? ['Not UTF-8: read as Latin-1.'] : []
  const found = structuredPatch('', '', old, now, '', '', {
    context: CONTEXT,
    maxEditLength: MAX_EDITS,
  })
  const hunks =
    found === undefined
      ? byAnchors(old, now, diffArrays)
      : found.hunks.map((hunk) => ({
          beforeStart: hunk.oldStart,
          beforeLines: hunk.oldLines,
          afterStart: hunk.newStart,
          afterLines: hunk.newLines,
          lines: hunk.lines,
        }))
  if (found === undefined) {
    notes.push(`More than ${MAX_EDITS} lines differ: more than need be may be shown.`)
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

/**
 * Hunks of texts that differ too much for the shortest script. Lines that are once in each text, in the same order, belong
 * together (patience diff); between them the shortest script is looked for again.
 */
function byAnchors(before: string, after: string, diffArrays: DiffArrays): Hunk[] {
  const a = linesOf(before)
  const b = linesOf(after)
  const gaps: Gap[] = []
  let [i, j] = [0, 0]
  for (const [x, y] of [...anchorsOf(a, b), [a.length, b.length] as const]) {
    for (const gap of gapsBetween(a.slice(i, x), b.slice(j, y), diffArrays)) {
      gaps.push([i + gap[0], i + gap[1], j + gap[2], j + gap[3]])
    }
    i = x + 1
    j = y + 1
  }
  return hunksOf(a, b, gaps)
}

type DiffArrays = typeof import('diff').diffArrays

function gapsBetween(a: readonly string[], b: readonly string[], diffArrays: DiffArrays): Gap[] {
  const least = Math.min(a.length, b.length)
  let start = 0
  while (start < least && a[start] === b[start]) start++
  let end = 0
  while (end < least - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const [old, now] = [a.slice(start, a.length - end), b.slice(start, b.length - end)]
  if (old.length === 0 && now.length === 0) return []
  const parts = diffArrays(old, now, { maxEditLength: MAX_EDITS_BETWEEN })
  const gaps: Gap[] = parts === undefined ? [[0, old.length, 0, now.length]] : gapsOf(parts)
  return gaps.map(([i, iEnd, j, jEnd]) => [i + start, iEnd + start, j + start, jEnd + start])
}

/** Gaps whose contexts meet are one hunk. */
function hunksOf(a: readonly string[], b: readonly string[], gaps: readonly Gap[]): Hunk[] {
  const hunks: Hunk[] = []
  for (let from = 0, to = 0; from < gaps.length; from = to) {
    const [start, , startB] = gaps[from] as Gap
    const lead = Math.min(CONTEXT, start)
    const lines: string[] = []
    let at = start - lead
    let end = 0
    let endB = 0
    do {
      const [i, iEnd, j, jEnd] = gaps[to++] as Gap
      lines.push(...marked(' ', a.slice(at, i)))
      lines.push(...marked('-', a.slice(i, iEnd)), ...marked('+', b.slice(j, jEnd)))
      at = iEnd
      end = iEnd
      endB = jEnd
    } while (to < gaps.length && (gaps[to] as Gap)[0] - end <= 2 * CONTEXT)
    const tail = Math.min(CONTEXT, a.length - end)
    lines.push(...marked(' ', a.slice(end, end + tail)))
    const beforeLines = end + tail - (start - lead)
    const afterLines = endB + tail - (startB - lead)
    hunks.push({
      beforeStart: start - lead + (beforeLines > 0 ? 1 : 0),
      beforeLines,
      afterStart: startB - lead + (afterLines > 0 ? 1 : 0),
      afterLines,
      lines,
    })
  }
  return hunks
}

function marked(mark: string, lines: readonly string[]): string[] {
  return lines.flatMap((line) =>
    line.endsWith('\n') ? [mark + line.slice(0, -1)] : [mark + line, NO_NEWLINE],
  )
}

const NO_NEWLINE = '\\ No newline at end of file'

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}
