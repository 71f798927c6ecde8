/** Opens the index database of a store, and builds one from the log and the packs. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { damaged } from '../../errors.ts'
import type { Progress } from '../../types.ts'
import type { Io } from '../io/io.ts'
import { type Layout, operationPath } from '../layout.ts'
import { checkNoGap } from '../log/log.ts'
import type { Operation } from '../log/operation.ts'
import { Connection, isIndexDamage, isNoSpace, PAGE_BYTES } from './connection.ts'
import { newIndexName, publishIndex, readPointer, removeIndex, removeStrayIndexes } from './file.ts'
import type { PackProblem } from './packs.ts'
import { fileMark, hasMark } from './place.ts'
import { catchUp, readHead } from './refresh.ts'
import { RuleError } from './rules.ts'
import { SCHEMA, SCHEMA_VERSION } from './schema.ts'

/** What `format.json` says: the store's id, and the hash that operation 1 follows. */
export interface StoreIdentity {
  readonly id: string
  readonly hash: string
}

/**
 * Why an index was built: there was none, it could not be read, it was another store's, a copy, of another program's
 * schema, or the log is another one.
 */
export type RebuildReason = 'missing' | 'damaged' | 'foreign' | 'copied' | 'schema' | 'log'

/** What an index was built from. */
interface Built {
  readonly operations: number
  readonly packs: number
}

export interface Rebuilt extends Built {
  readonly reason: RebuildReason
}

export interface IndexContext {
  readonly io: Io
  readonly layout: Layout
  readonly identity: StoreIdentity
  /** Where the database lies; undefined: in memory. */
  readonly directory: string | undefined
  readonly onRebuilt: (rebuilt: Rebuilt) => void
  readonly onPackProblem: (problem: PackProblem) => void
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

const MEMORY = ':memory:'

/** An index that was found wanting while it was open. */
export interface BrokenIndex {
  /** Of its file. */
  readonly name: string
  readonly reason: RebuildReason
}

/** Others may replace or remove the index at any moment, but not for ever. */
const MOST_ROUNDS = 10

/**
 * Opens the index; where there is none that can be used, builds it from operation 1 on and puts it in its place. It may
 * be behind the log. Throws ERR_DAMAGED where the log itself is damaged.
 */
export function openIndex(context: IndexContext, broken?: BrokenIndex): Connection {
  const { directory, identity } = context
  if (directory === undefined) return buildInMemory(context)
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    const name = readPointer(directory)
    const opened =
      broken !== undefined && name === broken.name
        ? broken.reason
        : openNamed(directory, name, identity)
    if (opened instanceof Connection) return opened
    if (readPointer(directory) !== name) continue
    try {
      replaceIndex(context, directory, name, opened)
    } catch (error) {
      // A store on a full disk can still be read.
      if (isNoSpace(error)) return buildInMemory(context)
      throw error
    }
  }
  throw damaged(`The index in "${directory}" is damaged again as soon as it is built.`)
}

/** Builds an index and lets the pointer name it, unless others have interfered: then the caller looks again. */
function replaceIndex(
  context: IndexContext,
  directory: string,
  replaced: string | undefined,
  reason: RebuildReason,
): void {
  const { io, layout } = context
  const name = newIndexName()
  let built: Built
  try {
    built = buildFile(directory, join(directory, name), context)
    if (readPointer(directory) !== replaced || !existsSync(join(directory, name))) {
      removeIndex(io, directory, name)
      return
    }
    publishIndex(io, directory, name, directory === layout.root ? layout.tmp : directory)
  } catch (error) {
    removeIndex(io, directory, name)
    throw error
  }
  if (replaced !== undefined) removeIndex(io, directory, replaced)
  removeStrayIndexes(io, directory, name)
  // A new store has no index yet: nothing was wrong.
  if (built.operations > 0 || reason !== 'missing') context.onRebuilt({ reason, ...built })
}

/** Opens the database with this name, or says why it can't be used. */
export function openNamed(
  directory: string,
  name: string | undefined,
  identity: StoreIdentity,
): Connection | RebuildReason {
  if (name === undefined) return 'missing'
  let connection: Connection | undefined
  try {
    const path = join(directory, name)
    if (!hasWholePages(path)) return 'damaged'
    connection = new Connection(path)
    const reason = unfit(connection, identity)
    if (reason === undefined) return connection
    connection.close()
    return reason
  } catch (error) {
    connection?.close()
    if (isIndexDamage(error) || isNoSpace(error)) return 'damaged'
    throw error
  }
}

/** SQLite takes the rest of a page that was cut off for zeros. */
function hasWholePages(path: string): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return size > 0 && size % PAGE_BYTES === 0
}

function unfit(connection: Connection, identity: StoreIdentity): RebuildReason | undefined {
  const version = connection.value<number>('PRAGMA user_version')
  if (version === 0) return 'damaged'
  if (version !== SCHEMA_VERSION) return 'schema'
  if (!hasSchema(connection)) return 'damaged'
  const store = connection.get<{ id: string; file: string }>('SELECT id, file FROM store')
  if (store === undefined) return 'damaged'
  if (store.id !== identity.id) return 'foreign'
  return hasMark(connection.path, store.file) ? undefined : 'copied'
}

/** SQLite keeps each statement as it was written. */
function hasSchema(connection: Connection): boolean {
  const kept = connection.all<{ sql: string }>(
    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
  )
  return isDeepStrictEqual(
    kept.map(({ sql }) => sql),
    STATEMENTS,
  )
}

const STATEMENTS = SCHEMA.replaceAll(/^--.*$/gm, '')
  .split(';')
  .map((statement) => statement.trim())
  .filter((statement) => statement !== '')

function buildInMemory(context: IndexContext): Connection {
  const connection = new Connection(MEMORY)
  try {
    build(connection, context)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

function buildFile(directory: string, path: string, context: IndexContext): Built {
  const connection = new Connection(path, { create: true, build: true })
  try {
    const built = build(connection, context)
    connection.run('UPDATE store SET file = ?', fileMark(directory, path))
    // Before anybody else can open it: the switch needs the file for itself.
    connection.execute('PRAGMA journal_mode = WAL')
    return built
  } finally {
    connection.close()
  }
}

function build(connection: Connection, context: IndexContext): Built {
  const { layout, identity, onProgress } = context
  createTables(connection, identity)
  let packs = 0
  let bytes = 0
  const onOperation = (operation: Operation): void => {
    packs += operation.packs.length
    for (const pack of operation.packs) bytes += pack.bytes
    onProgress?.({ phase: 'index', files: packs, bytes })
  }
  try {
    const blocked = catchUp(connection, {
      layout,
      onPackProblem: context.onPackProblem,
      onOperation,
    })
    if (blocked !== undefined && 'damage' in blocked) throw blocked.damage
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    const path = operationPath(layout, error.n)
    throw damaged(`Operation "${path}" contradicts the ones before it: ${error.message}.`, {
      cause: error,
    })
  }
  const operations = readHead(connection).applied
  checkNoGap(layout, operations)
  return { operations, packs }
}

/** Makes an empty database one that stands before operation 1. */
export function createTables(connection: Connection, { id, hash }: StoreIdentity): void {
  connection.write(() => {
    connection.execute(SCHEMA)
    connection.execute(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    connection.run("INSERT INTO store VALUES (1, ?, '', 0, ?, ?)", id, hash, hash)
  })
}
