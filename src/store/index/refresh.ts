/**
 * Brings an index up to the newest operation. Opening a store is two looks: operation `applied` is there with the hash
 * that the index noted; `applied + 1` is there, or not. Only what is new is folded, in transactions that look at
 * `applied` again once they have the lock, for other processes fold into the same index.
 */
import { ArtifactsError } from '../../errors.ts'
import type { Layout } from '../layout.ts'
import { LogReader } from '../log/log-reader.ts'
import type { LogEntry, Operation } from '../log/operation.ts'
import { type Connection, IndexDamageError } from './connection.ts'
import { fold } from './fold.ts'
import { forgetDropped, joinPacks, type PackProblem, standing } from './packs.ts'

/** Where the fold stands. */
export interface Head {
  /** The newest operation folded; 0: none. */
  readonly applied: number
  /** Its hash; of `format.json` for 0. */
  readonly hash: string
  /** The hash of the newest operation that is known to survive a power loss; it may be an older one. */
  readonly durable: string
}

/**
 * An operation that this program does not understand, or that is damaged: the store cannot be changed, and is read as it
 * was before; one that was folded before it was damaged still counts.
 */
export type Blocked =
  | { readonly n: number; readonly tool: string; readonly why: string }
  | { readonly n: number; readonly damage: ArtifactsError }

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
 * Folds all new operations; returns the first one that is not understood or damaged, if any. Throws a LogChangedError
 * when the log is not the one that the index was made from, and a RuleError when an operation contradicts the fold.
 */
export function catchUp(connection: Connection, context: CatchUp): Blocked | undefined {
  const { layout } = context
  const { applied, hash } = readHead(connection)
  using reader = new LogReader(layout, { wholeLog: applied === 0 })
  if (applied > 0 && !reader.bears(applied, hash)) {
    const entry = readOrBlock(reader, applied, undefined)
    if (entry !== undefined && 'damage' in entry) return entry
    throw new LogChangedError(`Operation ${applied} is not the one the index was made from.`)
  }
  const problems: PackProblem[] = []
  const onPackProblem = (problem: PackProblem): void => void problems.push(problem)
  let reached: number | Blocked = applied
  while (typeof reached === 'number' && reader.has(reached + 1)) {
    reached = connection.write(() => foldSome(connection, reader, { ...context, onPackProblem }))
  }
  // A pack may be gone because a later operation drops it: then nothing is wrong.
  for (const problem of standing(connection, problems)) context.onPackProblem(problem)
  return typeof reached === 'number' ? undefined : reached
}

/** Folds up to a bound; returns the newest operation applied, or the one that stopped it. */
function foldSome(connection: Connection, reader: LogReader, context: CatchUp): number | Blocked {
  let { applied, hash } = readHead(connection)
  const operationsEnd = applied + OPERATIONS_AT_ONCE
  let packs = 0
  while (applied < operationsEnd && packs < PACKS_AT_ONCE) {
    const entry = readOrBlock(reader, applied + 1, hash)
    if (entry === undefined) break
    if ('damage' in entry || entry.kind === 'unknown') return entry
    const { operation } = entry
    joinPacks(connection, context, operation.packs, operation.n)
    forgetDropped(connection, context.layout, operation.changes)
    fold(connection, operation, entry.hash)
    applied = operation.n
    hash = entry.hash
    packs += operation.packs.length
    context.onOperation?.(operation)
  }
  return applied
}

function readOrBlock(
  reader: LogReader,
  n: number,
  prev: string | undefined,
): LogEntry | Extract<Blocked, { damage: unknown }> | undefined {
  try {
    return reader.read(n, prev)
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_DAMAGED') throw error
    return { n, damage: error }
  }
}
