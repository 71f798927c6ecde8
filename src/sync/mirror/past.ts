/**
 * A remote's state as it was after earlier operations: what was noted of its log, folded up to there. What is asked for is
 * nearly always where things were merged last, and next time a little later: so the fold is kept in a database beside the
 * mirror's, and goes on where it stopped. It can be thrown away like the mirror's.
 */
import { statSync } from 'node:fs'
import { isSystemError } from '../../errors.ts'
import { type Connection, isIndexDamage } from '../../store/index/connection.ts'
import type { StateView } from '../../store/index/state.ts'
import { stateView } from '../../store/index/state-view.ts'
import type { Io } from '../../store/io/io.ts'
import { decodeOperation } from '../../store/log/operation.ts'
import { notedRecords } from '../log/noted-log.ts'
import {
  foldOperation,
  type Mirrored,
  openDatabase,
  readFolded,
  removeDatabase,
} from './database.ts'

export interface PastOf {
  readonly io: Io
  readonly mirrored: Mirrored
  /** What was noted. */
  readonly log: string
  /** Where the fold is kept; `:memory:`: nowhere. */
  readonly path: string
}

type Visit = (state: StateView, n: number) => void

/**
 * Shows the states after operations, one after another.
 * @param visit is done with the state when it returns; it may be shown one again
 */
export async function visitPast(
  past: PastOf,
  operations: Iterable<number>,
  visit: Visit,
): Promise<void> {
  const wanted = new Set([...operations].filter((n) => n > 0))
  if (wanted.size === 0) return
  if (past.path !== ':memory:' && (await visitKept(past, wanted, visit))) return
  await visitOnce({ ...past, path: ':memory:' }, wanted, visit)
}

/** False where the kept fold is damaged, is of another log, or has gone past what is asked for. */
async function visitKept(
  past: PastOf,
  wanted: ReadonlySet<number>,
  visit: Visit,
): Promise<boolean> {
  try {
    const seen = await visitOnce(past, wanted, visit)
    if (seen === wanted.size) return true
    if (isOfLongerLog(past)) removeDatabase(past.io, past.path)
    return false
  } catch (error) {
    if (!isIndexDamage(error)) throw error
    removeDatabase(past.io, past.path)
    return false
  }
}

/** Returns how many of the states were shown. */
async function visitOnce(
  { io, mirrored, log, path }: PastOf,
  wanted: ReadonlySet<number>,
  visit: Visit,
): Promise<number> {
  const last = Math.max(...wanted)
  const connection = openDatabase(io, path, mirrored)
  const seen = new Set<number>()
  const state = stateView(connection)
  const show = (n: number): void => {
    // Another process may be ahead.
    if (!wanted.has(n) || readFolded(connection).n !== n) return
    visit(state, n)
    seen.add(n)
  }
  try {
    const from = readFolded(connection)
    connection.write(() => show(from.n))
    if (from.n >= last) return seen.size
    let prev = from.hash
    for await (const { n, hash, length, bytes } of notedRecords(log, from)) {
      const entry = decodeOperation(bytes, { n, prev, path: log })
      if (entry.kind !== 'operation') break
      prev = hash
      connection.write(() => {
        if (readFolded(connection).n < n)
          foldOperation(connection, entry.operation, { hash, length }, log)
        show(n)
      })
      if (n === last) break
    }
    return seen.size
  } finally {
    connection.close()
  }
}

/** The log was lost, and is not read again as far as it was folded. */
function isOfLongerLog({ io, mirrored, log, path }: PastOf): boolean {
  const connection: Connection = openDatabase(io, path, mirrored)
  try {
    return readFolded(connection).length > sizeOf(log)
  } finally {
    connection.close()
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0
    throw error
  }
}
