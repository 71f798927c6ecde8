/**
 * Rows of CSV (RFC 4180) as places in a buffer: no text is made of a cell that nobody looks at. A parser that makes
 * texts reads 50 to 100 MB a second; this one several times that, and knows where in the file each row stands.
 *
 * As lenient as others: rows may end with CR LF or LF, have too few cells or too many, and what follows a closing quote
 * belongs to the cell. Empty lines are no rows, except in tables of one column.
 */
import type { Source } from './source.ts'

/** A row that is longer is none; so is the file, then. */
const MAX_ROW_BYTES = 4 << 20
const MAX_CELLS = 65_536
const BUFFER_BYTES = 256 << 10
/** What is read where a row is looked up; who reads on reads four times as much each time. */
const GLANCE_BYTES = 16 << 10
const QUOTE = 0x22
const LF = 0x0a
const CR = 0x0d
const BYTE_ORDER_MARK = 0xefbbbf
/** How a cell is written: as it is, in quotes, with doubled quotes in quotes, or going on behind its closing quote. */
const PLAIN = 0
const QUOTED = 1
const DOUBLED = 2
const LENIENT = 3

/** Thrown where the file is no table. */
export class NotRows extends Error {}

export class RowReader {
  /** Where in the file the row begins that was read last. */
  rowStart = 0
  cells = 0
  /** Holds the cells of that row, cell i from `starts[i]` to `ends[i]`. */
  bytes: Buffer = Buffer.alloc(BUFFER_BYTES + 1)
  starts: Int32Array = new Int32Array(64)
  ends: Int32Array = new Int32Array(64)
  /** How cell i is written. */
  marks: Uint8Array = new Uint8Array(64)
  readonly #source: Source
  readonly #delimiter: number
  readonly #keepsEmpty: () => boolean
  #pieces: Iterator<Uint8Array>
  #piece: Uint8Array = Buffer.alloc(0)
  /** Where in the file the buffer begins. */
  #base = 0
  /** In the buffer: the next byte to be parsed, and the end of what was read. */
  #at = 0
  #limit = 0
  #isEnd = false
  #ahead = GLANCE_BYTES

  /** @param keepsEmpty whether an empty line is a row. */
  constructor(source: Source, delimiter: number, keepsEmpty: () => boolean) {
    this.#source = source
    this.#delimiter = delimiter
    this.#keepsEmpty = keepsEmpty
    this.#pieces = source.pieces()[Symbol.iterator]()
    this.#fill()
    if (this.#limit >= 3 && this.bytes.readUIntBE(0, 3) === BYTE_ORDER_MARK) this.#at = 3
  }

  /** Where in the file the next row begins. */
  get position(): number {
    return this.#base + this.#at
  }

  /** Reads the next row; false at the end of the file. @throws NotRows */
  next(): boolean {
    while (this.#parse()) {
      const isEmpty = this.cells === 1 && this.starts[0] === this.ends[0] && this.marks[0] === PLAIN
      if (!isEmpty || this.#keepsEmpty()) return true
    }
    return false
  }

  /** Goes on at `position`, where a row begins. */
  seek(position: number): void {
    const at = position - this.#base
    if (at >= 0 && at <= this.#limit) {
      this.#at = at
      return
    }
    this.#pieces = this.#source.pieces(position)[Symbol.iterator]()
    this.#piece = Buffer.alloc(0)
    this.#base = position
    this.#at = 0
    this.#limit = 0
    this.#isEnd = false
    this.#ahead = GLANCE_BYTES
  }

  /** Steps over the rows that end at or before `end`; returns how many these are. @throws NotRows */
  skipUntil(end: number): number {
    let rows = 0
    while (this.position < end) {
      if (this.#at === this.#limit && !this.#fill()) break
      const until = Math.min(this.#limit, end - this.#base)
      const quote = this.bytes.subarray(0, until).indexOf(QUOTE, this.#at)
      const last = this.bytes.lastIndexOf(LF, (quote < 0 ? until : quote) - 1)
      if (last >= this.#at) {
        rows += this.#countLines(this.#at, last + 1)
        this.#at = last + 1
      } else if (quote >= 0) {
        const { position } = this
        if (!this.next() || this.position > end) {
          this.seek(position)
          break
        }
        rows++
      } else if (
        until < this.#limit ||
        until - this.#at > MAX_ROW_BYTES ||
        this.position + until - this.#at >= end ||
        !this.#fill()
      ) {
        break
      }
    }
    return rows
  }

  /** The cells of the row, as texts. */
  texts(): string[] {
    return Array.from({ length: this.cells }, (_, index) => this.text(index))
  }

  text(index: number): string {
    return this.content(index).toString()
  }

  /** Whether a cell holds the very bytes from `starts` to `ends`. */
  isPlain(index: number): boolean {
    return (this.marks[index] as number) <= QUOTED
  }

  /** What a cell holds, without quotes; of a plain cell a view of the buffer. */
  content(index: number): Buffer {
    const bytes = this.bytes.subarray(this.starts[index], this.ends[index])
    if (this.isPlain(index)) return bytes
    const text = bytes.toString('latin1')
    return Buffer.from(
      this.marks[index] === DOUBLED ? text.replaceAll('""', '"') : lenient(text),
      'latin1',
    )
  }

  /** Rows in lines without quotes. */
  #countLines(from: number, to: number): number {
    let lines = 0
    const keepsEmpty = this.#keepsEmpty()
    for (let at = from; at < to; ) {
      const end = this.bytes.indexOf(LF, at)
      const isEmpty = end === at || (end === at + 1 && this.bytes[at] === CR)
      if (!isEmpty || keepsEmpty) lines++
      at = end + 1
    }
    return lines
  }

  #parse(): boolean {
    for (;;) {
      if (this.#at === this.#limit && !this.#fill()) return false
      const end = this.#parseRow()
      const read = end >= 0 ? end : this.#limit
      if (read - this.#at > MAX_ROW_BYTES) throw new NotRows('a row of it is too long')
      if (end >= 0) {
        this.rowStart = this.position
        this.#at = end
        return true
      }
      this.#fill()
    }
  }

  /** Where the row ends that begins at `#at`; −1 where the buffer ends before. */
  #parseRow(): number {
    const { bytes } = this
    const limit = this.#limit
    const delimiter = this.#delimiter
    let { starts, ends, marks } = this
    // Ends every search for the end of a line.
    bytes[limit] = LF
    let cell = 0
    for (let at = this.#at; ; at++) {
      if (cell === starts.length) {
        this.#grow()
        ;({ starts, ends, marks } = this)
      }
      const start = at
      let mark = PLAIN
      if (bytes[at] === QUOTE && at < limit) {
        mark = QUOTED
        for (at++; ; at += 2) {
          while (at < limit && bytes[at] !== QUOTE) at++
          if (at + 1 >= limit && !this.#isEnd) return -1
          if (at + 1 >= limit || bytes[at + 1] !== QUOTE) break
          mark = DOUBLED
        }
        const close = at
        if (at < limit) at++
        const code = bytes[at]
        if (code === delimiter || code === LF || (code === CR && bytes[at + 1] === LF)) {
          starts[cell] = start + 1
          ends[cell] = close
          marks[cell] = mark
          cell++
          if (code === delimiter) continue
          if (code === CR) at++
          this.cells = cell
          return at < limit ? at + 1 : this.#isEnd ? limit : -1
        }
        mark = LENIENT
      }
      let code = bytes[at] as number
      while (code !== delimiter && code !== LF) code = bytes[++at] as number
      starts[cell] = start
      ends[cell] = code === LF && at > start && bytes[at - 1] === CR ? at - 1 : at
      marks[cell] = mark
      cell++
      if (code === LF) {
        this.cells = cell
        return at < limit ? at + 1 : this.#isEnd ? limit : -1
      }
    }
  }

  #grow(): void {
    const length = this.starts.length * 2
    if (length > MAX_CELLS) throw new NotRows('a row of it has too many cells')
    const grow = <A extends Int32Array | Uint8Array>(old: A, made: A): A => {
      made.set(old)
      return made
    }
    this.starts = grow(this.starts, new Int32Array(length))
    this.ends = grow(this.ends, new Int32Array(length))
    this.marks = grow(this.marks, new Uint8Array(length))
  }

  /** Moves what is left to the front and reads on, at least as much again; false at the end of the file. */
  #fill(): boolean {
    const left = this.#limit - this.#at
    const old = this.bytes
    if (old.length - 1 < left * 2) this.bytes = Buffer.alloc(left * 4 + 1)
    old.copy(this.bytes, 0, this.#at, this.#limit)
    this.#base += this.#at
    this.#at = 0
    this.#limit = left
    const room = Math.min(this.bytes.length - 1, left + Math.max(left, this.#ahead))
    this.#ahead = Math.min(this.#ahead * 4, BUFFER_BYTES)
    while (this.#limit < room) {
      if (this.#piece.length === 0) {
        const { value, done } = this.#pieces.next()
        if (done === true) {
          this.#isEnd = true
          break
        }
        this.#piece = value
      }
      const part = this.#piece.subarray(0, room - this.#limit)
      this.bytes.set(part, this.#limit)
      this.#limit += part.length
      this.#piece = this.#piece.subarray(part.length)
    }
    return this.#limit > left
  }
}

/** A cell that goes on behind its closing quote: what is between quotes without them, the rest as it is. */
function lenient(text: string): string {
  return text.replace(/^"((?:[^"]|"")*)"/, (_, quoted: string) => quoted.replaceAll('""', '"'))
}

/** The character that stands most often in the first line of a table, of those that tables are made with. */
export function delimiterOf(source: Source, format: 'csv' | 'tsv'): number {
  if (format === 'tsv') return 0x09
  const head = Buffer.from(source.read(0, 65_536)).toString('latin1')
  const line = /^(?:"(?:[^"]|"")*"|[^"\n])*/.exec(head)?.[0].replace(/"(?:[^"]|"")*"/g, '') ?? ''
  const count = (mark: string): number => line.split(mark).length
  return [',', ';', '\t', '|']
    .reduce((best, mark) => (count(mark) > count(best) ? mark : best))
    .charCodeAt(0)
}
