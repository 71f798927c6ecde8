/**
 * Mends the files of the log. An operation may stand in its own file and in two segments: whichever of them is sound
 * gives it back to the others. Where none is, a flipped bit may be found (mend-lines.ts). Nothing is invented: an
 * operation is what the chain says it was, or it stays lost.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { operationPath, parseSegmentName, temporaryName } from '../layout.ts'
import { holds, type Listing, listLog } from '../log/listing.ts'
import { LogReader } from '../log/log-reader.ts'
import { hashOfRecord, type Segment, SegmentCursor } from '../log/segment.ts'
import type { Examination } from './examination.ts'
import { mendLines } from './mend-lines.ts'
import type { Quarantine } from './quarantine.ts'

const OPERATION = /(\d{12})\.json$/

/** Mends what can be mended of these files; returns what was done, by file. */
export function mendLog(
  examination: Examination,
  files: readonly string[],
  quarantine: Quarantine,
): Map<string, string> {
  const done = new Map<string, string>()
  const mender = new LogMender(examination, quarantine)
  // Segments are made from operations: those come first, the highest first, since each names the hash of the one before.
  for (const file of files.toReversed()) {
    const digits = OPERATION.exec(file)?.[1]
    const how = digits === undefined ? undefined : mender.mendOperation(Number(digits))
    if (how !== undefined) done.set(file, how)
  }
  for (const file of files) {
    if (mender.mendSegment(file)) done.set(file, 'written anew from the operations in it')
  }
  return done
}

class LogMender {
  readonly #examination: Examination
  readonly #quarantine: Quarantine
  readonly #listing: Listing

  constructor(examination: Examination, quarantine: Quarantine) {
    this.#examination = examination
    this.#quarantine = quarantine
    this.#listing = listLog(examination.layout)
  }

  /** Says how the operation's own file was mended. */
  mendOperation(n: number): string | undefined {
    const { layout } = this.#examination
    const path = operationPath(layout, n)
    const expected = this.#expectedHash(n)
    const elsewhere = this.#inSegments(n, expected)
    if (elsewhere !== undefined) {
      this.#replace(path, elsewhere)
      return 'brought back from a segment'
    }
    const mended = mend(contentOf(path), expected)
    if (mended === undefined) return undefined
    this.#replace(path, mended)
    return 'a flipped bit or a damaged line was mended'
  }

  mendSegment(file: string): boolean {
    const { layout } = this.#examination
    const range = parseSegmentName(file.slice(file.lastIndexOf('/') + 1))
    if (range === undefined) return false
    const parts: Buffer[] = []
    using reader = new LogReader(layout)
    for (let n = range.first; n <= range.last; n++) {
      const bytes = this.#operation(reader, n, { ...range, path: file })
      if (bytes === undefined) return false
      parts.push(Buffer.from(bytes))
    }
    this.#replace(file, Buffer.concat(parts))
    return true
  }

  #operation(reader: LogReader, n: number, segment: Segment): Buffer | undefined {
    const hash = this.#expectedHash(n)
    if (hash === undefined) return undefined
    try {
      return reader.bytes(n, hash)
    } catch (error) {
      if (!(error instanceof ArtifactsError) || error.code !== 'ERR_DAMAGED') throw error
      return mend(sliceOf(segment, n), hash)
    }
  }

  /** What the chain says of an operation's hash; where it is the last one, what the index remembers. */
  #expectedHash(n: number): string | undefined {
    const { fresh, live, layout } = this.#examination
    const sql = 'SELECT hash FROM operation WHERE n = ?'
    const known = fresh.connection.value<string>(sql, n)
    if (known !== undefined) return known
    return this.#prevOf(layout, n + 1) ?? live.connection?.value<string>(sql, n)
  }

  #prevOf(layout: Examination['layout'], n: number): string | undefined {
    using reader = new LogReader(layout)
    try {
      const entry = reader.read(n, undefined)
      return entry?.kind === 'operation' ? entry.operation.prev : undefined
    } catch (error) {
      if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return undefined
      throw error
    }
  }

  #inSegments(n: number, expected: string | undefined): Buffer | undefined {
    for (const segment of this.#listing.segments.filter((each) => holds(each, n))) {
      const mended = mend(sliceOf(segment, n), expected)
      if (mended !== undefined) return mended
    }
    return undefined
  }

  #replace(path: string, bytes: Buffer): void {
    const { io, layout } = this.#examination
    this.#quarantine.keep(path)
    io.writeFileAtomic(path, bytes, { durable: true, tmp: join(layout.tmp, temporaryName()) })
  }
}

function mend(bytes: Buffer | undefined, expected: string | undefined): Buffer | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined
  const hash = hashOfRecord(bytes)
  if (hash !== undefined && (expected === undefined || hash === expected)) return bytes
  return mendLines(bytes, expected)
}

/** What stands in a segment as operation `n`, sound or not. */
function sliceOf(segment: Segment, n: number): Buffer | undefined {
  try {
    using cursor = new SegmentCursor(segment)
    return Buffer.from(cursor.read(n))
  } catch (error) {
    const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
    if (isDamage || isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EISDIR', 'EIO')) return undefined
    throw error
  }
}
