/** The log as people read it: who did what when, in a few words or with all facts. */
import { ArtifactsError, damaged } from './errors.ts'
import type { Session } from './session.ts'
import type { OperationRow } from './store/index/state.ts'
import type { Change } from './store/log/change.ts'
import { LogReader } from './store/log/log-reader.ts'
import type { JoiningPack, Operation } from './store/log/operation.ts'
import { describeChange, summarize } from './wording.ts'

export interface OperationSummary {
  readonly operation: number
  /** UTC, ISO 8601 with milliseconds. */
  readonly at: string
  readonly user: string
  readonly host: string
  readonly tool: string
  /** What it did, in the words of commands and with today's names: `commit bike:v3 (best)`. */
  readonly summary: string
  /** The operation that it undoes. */
  readonly undoes?: number
  /** The operation by which it is undone now. */
  readonly undone?: number
}

export interface OperationDetails extends OperationSummary {
  /** SHA-256 of the operation, and of the one before. */
  readonly hash: string
  readonly prev: string
  readonly nonce: string
  /** The packs that joined the store with it. */
  readonly packs: readonly JoiningPack[]
  /** As they stand in the log (docs/format.md section 6). */
  readonly changes: readonly Change[]
  /** Each of the changes in words. */
  readonly words: readonly string[]
}

/** Read together, in the order in which that is fast. */
const AT_ONCE = 100

/** Operations, the newest first. */
export function* listOperations(
  session: Session,
  options: { readonly limit?: number } = {},
): Generator<OperationSummary> {
  const { state, layout } = logOf(session)
  using reader = new LogReader(layout)
  let left = options.limit ?? Number.POSITIVE_INFINITY
  for (let before = Number.MAX_SAFE_INTEGER; left > 0; ) {
    const rows = state.operationsBefore(before, Math.min(AT_ONCE, left))
    const oldest = rows.at(-1)
    if (oldest === undefined) return
    const summaries = rows
      .toReversed()
      .map((row) => summaryOf(session, row, readOperation(reader, row)))
    yield* summaries.toReversed()
    before = oldest.n
    left -= rows.length
  }
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_DAMAGED. */
export function operationDetails(session: Session, n: number): OperationDetails {
  const { operation, row } = findOperation(session, n)
  const { prev, nonce, packs, changes } = operation
  return {
    ...summaryOf(session, row, operation),
    hash: row.hash,
    prev,
    nonce,
    packs,
    changes,
    words: changes.map((change) => describeChange(session, change)),
  }
}

/** The operation with this number. @throws ArtifactsError ERR_NOT_FOUND, ERR_DAMAGED. */
export function findOperation(
  session: Session,
  n: number,
): { readonly operation: Operation; readonly row: OperationRow } {
  const { state, layout } = logOf(session)
  const row = state.operation(n)
  if (row === undefined) {
    const [newest] = state.operationsBefore(Number.MAX_SAFE_INTEGER, 1)
    throw new ArtifactsError('ERR_NOT_FOUND', `There is no operation "${n}".`, {
      hint:
        newest === undefined
          ? 'Nothing was committed to this store yet.'
          : `The newest is ${newest.n}: run \`artifacts op log\` to see them.`,
    })
  }
  using reader = new LogReader(layout)
  return { operation: readOperation(reader, row), row }
}

/** The newest operation after `n` of which a change answers the question with yes. */
export function laterOperation(
  session: Session,
  n: number,
  isWanted: (change: Change) => boolean,
): OperationRow | undefined {
  const { state, layout } = logOf(session)
  using reader = new LogReader(layout)
  let found: OperationRow | undefined
  for (let at = n + 1; ; at++) {
    const row = state.operation(at)
    if (row === undefined) return found
    if (readOperation(reader, row).changes.some(isWanted)) found = row
  }
}

function summaryOf(session: Session, row: OperationRow, operation: Operation): OperationSummary {
  const { n, at, user, host, tool, undoes, undone } = row
  return {
    operation: n,
    at,
    user,
    host,
    tool,
    summary: summarize(session, operation.changes),
    ...(undoes === undefined ? {} : { undoes }),
    ...(undone === undefined ? {} : { undone }),
  }
}

function readOperation(reader: LogReader, { n, hash }: OperationRow): Operation {
  const entry = reader.read(n, undefined)
  if (entry?.kind === 'operation' && entry.hash === hash) return entry.operation
  throw damaged(`Operation ${n} is not the one that the index was made from.`)
}

function logOf({ opened }: Session): {
  readonly state: Session['state']
  readonly layout: Session['opened']['layout']
} {
  return { state: opened.index.state, layout: opened.layout }
}
