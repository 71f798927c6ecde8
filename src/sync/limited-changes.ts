/** The changes of one operation, of which there may be more than its line can hold: what is left goes into the next. */
import type { Change } from '../store/log/change.ts'

/** Bytes of JSON: half of what a line may have, since packs are named in it too. */
const MOST_BYTES = 8 << 20

/** The first changes that fit together; every beginning of a list that folds does fold. */
export function limitedChanges(changes: readonly Change[]): {
  readonly some: readonly Change[]
  readonly isAll: boolean
} {
  let bytes = 0
  for (const [index, change] of changes.entries()) {
    bytes += Buffer.byteLength(JSON.stringify(change)) + 1
    if (bytes > MOST_BYTES && index > 0) return { some: changes.slice(0, index), isAll: false }
  }
  return { some: changes, isAll: true }
}
