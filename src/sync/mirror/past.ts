/** A remote's state as it was after an earlier operation: what was noted of its log, folded up to there in memory. */
import { Connection } from '../../store/index/connection.ts'
import { fold } from '../../store/index/fold.ts'
import type { PastState } from '../../store/index/past.ts'
import { SCHEMA } from '../../store/index/schema.ts'
import { stateView } from '../../store/index/state-view.ts'
import { decodeOperation } from '../../store/log/operation.ts'
import { notedRecords } from '../log/noted-log.ts'
import type { Mirrored } from './database.ts'

/** @param n an operation that was noted; 0: before the first */
export async function pastMirror(
  log: string,
  { id, hash }: Mirrored,
  n: number,
): Promise<PastState> {
  const connection = new Connection(':memory:')
  try {
    connection.execute(SCHEMA)
    connection.run("INSERT INTO store VALUES (1, ?, '', 0, ?, ?)", id, hash, hash)
    let prev = hash
    if (n > 0) {
      for await (const record of notedRecords(log, { n: 0, hash, length: 0 })) {
        const entry = decodeOperation(record.bytes, { n: record.n, prev, path: log })
        if (entry.kind !== 'operation') break
        connection.write(() => fold(connection, entry.operation, entry.hash))
        prev = entry.hash
        if (record.n === n) break
      }
    }
  } catch (error) {
    connection.close()
    throw error
  }
  return { state: stateView(connection), [Symbol.dispose]: () => connection.close() }
}
