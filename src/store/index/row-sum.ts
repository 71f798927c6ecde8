/**
 * A checksum in each row that a plan goes by. SQLite notices a page that is not one, not a byte that is another; but a
 * name or a number that is wrong here would be planned on, and the operation would contradict the log for ever. So what
 * is read is what was written, or the index is built anew.
 */
import { xxh32 } from '../tree/boundary.ts'
import { IndexDamageError, type SqlValue } from './connection.ts'

/** The sum of a row's values, in the order of their columns; it is the last column, `sum`. */
export function rowSum(values: readonly SqlValue[]): number {
  const bytes = Buffer.from(JSON.stringify(values))
  return xxh32(bytes, bytes.length, 0)
}

/** Returns a row that was selected with `*`. Throws an IndexDamageError when its sum is not the one it has. */
export function checkedRow<R extends object>(row: R): R {
  const values = Object.values(row)
  if (rowSum(values.slice(0, -1)) === values.at(-1)) return row
  throw new IndexDamageError('A row of the index is not as it was written.')
}
