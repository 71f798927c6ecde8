/**
 * The database of a mirror: the fold of a remote's log, and where its objects are. It is made from what was read of the log
 * and from the tables of the packs, and can be thrown away at any moment.
 */
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { Connection, isIndexDamage } from '../../store/index/connection.ts'
import { fold } from '../../store/index/fold.ts'
import { RuleError } from '../../store/index/rules.ts'
import { SCHEMA } from '../../store/index/schema.ts'
import type { Io } from '../../store/io/io.ts'
import type { Change } from '../../store/log/change.ts'
import type { JoiningPack, Operation } from '../../store/log/operation.ts'
import { MARK, MIRROR_TABLES } from './schema.ts'

/** Which remote a mirror is of: its store id, and the hash of its `format.json`, which operation 1 follows. */
export interface Mirrored {
  readonly id: string
  readonly hash: string
}

export interface Folded {
  readonly n: number
  readonly hash: string
  /** Bytes of what was noted of the log. */
  readonly length: number
}

/** Opens the database; one that is missing, damaged, another remote's or another program's is made anew, empty. */
export function openDatabase(io: Io, path: string, mirrored: Mirrored): Connection {
  if (path === ':memory:') return build(path, mirrored)
  const opened = tryOpen(path, mirrored)
  if (opened !== undefined) return opened
  removeDatabase(io, path)
  return build(path, mirrored)
}

export function removeDatabase(io: Io, path: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) removeIfThere(io, path + end)
}

/** Folds an operation of the remote. In a transaction. @throws ArtifactsError ERR_REMOTE_CHANGED when it breaks a rule. */
export function foldOperation(
  connection: Connection,
  operation: Operation,
  { hash, length }: Omit<Folded, 'n'>,
  address: string,
): void {
  try {
    for (const pack of operation.packs) join(connection, pack, operation.n)
    fold(connection, operation, hash)
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    throw new ArtifactsError(
      'ERR_REMOTE_CHANGED',
      `Operation ${operation.n} of "${address}" breaks a rule of the log: ${error.message}.`,
      {
        hint: 'What lies there was not written by this program. Ask who looks after it.',
        cause: error,
      },
    )
  }
  for (const change of operation.changes) note(connection, change, operation.n)
  connection.run('UPDATE mirror SET length = ?', length)
}

export function readFolded(connection: Connection): Folded {
  const row = connection.get<{ n: number; hash: string; length: number }>(
    'SELECT applied AS n, hash, length FROM store, mirror',
  )
  if (row === undefined) throw new Error('A mirror has a state from its beginning.')
  return row
}

function tryOpen(path: string, { id, hash }: Mirrored): Connection | undefined {
  let connection: Connection | undefined
  try {
    connection = new Connection(path)
    const isOurs =
      connection.value<number>('PRAGMA user_version') === MARK &&
      connection.value<string>('SELECT id FROM store') === id &&
      connection.value<string>('SELECT file FROM store') === hash &&
      connection.value<string>('PRAGMA quick_check(1)') === 'ok'
    if (isOurs) return connection
  } catch (error) {
    if (!isIndexDamage(error)) {
      connection?.close()
      throw error
    }
  }
  connection?.close()
  return undefined
}

function removeIfThere(io: Io, path: string): void {
  try {
    io.unlink(path)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}

function build(path: string, { id, hash }: Mirrored): Connection {
  const connection = new Connection(path, { create: true })
  try {
    connection.write(() => {
      // Another process may have been faster.
      if (connection.value<number>('PRAGMA user_version') === MARK) return
      connection.execute(SCHEMA)
      connection.execute(MIRROR_TABLES)
      connection.run('INSERT INTO store VALUES (1, ?, ?, 0, ?, ?)', id, hash, hash, hash)
      connection.run('INSERT INTO mirror VALUES (1, 0)')
      connection.execute(`PRAGMA user_version = ${MARK}`)
    })
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

function join(connection: Connection, pack: JoiningPack, n: number): void {
  const { id, bytes, kind, toc, sha256 } = pack
  const state = connection.value<string>('SELECT state FROM pack WHERE name = ?', id)
  if (state === 'dropped') throw new RuleError(n, `pack "${id}" joins again`)
  if (state !== undefined) return
  connection.run(
    "INSERT INTO pack (name, bytes, kind, operation, state) VALUES (?, ?, ?, ?, 'missing')",
    id,
    bytes,
    kind,
    n,
  )
  connection.run(
    'INSERT INTO joined VALUES (?, ?, ?, ?, ?, ?, ?)',
    id,
    n,
    bytes,
    kind,
    toc[0],
    toc[1],
    sha256 ?? null,
  )
}

function note(connection: Connection, change: Change, n: number): void {
  if (change.kind === 'run.start' || change.kind === 'run.update')
    connection.run('INSERT OR REPLACE INTO touched_run VALUES (?, ?)', change.run, n)
  const artifact = artifactOf(connection, change)
  if (artifact === undefined) return
  connection.run('INSERT OR REPLACE INTO touched VALUES (?, ?)', artifact, n)
}

function artifactOf(connection: Connection, change: Change): string | undefined {
  if ('artifact' in change) return change.artifact
  if ('portfolio' in change) return change.portfolio
  if (change.kind !== 'run.uses' && change.kind !== 'run.logs') return undefined
  return connection.value<string>('SELECT artifact FROM version WHERE id = ?', change.version)
}
