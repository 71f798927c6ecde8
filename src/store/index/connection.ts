/**
 * A connection to an index database: pragmas, cached statements, transactions.
 *
 * Settings: `busy_timeout` comes first, for the other pragmas can meet a lock too; WAL with `synchronous=NORMAL` loses
 * at most the newest transactions with the power, never their order, and the log has them all; no memory map, whose
 * page faults on a file that was cut kill the process.
 */
import type BetterSqlite from 'better-sqlite3'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { Database } from '../commonjs.ts'

/** Older ones can corrupt a WAL database that two connections write (the WAL-reset race, fixed 2026-03). */
const OLDEST_SQLITE = [3, 51, 3] as const
const BUSY_MS = 15_000
export const PAGE_BYTES = 4096
const CACHE_KIB = 16 * 1024

export type SqlValue = string | number | bigint | Uint8Array | null

export class Connection {
  readonly path: string
  readonly #database: BetterSqlite.Database
  readonly #statements = new Map<string, BetterSqlite.Statement>()
  readonly #values = new Map<string, BetterSqlite.Statement>()

  /** Opens a file that exists, or `:memory:`. `build` makes writes fast and unsafe: for a file that nobody uses yet. */
  constructor(path: string, options: { readonly create?: boolean; readonly build?: boolean } = {}) {
    this.path = path
    this.#database = new Database(path, {
      fileMustExist: path !== ':memory:' && options.create !== true,
      timeout: BUSY_MS,
    })
    try {
      checkSqliteVersion(this.#database)
      this.#database.pragma(`page_size = ${PAGE_BYTES}`)
      const [journal, sync] = options.build === true ? ['MEMORY', 'OFF'] : ['WAL', 'NORMAL']
      this.#database.pragma(`journal_mode = ${journal}`)
      this.#database.pragma(`synchronous = ${sync}`)
      this.#database.pragma('trusted_schema = OFF')
      this.#database.pragma('mmap_size = 0')
      this.#database.pragma(`cache_size = -${CACHE_KIB}`)
      this.#database.pragma('journal_size_limit = 67108864')
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** The first row, or undefined. */
  get<R>(sql: string, ...values: readonly SqlValue[]): R | undefined {
    return this.statement(sql).get(...values) as R | undefined
  }

  /** The first column of the first row, or undefined. */
  value<T>(sql: string, ...values: readonly SqlValue[]): T | undefined {
    let statement = this.#values.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql).pluck()
      this.#values.set(sql, statement)
    }
    return statement.get(...values) as T | undefined
  }

  all<R>(sql: string, ...values: readonly SqlValue[]): R[] {
    return this.statement(sql).all(...values) as R[]
  }

  /** Returns the rowid of the row inserted last. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return Number(this.statement(sql).run(...values).lastInsertRowid)
  }

  /** Runs statements that return nothing and are not repeated. */
  execute(sql: string): void {
    this.#database.exec(sql)
  }

  /** The prepared statement, for loops that cannot afford to look it up each time. */
  statement(sql: string): BetterSqlite.Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** Runs `change` in one transaction that has the write lock from its start; an error undoes it. */
  write<T>(change: () => T): T {
    return this.#database.transaction(change).immediate()
  }

  /** Runs queries that all see the same moment. */
  snapshot<T>(query: () => T): T {
    return this.#database.transaction(query).deferred()
  }

  read<T>(query: (connection: Connection) => T): T {
    return query(this)
  }

  /** The whole database as bytes. */
  serialize(): Buffer {
    return this.#database.serialize()
  }

  close(): void {
    this.#database.close()
  }
}

/** A value that the program did not write there. */
export class IndexDamageError extends Error {
  static {
    this.prototype.name = 'IndexDamageError'
  }
}

/** True for an error that says the database file is not what was written to it. */
export function isIndexDamage(error: unknown): boolean {
  if (error instanceof IndexDamageError) return true
  if (!(error instanceof Database.SqliteError)) return false
  const { code } = error
  return (
    code === 'SQLITE_NOTADB' ||
    code === 'SQLITE_CANTOPEN' ||
    // Its directory can be written: it is moved, or its header says so.
    code.startsWith('SQLITE_READONLY') ||
    code === 'SQLITE_IOERR_SHORT_READ' ||
    code === 'SQLITE_IOERR_READ' ||
    code.startsWith('SQLITE_CORRUPT') ||
    code.startsWith('SQLITE_CONSTRAINT')
  )
}

/** True for an error that says that a row contradicts the schema or another row. */
export function isConstraint(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT')
}

export function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

/** True where the disk has no room for the database, or for what SQLite keeps beside it. */
export function isNoSpace(error: unknown): boolean {
  if (isSystemError(error, 'ENOSPC', 'EDQUOT')) return true
  if (!(error instanceof Database.SqliteError)) return false
  return error.code === 'SQLITE_FULL' || error.code.startsWith('SQLITE_IOERR_SHM')
}

export function isSqliteError(error: unknown): boolean {
  return error instanceof Database.SqliteError
}

function checkSqliteVersion(database: BetterSqlite.Database): void {
  const version = database.prepare('SELECT sqlite_version()').pluck().get() as string
  const parts = version.split('.').map(Number)
  for (const [i, least] of OLDEST_SQLITE.entries()) {
    const part = parts[i] ?? 0
    if (part > least) return
    if (part < least) {
      throw new ArtifactsError(
        'ERR_UNSUPPORTED',
        `SQLite ${version} is too old: it can damage the index.`,
        {
          hint: `Install a better-sqlite3 with SQLite ${OLDEST_SQLITE.join('.')} or newer.`,
        },
      )
    }
  }
}
