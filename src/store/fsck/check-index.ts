/**
 * Compares the store's own index with the fresh one, row by row: SQLite notices pages that are garbled, but not one
 * that an older state of the same file has come back into. An index that is merely absent or behind is none that is
 * damaged: it is brought up to date as every command does.
 */
import { type Connection, isIndexDamage } from '../index/connection.ts'
import { catchUp, LogChangedError, readHead } from '../index/refresh.ts'
import { RuleError } from '../index/rules.ts'
import { operationPath } from '../layout.ts'
import { LogReader } from '../log/log-reader.ts'
import { compareIndexes } from './compare-indexes.ts'
import type { Counts, Examination } from './examination.ts'
import { LiveIndex } from './live-index.ts'

/** Of these the next command makes a new one, and nothing went wrong. */
const HARMLESS: ReadonlySet<string> = new Set(['missing', 'schema', 'copied', 'none'])
const REASONS: Readonly<Record<string, string>> = {
  damaged: 'is damaged',
  foreign: "is another store's",
}
/** Others may replace the index, or fold into it, at any moment, but not for ever. */
const MOST_ROUNDS = 10

export function checkIndex(examination: Examination): Counts {
  for (let round = 1; ; round++) {
    const live = LiveIndex.open(examination)
    examination.live = live
    const { reason } = live
    const fault = reason === undefined ? faultOf(examination) : REASONS[reason]
    if (reason !== undefined && HARMLESS.has(reason)) return { rows: 0 }
    if (typeof fault === 'number') return { rows: fault }
    live.close()
    // Replaced meanwhile: then it is another one that counts.
    if (live.isReplaced() && round < MOST_ROUNDS) continue
    examination.problems.add(
      'index',
      live.file ?? examination.layout.index,
      `${fault}; it is rebuilt when a command needs it`,
    )
    return { rows: 0 }
  }
}

/** The number of rows that were compared, or what is wrong. */
function faultOf(examination: Examination): number | string {
  const connection = examination.live.connection as Connection
  try {
    const damage = connection.all<{ integrity_check: string }>('PRAGMA integrity_check(3)')
    if (damage[0]?.integrity_check !== 'ok') {
      return `is damaged (${damage.map((row) => row.integrity_check).join('; ')})`
    }
    // Without the whole log nobody can say what the index should be; what it remembers may be all there is.
    const { gap, blocked } = examination
    return gap === undefined && blocked === undefined ? compareWith(examination, connection) : 0
  } catch (error) {
    if (error instanceof LogChangedError || error instanceof RuleError) {
      return 'does not follow from the log'
    }
    if (!isIndexDamage(error)) throw error
    return `is damaged (${(error as Error).message})`
  }
}

function compareWith(examination: Examination, live: Connection): number | string {
  const { fresh, layout } = examination
  const { file } = examination.live
  for (let round = 1; round <= MOST_ROUNDS && file !== undefined; round++) {
    fresh.catchUp()
    if (isBehindIndex(examination, live)) return 0
    catchUp(live, { layout, onPackProblem: () => {} })
    const comparison = compareIndexes(fresh.connection, file)
    if (comparison === undefined) continue
    const { rows, differences } = comparison
    return differences.length === 0
      ? rows
      : `differs from what the log says in ${differences.join(', ')}`
  }
  return 0
}

/** Whether the index knows of operations that are not in the log any more. */
function isBehindIndex(examination: Examination, live: Connection): boolean {
  const { fresh, layout, problems } = examination
  const next = readHead(fresh.connection).applied + 1
  const { applied } = readHead(live)
  if (applied < next) return false
  using reader = new LogReader(layout)
  if (reader.has(next)) return false
  const what = `is missing: the index was made with operations up to ${applied}`
  problems.add('log', operationPath(layout, next), what)
  examination.gap = next
  return true
}
