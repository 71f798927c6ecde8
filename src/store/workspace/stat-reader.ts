/** What the stat cache remembers of one directory, read along with a walk: one segment is in memory at a time. */
import { comparePaths } from '../tree/paths.ts'
import { WalkKind } from './batch.ts'
import type { FileClock } from './clock.ts'
import { MatchedBatch, RowState } from './matched-batch.ts'
import { decodeSegment, KIND_MASK, type Segment, TRUSTED } from './segment.ts'
import type { StatDatabase } from './stat-database.ts'
import { StatWindow } from './stat-window.ts'

/** Neighbouring rows of a batch that lie in one window. */
export interface WindowPart {
  readonly window: StatWindow
  readonly from: number
  /** Not included. */
  readonly to: number
}

export class StatReader {
  readonly directory: string
  readonly #database: StatDatabase
  readonly #key: string
  readonly #isThere: ((name: string) => boolean) | undefined
  readonly #firsts: readonly string[]
  #at = 0
  #window: StatWindow
  #segment: Segment | undefined
  #isRead = false
  #row = 0

  /**
   * @param directory entry path
   * @param key under which the database knows it
   * @param isThere for a walk that leaves out files: whether one exists. What the walk does not come by is kept then
   */
  constructor(
    database: StatDatabase,
    directory: string,
    key: string,
    isThere: ((name: string) => boolean) | undefined,
  ) {
    this.directory = directory
    this.#database = database
    this.#key = key
    this.#isThere = isThere
    this.#firsts = database.firsts(key)
    this.#window = new StatWindow(key, this.#firsts[0])
  }

  /** Fills in what is known of the files of a batch, which follow those of the batch before. */
  match(matched: MatchedBatch, clock: FileClock, closed: StatWindow[]): WindowPart[] {
    const { names, kinds, length } = matched.batch
    const parts: WindowPart[] = []
    let from = 0
    const run = { row: 0, index: 0, length: 0 }
    const endRun = (): void => {
      if (this.#segment !== undefined) copyRows(this.#segment, matched, run, clock)
      run.length = 0
    }
    for (let index = 0; index < length; index++) {
      if (kinds[index] !== WalkKind.file) continue
      const name = names[index] as string
      while (this.#isBehindWindow(name)) {
        endRun()
        if (index > from) parts.push({ window: this.#window, from, to: index })
        from = index
        this.#nextWindow(closed)
      }
      const row = this.#find(name)
      if (row === undefined) continue
      if (row !== run.row + run.length || index !== run.index + run.length) {
        endRun()
        run.row = row
        run.index = index
      }
      run.length++
    }
    endRun()
    if (length > from) parts.push({ window: this.#window, from, to: length })
    return parts
  }

  /** Hands on the windows that no more rows will come for. */
  close(closed: StatWindow[]): void {
    while (this.#at + 1 < this.#firsts.length) this.#nextWindow(closed)
    this.#leaveWindow(closed)
  }

  #isBehindWindow(name: string): boolean {
    const next = this.#firsts[this.#at + 1]
    return next !== undefined && comparePaths(name, next) >= 0
  }

  #nextWindow(closed: StatWindow[]): void {
    this.#leaveWindow(closed)
    this.#at++
    this.#window = new StatWindow(this.#key, this.#firsts[this.#at])
    this.#segment = undefined
    this.#isRead = false
  }

  #leaveWindow(closed: StatWindow[]): void {
    if (this.#isRead || this.#isThere === undefined) closed.push(this.#window)
  }

  #find(name: string): number | undefined {
    if (!this.#isRead) this.#readSegment()
    if (this.#segment === undefined) return undefined
    const { names } = this.#segment
    for (; this.#row < names.length; this.#row++) {
      const known = names[this.#row] as string
      if (known === name) return this.#row++
      if (comparePaths(known, name) > 0) return undefined
    }
    return undefined
  }

  #readSegment(): void {
    this.#isRead = true
    this.#row = 0
    const first = this.#firsts[this.#at]
    const block = first === undefined ? undefined : this.#database.read(this.#key, first)
    this.#segment = block === undefined ? undefined : decodeSegment(block, this.#key)
    if (this.#segment === undefined) return
    this.#window.expect(this.#segment.names.length)
    if (this.#isThere !== undefined) this.#window.keep(allRows(this.#segment), this.#isThere)
  }
}

/** Rows of a segment that are neighbours in the batch too. */
interface Run {
  readonly row: number
  readonly index: number
  readonly length: number
}

function copyRows(segment: Segment, matched: MatchedBatch, run: Run, clock: FileClock): void {
  const { row, index, length } = run
  const { fingerprints, ids, flags, inline } = segment
  matched.fingerprints.set(fingerprints.subarray(row * 8, (row + length) * 8), index * 8)
  matched.ids.set(ids.subarray(row * 32, (row + length) * 32), index * 32)
  for (let nth = 0; nth < length; nth++) {
    matched.contentKinds[index + nth] = (flags[row + nth] as number) & KIND_MASK
    matched.states[index + nth] = stateOf(segment, row + nth, matched, index + nth, clock)
    const bytes = inline.size === 0 ? undefined : inline.get(row + nth)
    if (bytes !== undefined) matched.inline.set(index + nth, bytes)
  }
}

/**
 * Trusted rows are settled when they are written. They are held against today's clock once more for one that was set
 * back: then a file may get the same times a second time.
 */
function stateOf(
  segment: Segment,
  row: number,
  { batch }: MatchedBatch,
  index: number,
  clock: FileClock,
): number {
  if (segment.sizes[row] !== batch.sizes[index]) return RowState.unknown
  const mtime = batch.mtimes[index] as number
  const ctime = batch.ctimes[index] as number
  return ((segment.flags[row] as number) & TRUSTED) !== 0 &&
    segment.mtimes[row] === mtime &&
    segment.ctimes[row] === ctime &&
    segment.inodes[row] === batch.inodes[index] &&
    clock.isSettled(mtime, ctime, batch.device)
    ? RowState.clean
    : RowState.unsure
}

/** The rows of a segment as if they had been recorded: those that are not trusted are still not. */
function allRows(segment: Segment): MatchedBatch {
  const { directory, names, sizes, mtimes, ctimes, inodes, fingerprints, ids, flags, inline } =
    segment
  const { length } = names
  const matched = new MatchedBatch({
    directory,
    device: -1,
    length,
    names,
    kinds: new Uint8Array(length),
    sizes,
    mtimes,
    ctimes,
    inodes,
    executables: new Uint8Array(length),
    targets: new Map(),
  })
  matched.fingerprints.set(fingerprints)
  matched.ids.set(ids)
  for (const [row, flag] of flags.entries()) {
    matched.contentKinds[row] = flag & KIND_MASK
    matched.states[row] = (flag & TRUSTED) !== 0 ? RowState.clean : RowState.unsure
  }
  for (const [row, bytes] of inline) matched.inline.set(row, bytes)
  return matched
}
