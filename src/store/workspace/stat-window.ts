/**
 * A window is what becomes of one segment: the names from its first up to the next segment's first. A scan fills it with
 * the rows that it recorded; when nothing but clean rows came back, and all of them, the segment stays as it is. So one
 * new file in a directory of a million rewrites one segment.
 */
import { comparePaths } from '../tree/paths.ts'
import { WalkKind } from './batch.ts'
import type { FileClock } from './clock.ts'
import { type MatchedBatch, RowState } from './matched-batch.ts'
import { encodeSegment, SEGMENT_ROWS, TRUSTED } from './segment.ts'
import type { SegmentChange } from './stat-database.ts'

/** Nothing ends the window of a directory that had no segments: it is written in pieces. */
const PIECE_ROWS = 4 * SEGMENT_ROWS

export class StatWindow {
  readonly #directory: string
  /** First name of the segment that is to be replaced. */
  #first: string | undefined
  #segmentRows: number | undefined
  #unseen: Row[] = []
  #parts: Part[] = []
  #rows = 0
  #isDirty: boolean
  /** Set where rows stay that no walk comes by: whether their file still exists. */
  #isThere: ((name: string) => boolean) | undefined

  /** @param first name of its segment; undefined where there is none. */
  constructor(directory: string, first: string | undefined) {
    this.#directory = directory
    this.#first = first
    this.#isDirty = first === undefined
  }

  /** Tells how many rows its segment has. Without it the segment is replaced by the rows that are added. */
  expect(segmentRows: number): void {
    this.#segmentRows = segmentRows
  }

  /** Keeps the rows of the segment also where they are not added again, while their files exist. */
  keep(unseen: MatchedBatch, isThere: (name: string) => boolean): void {
    this.#isThere = isThere
    this.#unseen = unseen.batch.names.map((_, index) => ({ matched: unseen, index }))
  }

  /** Adds rows that follow those added before. Those without content are left out. */
  add(matched: MatchedBatch, from: number, to: number): void {
    for (let index = from; index < to; index++) {
      if (!isKept(matched, index)) continue
      this.#rows++
      if (matched.states[index] === RowState.fresh) this.#isDirty = true
    }
    this.#parts.push({ matched, from, to })
  }

  /** Returns what is to be written; undefined when that is nothing, or nothing yet. `isOver`: no more rows will come. */
  take(isOver: boolean, clock: FileClock): SegmentChange | undefined {
    if (!isOver && this.#rows < PIECE_ROWS) return undefined
    const isComplete = this.#isThere !== undefined || this.#rows === this.#segmentRows
    if (!this.#isDirty && isComplete) return undefined
    const rows = keptRows(this.#parts)
    const all = this.#unseen.length === 0 ? rows : this.#withUnseen(rows, isOver)
    const count = Math.ceil(all.length / SEGMENT_ROWS)
    const added: SegmentChange['added'][number][] = []
    for (let nth = 0, from = 0; nth < count; nth++) {
      const to = Math.round(((nth + 1) * all.length) / count)
      added.push(encodeRows(this.#directory, all.slice(from, to), clock))
      from = to
    }
    const removed = this.#first
    this.#first = undefined
    this.#isDirty = true
    this.#parts = []
    this.#rows = 0
    return removed === undefined && count === 0
      ? undefined
      : { directory: this.#directory, removed, added }
  }

  /** Takes the unseen rows that stand between these, and at the end those behind them. */
  #withUnseen(rows: readonly Row[], isOver: boolean): Row[] {
    const all: Row[] = []
    let at = 0
    const takeUnseen = (until: string | undefined): void => {
      for (; at < this.#unseen.length; at++) {
        const row = this.#unseen[at] as Row
        const order = until === undefined ? -1 : comparePaths(nameOf(row), until)
        if (order > 0) return
        if (order < 0 && this.#isThere?.(nameOf(row)) === true) all.push(row)
      }
    }
    for (const row of rows) {
      takeUnseen(nameOf(row))
      all.push(row)
    }
    if (isOver) takeUnseen(undefined)
    this.#unseen = this.#unseen.slice(at)
    return all
  }
}

interface Part {
  readonly matched: MatchedBatch
  readonly from: number
  readonly to: number
}

interface Row {
  readonly matched: MatchedBatch
  readonly index: number
}

function keptRows(parts: readonly Part[]): Row[] {
  const rows: Row[] = []
  for (const { matched, from, to } of parts) {
    for (let index = from; index < to; index++) {
      if (isKept(matched, index)) rows.push({ matched, index })
    }
  }
  return rows
}

/** A row that is still unsure was not looked at: nothing is known about it any more. */
function isKept({ batch, states }: MatchedBatch, index: number): boolean {
  return batch.kinds[index] === WalkKind.file && (states[index] as number) >= RowState.clean
}

function nameOf({ matched, index }: Row): string {
  return matched.batch.names[index] as string
}

function encodeRows(
  directory: string,
  rows: readonly Row[],
  clock: FileClock,
): SegmentChange['added'][number] {
  const segment = {
    directory,
    names: rows.map(nameOf),
    sizes: new Float64Array(rows.length),
    mtimes: new Float64Array(rows.length),
    ctimes: new Float64Array(rows.length),
    inodes: new Float64Array(rows.length),
    fingerprints: Buffer.alloc(rows.length * 8),
    ids: Buffer.alloc(rows.length * 32),
    flags: new Uint8Array(rows.length),
    inline: new Map<number, Uint8Array>(),
  }
  for (const [row, { matched, index }] of rows.entries()) {
    const { batch } = matched
    segment.sizes[row] = batch.sizes[index] as number
    segment.mtimes[row] = batch.mtimes[index] as number
    segment.ctimes[row] = batch.ctimes[index] as number
    segment.inodes[row] = batch.inodes[index] as number
    matched.fingerprints.copy(segment.fingerprints, row * 8, index * 8, index * 8 + 8)
    matched.ids.copy(segment.ids, row * 32, index * 32, index * 32 + 32)
    const inline = matched.inline.get(index)
    if (inline !== undefined) segment.inline.set(row, inline)
    const isTrusted = isTrustworthy(matched, index, clock)
    segment.flags[row] = (matched.contentKinds[index] as number) | (isTrusted ? TRUSTED : 0)
  }
  return { first: segment.names[0] as string, block: encodeSegment(segment) }
}

function isTrustworthy({ batch, states }: MatchedBatch, index: number, clock: FileClock): boolean {
  if (states[index] === RowState.clean) return true
  const [mtime, ctime] = [batch.mtimes[index] as number, batch.ctimes[index] as number]
  return states[index] === RowState.fresh && clock.isSettled(mtime, ctime, batch.device)
}
