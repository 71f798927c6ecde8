/** Read-only SQL over the documented views (docs/sql.md). */
import type { Session } from './session.ts'
import { runQuery, type SqlCell, type SqlResult } from './store/index/query.ts'

export type { SqlCell, SqlResult }

/** @throws ArtifactsError ERR_USAGE for text that is no query, or one that changes something. */
export function querySql(
  { opened, defaults }: Session,
  sql: string,
  values: readonly (string | number | null)[] = [],
): SqlResult {
  return runQuery(opened.index, defaults.project, sql, values)
}
