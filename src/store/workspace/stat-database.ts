/**
 * The file behind the stat cache: one row for each segment (docs/format.md section 7). It may be deleted at any time, so
 * it is not synced, and no error of SQLite is one of the caller's: a file that is damaged, foreign or of another
 * version is replaced by an empty one, and one that cannot be read or written is done without.
 */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import type BetterSqlite from 'better-sqlite3'
import { isSystemError } from '../../errors.ts'
import { Database } from '../commonjs.ts'
import type { Io } from '../io/io.ts'

export interface SegmentChange {
  readonly directory: string
  /** First name of the segment that goes, if there is one. */
  readonly removed: string | undefined
  /** First names and blocks of the segments that come. */
  readonly added: readonly { readonly first: string; readonly block: Buffer }[]
}

export class StatDatabase {
  readonly #io: Io
  readonly #path: string
  readonly #store: string
  #open: Open | undefined
  #replaced = false

  /** @param store id of the store: content ids of another one say nothing about what is in this one. */
  constructor(io: Io, path: string, store: string) {
    this.#io = io
    this.#path = path
    this.#store = store
    this.#connect()
  }

  /** First names of a directory's segments, ascending. */
  firsts(directory: string): readonly string[] {
    return this.#attempt(({ firsts }) => firsts.all(directory) as string[], [])
  }

  read(directory: string, first: string): Buffer | undefined {
    return this.#attempt(
      ({ block }) => block.get(directory, first) as Buffer | undefined,
      undefined,
    )
  }

  /** Makes all changes or none. */
  write(changes: readonly SegmentChange[]): void {
    this.#attempt(({ database, remove, add }) => {
      database
        .transaction(() => {
          for (const { directory, removed, added } of changes) {
            if (removed !== undefined) remove.run(directory, removed)
            for (const { first, block } of added) add.run(directory, first, block)
          }
        })
        .immediate()
    }, undefined)
  }

  /** Forgets a directory and all below it; the empty path is above all that are not absolute. */
  forget(directory: string): void {
    const above = directory === '' ? '' : `${directory}/`
    const below = directory === '' ? '\u{10ffff}' : `${directory}0`
    this.#attempt(({ database }) => {
      database
        .prepare('DELETE FROM segment WHERE directory = ? OR (directory >= ? AND directory < ?)')
        .run(directory, above, below)
    }, undefined)
  }

  /** Forgets directories that are not there any more, if that was not done since `since` (ms since 1970). */
  prune(since: number, now: number, isThere: (directory: string) => boolean): void {
    this.#attempt(({ database }) => {
      const pruned = database.prepare('SELECT pruned FROM about').pluck().get() as number
      // A time in the future is one from a clock that was wrong.
      if (pruned > since && pruned <= now) return
      const all = database.prepare('SELECT DISTINCT directory FROM segment').pluck().all()
      const gone = (all as string[]).filter((directory) => !isThere(directory))
      const remove = database.prepare('DELETE FROM segment WHERE directory = ?')
      database
        .transaction(() => {
          for (const directory of gone) remove.run(directory)
          database.prepare('UPDATE about SET pruned = ?').run(now)
        })
        .immediate()
    }, undefined)
  }

  close(): void {
    this.#open?.database.close()
    this.#open = undefined
  }

  #attempt<T>(use: (open: Open) => T, otherwise: T): T {
    if (this.#open === undefined) return otherwise
    try {
      return use(this.#open)
    } catch (error) {
      if (!isTrouble(error)) throw error
      this.close()
      if (isDamage(error)) this.#replace()
      return otherwise
    }
  }

  #connect(): void {
    try {
      this.#open = open(this.#io, this.#path, this.#store)
    } catch (error) {
      if (isForeign(error) || isDamage(error)) this.#replace()
      else if (!isTrouble(error)) throw error
    }
  }

  /** Once: what is damaged at once again is better done without. */
  #replace(): void {
    if (this.#replaced) return
    this.#replaced = true
    try {
      for (const suffix of ['-wal', '-shm', '']) removeIfThere(this.#io, this.#path + suffix)
    } catch (error) {
      if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'EIO')) return
      throw error
    }
    this.#connect()
  }
}

interface Open {
  readonly database: BetterSqlite.Database
  readonly firsts: BetterSqlite.Statement
  readonly block: BetterSqlite.Statement
  readonly remove: BetterSqlite.Statement
  readonly add: BetterSqlite.Statement
}

class ForeignDatabase extends Error {}

const APPLICATION = 0x61727473
const SCHEMA_VERSION = 1
/** Waiting longer for another process costs more than reading files once more. */
const BUSY_MS = 500

const SCHEMA = `
  CREATE TABLE segment (
    directory TEXT NOT NULL,
    first TEXT NOT NULL,
    block BLOB NOT NULL,
    PRIMARY KEY (directory, first)
  );
  CREATE TABLE about (store TEXT NOT NULL, pruned REAL NOT NULL);
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${SCHEMA_VERSION};
`

const MEMORY = ':memory:'

function open(io: Io, path: string, store: string): Open {
  const database = new Database(path, { timeout: BUSY_MS })
  try {
    database.pragma('page_size = 16384')
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = OFF')
    database.pragma('trusted_schema = OFF')
    if (isEmpty(database)) {
      // As writable as the directory is: that of a shared store is for its group.
      if (path !== MEMORY) io.chmod(path, statSync(dirname(path)).mode & 0o666)
      // Another process may have made the tables meanwhile.
      const create = database.transaction(() => {
        if (!isEmpty(database)) return
        database.exec(SCHEMA)
        database.prepare('INSERT INTO about VALUES (?, 0)').run(store)
      })
      create.immediate()
    }
    checkOwner(database, store)
    const sql = (text: string): BetterSqlite.Statement => database.prepare(text)
    return {
      database,
      firsts: sql('SELECT first FROM segment WHERE directory = ? ORDER BY first').pluck(),
      block: sql('SELECT block FROM segment WHERE directory = ? AND first = ?').pluck(),
      remove: sql('DELETE FROM segment WHERE directory = ? AND first = ?'),
      add: sql('INSERT OR REPLACE INTO segment VALUES (?, ?, ?)'),
    }
  } catch (error) {
    database.close()
    throw error
  }
}

function isEmpty(database: BetterSqlite.Database): boolean {
  return database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
}

function checkOwner(database: BetterSqlite.Database, store: string): void {
  const owned =
    database.pragma('application_id', { simple: true }) === APPLICATION &&
    database.pragma('user_version', { simple: true }) === SCHEMA_VERSION &&
    database.prepare('SELECT store FROM about').pluck().get() === store
  if (!owned) throw new ForeignDatabase()
}

/** A database without our tables is one that says it is ours and is not. */
function isForeign(error: unknown): boolean {
  if (error instanceof ForeignDatabase) return true
  return error instanceof Database.SqliteError && error.code === 'SQLITE_ERROR'
}

/** What SQLite says about its file or its surroundings. What it says about the program is a mistake in the program. */
function isTrouble(error: unknown): boolean {
  return error instanceof Database.SqliteError && !PROGRAM_ERRORS.has(error.code)
}

const PROGRAM_ERRORS: ReadonlySet<string> = new Set([
  'SQLITE_ERROR',
  'SQLITE_MISUSE',
  'SQLITE_RANGE',
])

function isDamage(error: unknown): boolean {
  if (!(error instanceof Database.SqliteError)) return false
  const { code } = error
  return (
    code === 'SQLITE_NOTADB' ||
    code.startsWith('SQLITE_CORRUPT') ||
    code.startsWith('SQLITE_IOERR') ||
    code.startsWith('SQLITE_CONSTRAINT')
  )
}

function removeIfThere(io: Io, path: string): void {
  try {
    io.unlink(path)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}
