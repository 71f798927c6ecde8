/**
 * When a file's times prove that it has not changed. Times have a granularity: a file that was read and then written
 * again within one tick keeps them, as in git's "racy" entries. So a file is trusted only if its times lie before the
 * moment at which reading began by more than a tick, both by the clock that stamps files: that of the file system,
 * which on a network file system is another machine's, and which Linux moves on only every 1 to 10 ms.
 */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import type { Io } from '../io/io.ts'
import { type Layout, temporaryName } from '../layout.ts'

export interface FileClock {
  /** Milliseconds since 1970 when this was made, as the store's file system tells the time. */
  readonly now: number
  /** Milliseconds that a tick can last. */
  readonly granularity: number
  /**
   * True if a file with these times (ms) on this device, read from now on, cannot change without other times. Never for
   * times in the future.
   */
  isSettled(mtimeMs: number, ctimeMs: number, device: number): boolean
}

/**
 * Reads the file system's clock by writing a file in `tmp/`. Where that cannot be done, as in a store that may only be
 * read, it is the system's clock with a wide margin, as it is for files on other devices than the store's.
 *
 * @param isNetwork the store is on a network file system, whose clock may be read late
 */
export function readClock(io: Io, layout: Layout, isNetwork = false): FileClock {
  const system = Date.now()
  const stamp = writeStamp(io, layout)
  const now = stamp === undefined ? system : Number(stamp.mtimeNs / 1000n) / 1000
  const granularity =
    stamp === undefined || isNetwork ? UNKNOWN_GRANULARITY : granularityOf(stamp.mtimeNs)
  const device = stamp === undefined ? undefined : Number(stamp.dev)
  return {
    now,
    granularity,
    isSettled(mtimeMs, ctimeMs, on) {
      const before = on === device ? now - granularity : system - UNKNOWN_GRANULARITY
      return mtimeMs < before && ctimeMs < before
    },
  }
}

/** Milliseconds that a tick lasts where a file system writes such a time, with a margin. */
export function granularityOf(mtimeNs: bigint): number {
  if (mtimeNs % 1_000_000_000n !== 0n) return FINE_GRANULARITY
  // FAT counts in twos. A fine time is whole by chance once in a lifetime; then the margin is wide for once.
  return mtimeNs % 2_000_000_000n === 0n ? 2100 : 1100
}

/** Linux stamps files with the time of its last timer interrupt, 100 to 1000 times a second; exFAT counts in 10 ms. */
const FINE_GRANULARITY = 20
const UNKNOWN_GRANULARITY = 3000

interface Stamp {
  readonly mtimeNs: bigint
  readonly dev: bigint
}

/** The times of a file that was just written; undefined where none can be. */
function writeStamp(io: Io, layout: Layout): Stamp | undefined {
  const path = join(layout.tmp, temporaryName())
  try {
    // A file is written, not only made or touched: that is when even a file server looks at its own clock.
    io.createFile(path, Buffer.of(0), { durable: false })
    const stamp = lstatSync(path, { bigint: true })
    io.unlink(path)
    return stamp
  } catch (error) {
    if (isSystemError(error, ...CANNOT_WRITE)) return undefined
    throw error
  }
}

const CANNOT_WRITE = [
  'EROFS',
  'EACCES',
  'EPERM',
  'ENOENT',
  'ENOTDIR',
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EMFILE',
  'ENFILE',
] as const
