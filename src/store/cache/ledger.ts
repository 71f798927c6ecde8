/**
 * What a cache of local copies holds, and who used what when: `cache.db` beside the copies. Its write lock is what keeps
 * a copy from being given out and given up at once. It may be lost: copies that are there without it are taken up as if
 * they had been handed out just now, and are read before anybody gets them.
 */
import { lstatSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { Connection, isIndexDamage } from '../index/connection.ts'
import type { Io } from '../io/io.ts'
import { isAbandoned, temporaryName } from '../layout.ts'

/** Absolute paths. */
export interface CacheLayout {
  readonly root: string
  readonly database: string
  /** Files by content, hard links of which make up the copies. */
  readonly contents: string
  readonly copies: string
  readonly tmp: string
}

export function cacheLayout(root: string): CacheLayout {
  const at = (name: string): string => join(root, name)
  const [contents, copies, tmp] = [at('contents'), at('copies'), at('tmp')]
  return { root, database: at('cache.db'), contents, copies, tmp }
}

/** A copy: a directory under `copies/`. Times are milliseconds since 1970. */
export interface CopyRow {
  readonly name: string
  /** What it is a copy of. */
  readonly key: string
  /** The ref that it was last handed out for. */
  readonly label: string
  readonly files: number
  readonly bytes: number
  /** Those of its bytes that it shares with no other copy. */
  readonly own: number
  readonly madeAt: number
  readonly usedAt: number
  /** Somebody has changed it: it is not handed out any more. */
  readonly altered: 0 | 1
}

/** A copy is handed out. */
export interface Use {
  /** What it is a copy of. */
  readonly key: string
  /** What messages call it. */
  readonly label: string
  /** Of the version that it was asked for. */
  readonly digest: string
}

/** A file under `contents/`, as it was when its bytes were known to be right. */
export interface ContentRow {
  readonly key: string
  readonly bytes: number
  readonly inode: string
  readonly stamp: string
}

const SCHEMA_VERSION = 3
const SCHEMA = `
CREATE TABLE copy (
  name TEXT PRIMARY KEY,
  key TEXT NOT NULL,
  label TEXT NOT NULL,
  files INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  own INTEGER NOT NULL,
  madeAt INTEGER NOT NULL,
  usedAt INTEGER NOT NULL,
  altered INTEGER NOT NULL
) STRICT;
CREATE INDEX copy_key ON copy (key);
CREATE INDEX copy_used ON copy (usedAt);
CREATE TABLE source (
  copy TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (copy, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE content (
  key TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL,
  inode TEXT NOT NULL,
  stamp TEXT NOT NULL
) STRICT;
CREATE INDEX content_inode ON content (inode);
CREATE TABLE fetched (
  reference TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE build (
  key TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
`
/** How long a process that builds a copy may be silent, where nobody here can tell whether it lives. */
const SILENCE_MS = 60_000
const COPY =
  'INSERT INTO copy (name, key, label, files, bytes, own, madeAt, usedAt, altered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'

export class Ledger implements Disposable {
  readonly layout: CacheLayout
  readonly #connection: Connection

  /**
   * Opens the ledger of a cache, which is made where there is none.
   * @param adopt called where the ledger is new, to take up what is there without it
   */
  static open(io: Io, layout: CacheLayout, adopt: (ledger: Ledger) => void): Ledger {
    for (const path of [layout.contents, layout.copies, layout.tmp]) {
      io.mkdir(path, { recursive: true })
    }
    for (let replaced = 0; ; replaced++) {
      const inode = inodeOf(layout.database)
      if (inode === undefined) create(io, layout, adopt)
      try {
        return Ledger.#existing(layout)
      } catch (error) {
        const isUseless = isIndexDamage(error) || error instanceof ForeignLedgerError
        if (!isUseless || replaced > 1) throw error
        // Unless another process has replaced it already.
        if (inode === inodeOf(layout.database)) removeDatabase(io, layout.database)
      }
    }
  }

  static #existing(layout: CacheLayout): Ledger {
    const connection = new Connection(layout.database)
    try {
      if (connection.value('PRAGMA user_version') !== SCHEMA_VERSION) throw new ForeignLedgerError()
      return new Ledger(connection, layout)
    } catch (error) {
      connection.close()
      throw error
    }
  }

  constructor(connection: Connection, layout: CacheLayout) {
    this.#connection = connection
    this.layout = layout
  }

  close(): void {
    this.#connection.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Runs `change` in a transaction that has the cache's write lock. */
  write<T>(change: () => T): T {
    return this.#connection.write(change)
  }

  /** The copy to hand out under this key, noted as used: from here on it is safe for as long as used copies are. */
  use({ key, label, digest }: Use, now: number): CopyRow | undefined {
    return this.write(() => {
      const found = this.find(key)
      if (found === undefined) return undefined
      const from = 'INSERT OR IGNORE INTO source (copy, digest) VALUES (?, ?)'
      this.#connection.run(from, found.name, digest)
      const sql = 'UPDATE copy SET usedAt = max(usedAt, ?), label = ? WHERE name = ?'
      this.#connection.run(sql, now, label, found.name)
      return found
    })
  }

  find(key: string): CopyRow | undefined {
    return this.#connection.get('SELECT * FROM copy WHERE key = ? AND NOT altered LIMIT 1', key)
  }

  has(name: string): boolean {
    return this.#connection.get('SELECT 1 FROM copy WHERE name = ?', name) !== undefined
  }

  add({ name, key, label, files, bytes, own, madeAt, usedAt, altered }: CopyRow): void {
    this.#connection.run(COPY, name, key, label, files, bytes, own, madeAt, usedAt, altered)
  }

  /** The one used last comes first. */
  copies(): CopyRow[] {
    return this.#connection.all('SELECT * FROM copy ORDER BY usedAt DESC, name')
  }

  setAltered(name: string): void {
    this.#connection.run('UPDATE copy SET altered = 1 WHERE name = ?', name)
  }

  /**
   * Gives up the copy that was used least recently, if that was before `before` and for no version with one of the
   * digests `held`; its files are the caller's to remove.
   */
  giveUp(before: number, held: readonly string[]): string | undefined {
    return this.write(() => {
      const sql =
        'SELECT name FROM copy WHERE usedAt < ? AND NOT EXISTS (SELECT 1 FROM source ' +
        'WHERE copy = name AND digest IN (SELECT value FROM json_each(?))) ORDER BY usedAt, name LIMIT 1'
      const name = this.#connection.value<string>(sql, before, JSON.stringify(held))
      if (name === undefined) return undefined
      this.#connection.run('DELETE FROM copy WHERE name = ?', name)
      this.#connection.run('DELETE FROM source WHERE copy = ?', name)
      return name
    })
  }

  content(key: string): ContentRow | undefined {
    return this.#connection.get('SELECT * FROM content WHERE key = ?', key)
  }

  contentOf(inode: string): ContentRow | undefined {
    return this.#connection.get('SELECT * FROM content WHERE inode = ?', inode)
  }

  setContent({ key, bytes, inode, stamp }: ContentRow): void {
    const sql = 'INSERT OR REPLACE INTO content (key, bytes, inode, stamp) VALUES (?, ?, ?, ?)'
    this.#connection.run(sql, key, bytes, inode, stamp)
  }

  removeContent(key: string): void {
    this.#connection.run('DELETE FROM content WHERE key = ?', key)
  }

  contentKeys(): string[] {
    return this.#connection
      .all<{ readonly key: string }>('SELECT key FROM content')
      .map(({ key }) => key)
  }

  /** The content that a reference turned out to have. */
  fetched(reference: string): { readonly sha256: string; readonly bytes: number } | undefined {
    return this.#connection.get('SELECT sha256, bytes FROM fetched WHERE reference = ?', reference)
  }

  setFetched(reference: string, { sha256, bytes }: { sha256: string; bytes: number }): void {
    const sql = 'INSERT OR REPLACE INTO fetched (reference, sha256, bytes) VALUES (?, ?, ?)'
    this.#connection.run(sql, reference, sha256, bytes)
  }

  /** All bytes in the cache, each once however many copies share it. */
  bytes(): number {
    const sum = (of: string): number => this.#connection.value<number>(of) ?? 0
    return sum('SELECT sum(bytes) FROM content') + sum('SELECT sum(own) FROM copy')
  }

  /** Whether this process builds the copy from now on; false while another does. */
  claim(key: string, owner: string, now: number): boolean {
    return this.write(() => {
      const sql = 'SELECT owner, at FROM build WHERE key = ?'
      const other = this.#connection.get<{ owner: string; at: number }>(sql, key)
      if (other !== undefined && !isGone(other, now)) return false
      this.#connection.run('INSERT OR REPLACE INTO build VALUES (?, ?, ?)', key, owner, now)
      return true
    })
  }

  /** Says that the building goes on. */
  keepClaim(owner: string, now: number): void {
    this.#connection.run('UPDATE build SET at = ? WHERE owner = ?', now, owner)
  }

  dropClaim(owner: string): void {
    this.#connection.run('DELETE FROM build WHERE owner = ?', owner)
  }
}

/** A ledger of another version of the program. */
class ForeignLedgerError extends Error {}

/** Makes a ledger aside and gives it its name at once: several processes may not turn one file into a database. */
function create(io: Io, layout: CacheLayout, adopt: (ledger: Ledger) => void): void {
  const path = join(layout.tmp, temporaryName())
  const connection = new Connection(path, { create: true })
  try {
    connection.execute(SCHEMA)
    adopt(new Ledger(connection, layout))
    connection.execute(`PRAGMA user_version = ${SCHEMA_VERSION}`)
  } finally {
    connection.close()
  }
  // Whoever may write in the directory may use the cache.
  io.chmod(path, statSync(layout.root).mode & 0o666)
  publish(io, path, layout.database)
}

function publish(io: Io, path: string, database: string): void {
  try {
    io.linkExclusive(path, database)
    io.unlink(path)
  } catch (error) {
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error
    // A file system without links.
    io.rename(path, database)
  }
}

function removeDatabase(io: Io, path: string): void {
  for (const suffix of ['-wal', '-shm', '']) {
    try {
      io.unlink(path + suffix)
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error
    }
  }
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino
}

function isGone({ owner, at }: { owner: string; at: number }, now: number): boolean {
  return isAbandoned(owner, now, at) || Math.abs(now - at) > SILENCE_MS
}
