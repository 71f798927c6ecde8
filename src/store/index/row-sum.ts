/**
 * A checksum in each row that is planned on. SQLite notices a page that is none, not a byte that is another; but a name
 * or a number that is wrong here would get into an operation, which contradicted the log for ever. So what is read is
 * what was written, or the index is built anew.
 *
 * `sum` is the last column of such a table. Whatever changes a row seals it again.
 */
import { xxh32 } from '../tree/boundary.ts'
import { type Connection, IndexDamageError, type SqlValue } from './connection.ts'

/** Tables whose rows have a sum, and what tells their rows apart. */
const KEYS = {
  operation: 'n = ?',
  artifact: 'id = ?',
  version: 'id = ?',
  alias: 'artifact = ? AND alias = ?',
  tag: 'version = ?',
} as const

/** Gives the rows with this key their sums; there may be none. */
export function seal(
  connection: Connection,
  table: keyof typeof KEYS,
  ...key: readonly SqlValue[]
): void {
  const where = KEYS[table]
  for (const row of connection.all<object>(`SELECT * FROM ${table} WHERE ${where}`, ...key)) {
    const sum = rowSum(row)
    if (table === 'tag') {
      const { tag } = row as { tag: string }
      connection.run('UPDATE tag SET sum = ? WHERE version = ? AND tag = ?', sum, ...key, tag)
    } else {
      connection.run(`UPDATE ${table} SET sum = ? WHERE ${where}`, sum, ...key)
    }
  }
}

/** Returns a row that was selected with `*`. Throws an IndexDamageError when its sum is not the one it has. */
export function checkedRow<R extends object>(row: R): R {
  if ((row as { sum?: unknown }).sum === rowSum(row)) return row
  throw new IndexDamageError('A row of the index is not as it was written.')
}

/** The sum of all values but the last, in the order of their columns. */
function rowSum(row: object): number {
  const bytes = Buffer.from(JSON.stringify(Object.values(row).slice(0, -1)))
  return xxh32(bytes, bytes.length, 0)
}
