/** Whether an operation that comes from elsewhere would fit the state: it is folded, and that is taken back. */
import type { Operation } from '../log/operation.ts'
import { isConstraint } from './connection.ts'
import { fold } from './fold.ts'
import { readHead } from './refresh.ts'
import { RuleError } from './rules.ts'
import type { Source } from './state.ts'

/** The rule that the operation breaks; undefined: none. `moved`: the log goes on behind the operation it follows. */
export function brokenRule(
  source: Source,
  operation: Operation,
  hash: string,
): { readonly rule: string } | 'moved' | undefined {
  return source.read((connection) => {
    try {
      return connection.write(() => {
        const head = readHead(connection)
        if (head.applied !== operation.n - 1 || head.hash !== operation.prev) return 'moved'
        fold(connection, operation, hash)
        throw new Undone()
      })
    } catch (error) {
      if (error instanceof Undone) return undefined
      if (error instanceof RuleError) return { rule: error.message }
      // No rule of the database breaks by what keeps those of the log; were it so, the index is not to blame.
      if (isConstraint(error)) return { rule: 'it contradicts what is there' }
      throw error
    }
  })
}

class Undone extends Error {}
