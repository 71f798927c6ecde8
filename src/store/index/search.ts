/**
 * Looks for live versions by what is in the columns of the index. What is in JSON (metadata, config of runs) is left to
 * the caller: the rules for its values are not SQLite's.
 */
import type { SqlValue } from './connection.ts'
import { type StoredRun, toRun, toVersion } from './rows.ts'
import type { RunRow, Source, VersionRow } from './state.ts'

/** A condition in SQL, with its values; made by the program, never from what people type. */
export interface Condition {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/**
 * Yields the versions that meet all conditions, the newest first. In them `v` is the version, `a` its artifact, `o` the
 * operation that added it.
 */
export function searchVersions(source: Source, conditions: readonly Condition[]): VersionRow[] {
  const { sql, values } = joined([{ sql: 'v.deleted IS NULL', values: [] }, ...conditions])
  return source.read((connection) =>
    connection
      .all<Parameters<typeof toVersion>[0]>(
        'SELECT v.* FROM version v JOIN artifact a ON a.id = v.artifact JOIN operation o ON o.n = v.operation ' +
          `WHERE ${sql} ORDER BY v.operation DESC, v.number DESC`,
        ...values,
      )
      .map(toVersion),
  )
}

/** The runs that meet all conditions; in them `r` is the run. */
export function searchRuns(source: Source, conditions: readonly Condition[]): RunRow[] {
  const { sql, values } = joined(conditions)
  return source.read((connection) =>
    connection.all<StoredRun>(`SELECT r.* FROM run r WHERE ${sql}`, ...values).map(toRun),
  )
}

/** That one of these runs logged the version. */
export function loggedBy(runs: readonly RunRow[]): Condition {
  const ids = JSON.stringify(runs.map(({ id }) => id))
  return {
    sql: "v.id IN (SELECT version FROM edge WHERE direction = 'output' AND run IN (SELECT value FROM json_each(?)))",
    values: [ids],
  }
}

/** That the text of this column has the other in it, in any case of letters. */
export function contains(column: string, text: string): Condition {
  return { sql: `instr(lower(${column}), lower(?)) > 0`, values: [text] }
}

function joined(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.length === 0 ? '1' : conditions.map(({ sql }) => `(${sql})`).join(' AND '),
    values: conditions.flatMap(({ values }) => values),
  }
}
