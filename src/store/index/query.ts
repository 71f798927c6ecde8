/** Queries that people write. They run on a connection of their own, which can only read, and see the views alone by name. */
import type BetterSqlite from 'better-sqlite3'
import { ArtifactsError } from '../../errors.ts'
import { Database } from '../commonjs.ts'
import { isIndexDamage, type SqlValue } from './connection.ts'
import type { StoreIndex } from './store-index.ts'
import { viewDefinitions } from './views.ts'

/** Whole numbers that JavaScript can't hold are text, bytes are hex digits. */
export type SqlCell = string | number | null

export interface SqlResult {
  readonly columns: readonly string[]
  /** Read as they are asked for, once; all are of one moment. */
  readonly rows: Iterable<readonly SqlCell[]>
}

/**
 * Runs a query that answers with rows.
 * @param project what refs leave out
 * @throws ArtifactsError ERR_USAGE for text that is no such query.
 */
export function runQuery(
  index: StoreIndex,
  project: string,
  sql: string,
  values: readonly SqlValue[] = [],
): SqlResult {
  const database = openReadOnly(index)
  try {
    for (const [name, definition] of viewDefinitions(project)) {
      database.exec(`CREATE TEMP VIEW "${name}" AS ${definition}`)
    }
    database.pragma('query_only = ON')
    const statement = prepare(database, sql)
    const columns = statement.columns().map(({ name }) => name)
    return { columns, rows: readRows(database, statement, values) }
  } catch (error) {
    database.close()
    throw error
  }
}

/** The database of the index; where that is kept in memory, a copy of it. */
function openReadOnly(index: StoreIndex): BetterSqlite.Database {
  const source = index.read((connection) =>
    connection.path === ':memory:' ? connection.serialize() : connection.path,
  )
  const database = new Database(source, { readonly: true, timeout: 15_000 })
  database.pragma('temp_store = MEMORY')
  database.pragma('trusted_schema = OFF')
  return database
}

function prepare(database: BetterSqlite.Database, sql: string): BetterSqlite.Statement {
  const statement = attempt(() => database.prepare(sql))
  // What returns no rows changes something, if only the connection.
  if (statement.reader && statement.readonly) return statement
  throw new ArtifactsError('ERR_USAGE', 'The query changes something, and may only read.', {
    hint: 'Begin it with SELECT or WITH.',
  })
}

function* readRows(
  database: BetterSqlite.Database,
  statement: BetterSqlite.Statement,
  values: readonly SqlValue[],
): Generator<readonly SqlCell[]> {
  try {
    const rows = attempt(() =>
      statement
        .raw()
        .safeIntegers()
        .iterate(...values),
    )
    for (;;) {
      const next = attempt(() => rows.next())
      if (next.done === true) return
      yield (next.value as (SqlValue | Buffer)[]).map(toCell)
    }
  } finally {
    database.close()
  }
}

/** What SQLite says of a query is said to whoever wrote it. */
function attempt<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    const isMistake = error instanceof Database.SqliteError || error instanceof RangeError
    if (!isMistake || isIndexDamage(error)) throw error
    throw new ArtifactsError('ERR_USAGE', `The query can't be run: ${error.message}.`, {
      hint: 'The views are artifacts, versions, deleted_versions, aliases, alias_history, tags, links, runs, edges, operations and packs: docs/sql.md has their columns.',
      cause: error,
    })
  }
}

function toCell(value: SqlValue): SqlCell {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}
