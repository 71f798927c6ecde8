/** States of small stores, folded into databases in memory. */
import { Connection } from '../../store/index/connection.ts'
import { fold } from '../../store/index/fold.ts'
import type { PastState } from '../../store/index/past.ts'
import { SCHEMA } from '../../store/index/schema.ts'
import { stateView } from '../../store/index/state-view.ts'
import type { Change } from '../../store/log/change.ts'
import type { Operation } from '../../store/log/operation.ts'

export interface FoldedState extends PastState {
  /** Folds changes that no log holds. @throws RuleError */
  readonly add: (changes: readonly Change[]) => void
}

/** The state of a store with nothing in it. */
export function emptyState(store: string): FoldedState {
  return foldedState(store, [])
}

/** The state after these operations. @throws RuleError */
export function foldedState(
  store: string,
  operations: Iterable<{ readonly operation: Operation; readonly hash: string }>,
): FoldedState {
  const connection = new Connection(':memory:')
  try {
    connection.write(() => {
      connection.execute(SCHEMA)
      connection.run("INSERT INTO store VALUES (1, ?, '', 0, '', '')", store)
      for (const { operation, hash } of operations) fold(connection, operation, hash)
    })
  } catch (error) {
    connection.close()
    throw error
  }
  return {
    state: stateView(connection),
    add(changes) {
      const n = (connection.value<number>('SELECT applied FROM store') ?? 0) + 1
      const facts = { prev: '', at: '', by: { user: '', host: '' }, tool: '', nonce: '', packs: [] }
      connection.write(() => fold(connection, { ...facts, n, changes }, ''))
    },
    [Symbol.dispose]: () => connection.close(),
  }
}
