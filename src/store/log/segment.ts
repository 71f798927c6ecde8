/**
 * A segment of the log (docs/format.md section 6): the files of many operations, one after another, in one file. It is
 * read from front to back through one buffer, so its size does not matter; every line is bounded before it is kept.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { ArtifactsError, damaged, isSystemError } from '../../errors.ts'
import type { OperationRange } from '../layout.ts'
import { MAX_LINE, TAIL } from './operation.ts'

export interface Segment extends OperationRange {
  readonly path: string
}

/** Both line ends, and the hash between them. */
const HASH_LINE = TAIL - 1
const BUFFER_BYTES = 256 * 1024
const LINE_END = 0x0a

/** Reads a segment's operations in ascending order. Errors of the disk are damage here: the operations may be elsewhere. */
export class SegmentCursor implements Disposable {
  readonly segment: Segment
  /** The operation that is read next. */
  #next: number
  readonly #fd: number
  #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  #from = 0
  #to = 0

  /** Throws ENOENT where there is no such file. */
  constructor(segment: Segment) {
    this.segment = segment
    this.#next = segment.first
    this.#fd = openSync(segment.path, 'r')
  }

  get next(): number {
    return this.#next
  }

  /**
   * Returns the bytes of operation `n`, both lines, as they stand there; they are overwritten by the next call. `n` is
   * not before `next`. Throws ERR_DAMAGED where the file ends before it, or does not end with its last operation.
   */
  read(n: number): Buffer {
    while (this.#next < n) this.#take()
    const bytes = this.#take()
    if (n === this.segment.last && this.#hasMore()) {
      throw damaged(`Segment "${this.segment.path}" does not end with operation ${n}.`)
    }
    return bytes
  }

  close(): void {
    closeSync(this.#fd)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #take(): Buffer {
    const line = this.#lineFrom(0, MAX_LINE)
    const both = line + this.#lineFrom(line, HASH_LINE)
    const bytes = this.#buffer.subarray(this.#from, this.#from + both)
    this.#from += both
    this.#next++
    return bytes
  }

  /** The length of the line that begins `offset` bytes from here, with its end. */
  #lineFrom(offset: number, most: number): number {
    let searched = offset
    for (;;) {
      const end = this.#buffer.subarray(this.#from, this.#to).indexOf(LINE_END, searched)
      if (end >= 0 && end - offset <= most) return end + 1 - offset
      searched = this.#to - this.#from
      if (end >= 0 || searched - offset > most || !this.#fill()) {
        throw damaged(`Segment "${this.segment.path}" is damaged at operation ${this.#next}.`)
      }
    }
  }

  #hasMore(): boolean {
    if (this.#from < this.#to) return true
    // What was read last is still to be used.
    const next = Buffer.alloc(1)
    return this.#readInto(next, 0) > 0
  }

  /** Reads more, behind what there is; false at the end of the file. */
  #fill(): boolean {
    const rest = this.#buffer.subarray(this.#from, this.#to)
    if (rest.length === this.#buffer.length) this.#buffer = Buffer.allocUnsafe(2 * rest.length)
    rest.copy(this.#buffer)
    this.#from = 0
    this.#to = rest.length
    const read = this.#readInto(this.#buffer, this.#to)
    this.#to += read
    return read > 0
  }

  #readInto(buffer: Buffer, offset: number): number {
    try {
      return readSync(this.#fd, buffer, offset, buffer.length - offset, null)
    } catch (error) {
      if (!isSystemError(error, 'EIO', 'EISDIR')) throw error
      throw damaged(`Segment "${this.segment.path}" cannot be read.`, { cause: error })
    }
  }
}

/**
 * Reads a segment from end to end. Throws ERR_DAMAGED naming it where it does not hold the operations with these hashes,
 * and ENOENT where it is gone.
 *
 * @param hashOf the hash of an operation; undefined: not known, which nothing fits
 */
export function checkSegment(segment: Segment, hashOf: (n: number) => string | undefined): void {
  using cursor = new SegmentCursor(segment)
  for (let n = segment.first; n <= segment.last; n++) {
    const hash = hashOfRecord(cursor.read(n))
    if (hash === undefined || hash !== hashOf(n)) {
      throw damaged(`Segment "${segment.path}" is damaged at operation ${n}.`)
    }
  }
}

/** True where each line has its hash and each operation follows the one before: then it is what somebody wrote. */
export function isSound(segment: Segment): boolean {
  try {
    using cursor = new SegmentCursor(segment)
    let previous: string | undefined
    for (let n = segment.first; n <= segment.last; n++) {
      const bytes = cursor.read(n)
      const hash = hashOfRecord(bytes)
      if (hash === undefined) return false
      const { n: number, prev } = JSON.parse(bytes.toString('utf8', 0, bytes.length - TAIL))
      if (number !== n || (previous !== undefined && prev !== previous)) return false
      previous = hash
    }
    return true
  } catch (error) {
    const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
    const isNonsense = error instanceof SyntaxError || error instanceof TypeError
    if (!isDamage && !isNonsense && !isSystemError(error, 'ENOENT')) throw error
    return false
  }
}

/** The hash that an operation's two lines bear; undefined when it is not that of the first. */
export function hashOfRecord(bytes: Buffer): string | undefined {
  const line = bytes.subarray(0, Math.max(0, bytes.length - TAIL))
  const hash = createHash('sha256').update(line).digest('hex')
  return bytes.subarray(line.length).equals(Buffer.from(`\n${hash}\n`)) ? hash : undefined
}
