/**
 * Writes segments (docs/format.md section 6). The bytes are the same whoever writes them, so it does not matter who is
 * first, and nobody waits. Only what the state was folded from gets into a segment: each operation must bear the hash
 * that the index knows.
 */
import { existsSync } from 'node:fs'
import { damaged, isFailedCall, isSystemError } from '../../errors.ts'
import type { OperationRow } from '../index/state.ts'
import type { Io } from '../io/io.ts'
import {
  type Layout,
  type OperationRange,
  operationPath,
  segmentPath,
  temporaryName,
} from '../layout.ts'
import { LogReader } from './log-reader.ts'

/** How many operations a segment holds; `large` is a multiple of `small`. */
export interface SegmentSizes {
  readonly small: number
  readonly large: number
}

export const SEGMENT_SIZES: SegmentSizes = { small: 256, large: 16_384 }

/** The log, and what was folded from it. */
export interface FoldedLog {
  readonly io: Io
  readonly layout: Layout
  readonly index: { readonly state: { operation(n: number): OperationRow | undefined } }
  /** Default: those of the format. */
  readonly segmentSizes?: SegmentSizes | undefined
}

const WRITE_BYTES = 1024 * 1024

/** The segments that end with operation `n`, the smaller one first. */
export function segmentsEndingWith(
  n: number,
  { small, large }: SegmentSizes = SEGMENT_SIZES,
): OperationRange[] {
  const sizes = [small, large].filter((size) => n > 0 && n % size === 0)
  return sizes.map((size) => ({ first: n - size + 1, last: n }))
}

/**
 * Writes a segment unless it is there; returns whether it did. All its operations are durable. Throws ERR_DAMAGED where
 * one of them is not what the index was folded from, and whatever keeps the file from being written.
 */
export function writeSegment(log: FoldedLog, range: OperationRange): boolean {
  const { io, layout } = log
  const path = segmentPath(layout, range)
  if (existsSync(path)) return false
  const temporary = `${layout.log}/.${temporaryName()}`
  try {
    writeOperations(log, range, temporary)
    const isNew = publish(io, temporary, path)
    discard(io, temporary)
    return isNew
  } catch (error) {
    discard(io, temporary)
    throw error
  }
}

function writeOperations(log: FoldedLog, { first, last }: OperationRange, path: string): void {
  const { io, layout, index, segmentSizes: { small } = SEGMENT_SIZES } = log
  using reader = new LogReader(layout, { wholeLog: last - first >= small })
  const fd = io.open(path, 'wx')
  try {
    let pieces: Buffer[] = []
    let length = 0
    for (let n = first; n <= last; n++) {
      const bytes = reader.bytes(n, index.state.operation(n)?.hash ?? '')
      if (bytes === undefined) throw damaged(`Operation "${operationPath(layout, n)}" is missing.`)
      pieces.push(Buffer.from(bytes))
      length += bytes.length
      if (length < WRITE_BYTES && n < last) continue
      io.writeAll(fd, Buffer.concat(pieces, length))
      pieces = []
      length = 0
    }
    io.fsync(fd)
  } finally {
    io.close(fd)
  }
}

function publish(io: Io, temporary: string, path: string): boolean {
  try {
    return io.linkExclusive(temporary, path)
  } catch (error) {
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error
    // No hard links. Renamed over one that is there by now, it changes nothing: the bytes are the same.
    io.rename(temporary, path)
    return true
  }
}

/** Removes the temporary name. gc removes it when that fails. */
function discard(io: Io, temporary: string): void {
  try {
    io.unlink(temporary)
  } catch (error) {
    if (!isFailedCall(error)) throw error
  }
}
