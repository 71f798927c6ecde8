/**
 * Reads the numbered operations in `log/` (docs/format.md section 6). A number is taken from the moment its name
 * exists, whole; so one failed look at `n + 1` tells that `n` is the newest.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { damaged, isSystemError } from '../../errors.ts'
import { type Layout, operationPath } from '../layout.ts'
import { decodeOperation, type LogEntry, MAX_LINE, TAIL } from './operation.ts'

/** Reads operation `n`, which follows the hash `prev`; undefined when there is none yet. Throws ERR_DAMAGED. */
export function readEntry(layout: Layout, n: number, prev: string): LogEntry | undefined {
  const path = operationPath(layout, n)
  const bytes = readTail(path, MAX_LINE + TAIL + 1)
  return bytes === undefined ? undefined : decodeOperation(bytes, { n, prev, path })
}

/** Returns the hash that operation `n` bears, without checking the rest of it; undefined when there is no operation n. */
export function readHash(layout: Layout, n: number): string | undefined {
  return readTail(operationPath(layout, n), TAIL)?.toString('latin1').trim()
}

/**
 * Throws ERR_DAMAGED when there is an operation beyond `tip`, the newest that was found by counting: then the ones
 * between are lost, since each is made durable before the next is created.
 */
export function checkNoGap(layout: Layout, tip: number): void {
  const highest = listNumbers(layout).reduce((a, b) => Math.max(a, b), 0)
  // Others may have added operations since the counting ended: only what is still absent is lost.
  if (highest > tip && readHash(layout, tip + 1) === undefined) {
    throw damaged(
      `Operation "${operationPath(layout, tip + 1)}" is missing, although later ones exist.`,
    )
  }
}

function listNumbers(layout: Layout): number[] {
  try {
    return readdirSync(layout.log).flatMap((name) => {
      const digits = /^(\d{12})\.json$/.exec(name)?.[1]
      return digits === undefined ? [] : [Number(digits)]
    })
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) throw damaged(`The directory "${layout.log}" is missing.`)
    throw error
  }
}

/** Reads the last `most` bytes of a file; undefined when it does not exist. */
function readTail(path: string, most: number): Buffer | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    const { size } = fstatSync(fd)
    const bytes = Buffer.allocUnsafe(Math.min(size, most))
    let done = 0
    while (done < bytes.length) {
      const read = readSync(fd, bytes, done, bytes.length - done, size - bytes.length + done)
      if (read === 0) break
      done += read
    }
    return bytes.subarray(0, done)
  } finally {
    closeSync(fd)
  }
}
