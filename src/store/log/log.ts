/**
 * Reads the numbered operations in `log/` (docs/format.md section 6). A number is taken from the moment its name
 * exists, whole, and for ever; so one failed look at `n + 1` tells that `n` is the newest.
 */
import { existsSync } from 'node:fs'
import { damaged } from '../../errors.ts'
import { type Layout, operationPath } from '../layout.ts'
import { listLog } from './listing.ts'
import { LogReader } from './log-reader.ts'
import type { LogEntry } from './operation.ts'

/**
 * Reads operation `n`, which follows the hash `prev` (undefined: any); undefined when there is none yet. Whoever reads
 * many takes a LogReader. Throws ERR_DAMAGED.
 */
export function readEntry(
  layout: Layout,
  n: number,
  prev: string | undefined,
): LogEntry | undefined {
  using reader = new LogReader(layout)
  return reader.read(n, prev)
}

/**
 * Throws ERR_DAMAGED when there is an operation beyond `tip`, the newest that was found by counting: then the ones
 * between are lost, since each is made durable before the next is created.
 */
export function checkNoGap(layout: Layout, tip: number): void {
  // Others may have added operations since the counting ended: only what is still absent is lost.
  if (listLog(layout).highest > tip && !existsSync(operationPath(layout, tip + 1))) {
    throw damaged(
      `Operation "${operationPath(layout, tip + 1)}" is missing, although later ones exist.`,
    )
  }
}
