/**
 * Applies that an operation undoes an earlier one. What the undone operation did is in effect again when the undoing
 * one is itself undone, and so on along the chain; each operation notes by which one it is undone now.
 */
import type { Connection } from './connection.ts'
import { checkedRow, seal } from './row-sum.ts'
import { type Applies, RuleError } from './rules.ts'

interface OperationFacts {
  readonly undoes: number | null
  readonly undone: number | null
}

export const UNDO_CHANGES: Applies<'undo'> = {
  undo: (connection, { operation }, n) => {
    const row = operation < n ? read(connection, operation) : undefined
    if (row === undefined) throw new RuleError(n, `there is no operation ${operation} to undo`)
    if (row.undone !== null) throw new RuleError(n, `operation ${operation} is undone already`)
    if (read(connection, n)?.undoes !== null)
      throw new RuleError(n, 'one operation undoes two others')
    connection.run('UPDATE operation SET undoes = ? WHERE n = ?', operation, n)
    seal(connection, 'operation', n)
    let by: number | null = n
    let at = n
    for (let next: number | null = operation; next !== null; ) {
      read(connection, next)
      connection.run('UPDATE operation SET undone = ? WHERE n = ?', by, next)
      seal(connection, 'operation', next)
      // What is undone undoes nothing; what is in effect does.
      at = next
      next = read(connection, at)?.undoes ?? null
      by = by === null ? at : null
    }
  },
}

function read(connection: Connection, n: number): OperationFacts | undefined {
  const row = connection.get<OperationFacts>('SELECT * FROM operation WHERE n = ?', n)
  return row === undefined ? undefined : checkedRow(row)
}
