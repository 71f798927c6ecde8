/**
 * A checksum in each row that is planned on. SQLite notices a page that is none, not a byte that is another; but a name
 * or a number that is wrong here would get into an operation, which contradicted the log for ever. So what is read is
 * what was written, or the index is built anew.
 *
 * `sum` is the last column of such a table. Whatever changes a row, which it has checked before, seals it again.
 */
import { xxh32 } from '../tree/boundary.ts'
import { type Connection, IndexDamageError, type SqlValue } from './connection.ts'

/** The sum of a row: of all its values but itself, in the order of their columns. */
export function rowSum(values: readonly SqlValue[]): number {
  const bytes = Buffer.from(JSON.stringify(values))
  return xxh32(bytes, bytes.length, 0)
}

/** Returns a row that was selected with `*`. Throws an IndexDamageError when its sum is not the one it has. */
export function checkedRow<R extends object>(row: R): R {
  const values = Object.values(row)
  if (values.pop() === rowSum(values)) return row
  throw new IndexDamageError('A row of the index is not as it was written.')
}

/** Inserts a row; `values` are those of all columns but the sum. */
export function insertRow(
  connection: Connection,
  insert: `INSERT${string}`,
  values: readonly SqlValue[],
): void {
  connection.run(`${insert} VALUES (${'?, '.repeat(values.length)}?)`, ...values, rowSum(values))
}

const KEYS = { operation: 'n', artifact: 'id', version: 'id', run: 'id', draft: 'id' } as const

/** Gives the row that was changed its sum. */
export function seal(connection: Connection, table: keyof typeof KEYS, key: SqlValue): void {
  const where = `${KEYS[table]} = ?`
  const row = connection.get<object>(`SELECT * FROM ${table} WHERE ${where}`, key)
  if (row === undefined) return
  const sum = rowSum(Object.values(row).slice(0, -1))
  connection.run(`UPDATE ${table} SET sum = ? WHERE ${where}`, sum, key)
}

/** Counts up or down in a row, where it is there. */
export function count(
  connection: Connection,
  [table, column]: readonly ['version', 'links' | 'uses'] | readonly ['artifact', 'aliases'],
  key: string,
  more: number,
): void {
  const row = connection.get<object>(`SELECT * FROM ${table} WHERE id = ?`, key)
  if (row === undefined) return
  checkedRow(row)
  connection.run(`UPDATE ${table} SET ${column} = ${column} + ? WHERE id = ?`, more, key)
  seal(connection, table, key)
}

/** Notes that the version, whose row was checked, is another by operation `n`. */
export function touch(connection: Connection, version: string, n: number): void {
  connection.run('UPDATE version SET updated = ? WHERE id = ?', n, version)
  seal(connection, 'version', version)
}
