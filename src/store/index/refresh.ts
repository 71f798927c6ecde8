/**
 * Brings an index up to the newest operation. Opening a store is two looks: operation `applied` is there with the hash
 * that the index noted; `applied + 1` is there, or not. Only what is new is folded, in transactions that look at
 * `applied` again once they have the lock, for other processes fold into the same index.
 */
import { existsSync } from 'node:fs'
import { type Layout, operationPath } from '../layout.ts'
import { readEntry, readHash } from '../log/log.ts'
import type { Operation } from '../log/operation.ts'
import { type Connection, IndexDamageError } from './connection.ts'
import { fold } from './fold.ts'
import { joinPacks, type PackProblem } from './packs.ts'

/** Where the fold stands. */
export interface Head {
  /** The newest operation folded; 0: none. */
  readonly applied: number
  /** Its hash; of `format.json` for 0. */
  readonly hash: string
  /** The hash of the newest operation that is known to survive a power loss; it may be an older one. */
  readonly durable: string
}

/** An operation that this program does not understand: the store cannot be changed, and is read as it was before. */
export interface Blocked {
  readonly n: number
  readonly tool: string
  readonly why: string
}

export interface CatchUp {
  readonly layout: Layout
  readonly onPackProblem: (problem: PackProblem) => void
  /** After each operation. */
  readonly onOperation?: (operation: Operation) => void
}

/** The index stands on an operation that is not in the log (any more): only folding anew helps. */
export class LogChangedError extends Error {
  static {
    this.prototype.name = 'LogChangedError'
  }
}

/** Bounds a transaction, so that others get the lock now and then. */
const OPERATIONS_AT_ONCE = 256
const PACKS_AT_ONCE = 16

export function readHead(connection: Connection): Head {
  const head = connection.get<Head>('SELECT applied, hash, durable FROM store')
  // The row is written with the schema: without it the file is not what was built.
  if (head === undefined) throw new IndexDamageError('The index has no state.')
  if (!Number.isSafeInteger(head.applied) || head.applied < 0) {
    throw new IndexDamageError(`The index stands at operation ${head.applied}.`)
  }
  return head
}

/**
 * Folds all new operations; returns the first one that is not understood, if any. Throws a LogChangedError when the log
 * is not the one that the index was made from, a RuleError when an operation contradicts the fold, and ERR_DAMAGED for
 * damaged operations.
 */
export function catchUp(connection: Connection, context: CatchUp): Blocked | undefined {
  const { layout } = context
  const { applied, hash } = readHead(connection)
  if (applied > 0 && readHash(layout, applied) !== hash) {
    throw new LogChangedError(`Operation ${applied} is not the one the index was made from.`)
  }
  let next = applied + 1
  while (existsSync(operationPath(layout, next))) {
    const reached = connection.write(() => foldSome(connection, context))
    if (typeof reached !== 'number') return reached
    next = reached + 1
  }
  return undefined
}

/** Folds up to a bound; returns the newest operation applied, or the one that stopped it. */
function foldSome(connection: Connection, context: CatchUp): number | Blocked {
  let { applied, hash } = readHead(connection)
  const operationsEnd = applied + OPERATIONS_AT_ONCE
  let packs = 0
  while (applied < operationsEnd && packs < PACKS_AT_ONCE) {
    const entry = readEntry(context.layout, applied + 1, hash)
    if (entry === undefined) break
    if (entry.kind === 'unknown') return entry
    const { operation } = entry
    joinPacks(connection, context, operation.packs, operation.n)
    fold(connection, operation, entry.hash)
    applied = operation.n
    hash = entry.hash
    packs += operation.packs.length
    context.onOperation?.(operation)
  }
  return applied
}
