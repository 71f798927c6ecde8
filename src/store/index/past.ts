/**
 * The state as it was after an earlier operation: the log folded up to there into a database in memory. Only names,
 * versions and labels are earlier ones; where objects are is a matter of today's packs, and not in here.
 */
import { damaged } from '../../errors.ts'
import type { Layout } from '../layout.ts'
import { LogReader } from '../log/log-reader.ts'
import { Connection } from './connection.ts'
import { fold } from './fold.ts'
import { SCHEMA } from './schema.ts'
import type { StateView } from './state.ts'
import { stateView } from './state-view.ts'

export interface PastState extends Disposable {
  readonly state: StateView
}

/** The state after operation `n`, which is in the log; 0: before the first. Throws ERR_DAMAGED. */
export function pastState(
  layout: Layout,
  identity: { readonly id: string; readonly hash: string },
  n: number,
): PastState {
  const connection = new Connection(':memory:')
  try {
    connection.write(() => {
      connection.execute(SCHEMA)
      const { id, hash } = identity
      connection.run("INSERT INTO store VALUES (1, ?, '', 0, ?, ?)", id, hash, hash)
      foldUpTo(connection, layout, hash, n)
    })
  } catch (error) {
    connection.close()
    throw error
  }
  return { state: stateView(connection), [Symbol.dispose]: () => connection.close() }
}

function foldUpTo(connection: Connection, layout: Layout, from: string, n: number): void {
  using reader = new LogReader(layout, { wholeLog: true })
  for (let at = 1, prev = from; at <= n; at++) {
    const entry = reader.read(at, prev)
    if (entry?.kind !== 'operation') throw damaged(`Operation ${at} cannot be read any more.`)
    fold(connection, entry.operation, entry.hash)
    prev = entry.hash
  }
}
