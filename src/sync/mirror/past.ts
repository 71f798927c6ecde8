/** A remote's state as it was after earlier operations: what was noted of its log, folded in memory, once for all that is asked. */
import { Connection } from '../../store/index/connection.ts'
import { fold } from '../../store/index/fold.ts'
import { SCHEMA } from '../../store/index/schema.ts'
import type { StateView } from '../../store/index/state.ts'
import { stateView } from '../../store/index/state-view.ts'
import { decodeOperation } from '../../store/log/operation.ts'
import { notedRecords } from '../log/noted-log.ts'
import type { Mirrored } from './database.ts'

/**
 * Shows the states after operations, one after another.
 * @param visit is done with the state when it returns
 */
export async function visitPast(
  log: string,
  { id, hash }: Mirrored,
  operations: Iterable<number>,
  visit: (state: StateView, n: number) => void,
): Promise<void> {
  const wanted = new Set(operations)
  const last = Math.max(0, ...wanted)
  if (last === 0) return
  const connection = new Connection(':memory:')
  try {
    connection.execute(SCHEMA)
    connection.run("INSERT INTO store VALUES (1, ?, '', 0, ?, ?)", id, hash, hash)
    const state = stateView(connection)
    let prev = hash
    for await (const record of notedRecords(log, { n: 0, hash, length: 0 })) {
      const entry = decodeOperation(record.bytes, { n: record.n, prev, path: log })
      if (entry.kind !== 'operation') break
      connection.write(() => fold(connection, entry.operation, entry.hash))
      prev = entry.hash
      if (wanted.has(record.n)) visit(state, record.n)
      if (record.n === last) break
    }
  } finally {
    connection.close()
  }
}
