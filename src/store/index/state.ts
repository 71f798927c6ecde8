/**
 * The state of the store as the log tells it, read from the index: artifacts, versions, aliases, tags. Every call
 * reads afresh; whoever needs several answers of one moment asks inside `StoreIndex.snapshot`.
 */
import type { ArtifactId, Metadata, ObjectId, VersionObject } from '../../types.ts'
import { type Connection, IndexDamageError } from './connection.ts'
import { checkedRow } from './row-sum.ts'

export interface ArtifactRow {
  readonly id: ArtifactId
  readonly project: string
  readonly name: string
  readonly type: string
}

export interface VersionRow {
  readonly id: ObjectId
  readonly artifact: ArtifactId
  readonly number: number
  readonly object: VersionObject
  readonly description?: string
  readonly metadata?: Metadata
  /** The operation that added it. */
  readonly operation: number
}

export interface AliasRow {
  readonly alias: string
  readonly version: ObjectId
}

export interface OperationRow {
  readonly n: number
  readonly hash: string
  readonly at: string
  readonly user: string
  readonly host: string
  readonly tool: string
}

export interface StateView {
  artifactByName(project: string, name: string): ArtifactRow | undefined
  artifactById(id: ArtifactId): ArtifactRow | undefined
  /** By project and name; of one project, or of all. */
  artifacts(project?: string): ArtifactRow[]
  /** All live versions, by number. */
  versions(artifact: ArtifactId): VersionRow[]
  versionByNumber(artifact: ArtifactId, number: number): VersionRow | undefined
  versionById(id: ObjectId): VersionRow | undefined
  /** At most `limit` versions whose id begins with the hex digits, by id; of one artifact, or of all. */
  versionsByPrefix(prefix: string, limit: number, artifact?: ArtifactId): VersionRow[]
  /** The live version with this digest that has the highest number. */
  versionByRoot(artifact: ArtifactId, root: ObjectId): VersionRow | undefined
  /** The live version `back` live versions below the given number. */
  versionBefore(artifact: ArtifactId, number: number, back: number): VersionRow | undefined
  highestLive(artifact: ArtifactId): VersionRow | undefined
  /** The number the next version gets: one above all that were ever given. */
  nextNumber(artifact: ArtifactId): number
  /** The version that an alias names. */
  alias(artifact: ArtifactId, alias: string): ObjectId | undefined
  aliases(artifact: ArtifactId): AliasRow[]
  aliasesOf(version: ObjectId): string[]
  tagsOf(version: ObjectId): string[]
  operation(n: number): OperationRow | undefined
  /** True for a pack that an operation has named and that could be read. */
  hasPack(id: ObjectId): boolean
}

/** What can run a query: a connection, or the index around it, which mends itself when a query meets damage. */
export interface Source {
  read<T>(query: (connection: Connection) => T): T
}

const ARTIFACT = 'SELECT * FROM artifact'
const VERSION = 'SELECT * FROM version'
const ALIAS = 'SELECT * FROM alias'

export function stateView(source: Source): StateView {
  const one = <R, T>(
    map: (row: R) => T,
    sql: string,
    ...values: readonly SqlValue[]
  ): T | undefined =>
    source.read((connection) => {
      const row = connection.get<R>(sql, ...values)
      return row === undefined ? undefined : map(row)
    })
  const many = <R, T>(map: (row: R) => T, sql: string, ...values: readonly SqlValue[]): T[] =>
    source.read((connection) => connection.all<R>(sql, ...values).map(map))
  const artifact = (where: string, ...values: readonly SqlValue[]): ArtifactRow | undefined =>
    one(toArtifact, `${ARTIFACT} WHERE ${where}`, ...values)
  const version = (where: string, ...values: readonly SqlValue[]): VersionRow | undefined =>
    one(toVersion, `${VERSION} WHERE ${where}`, ...values)

  return {
    artifactByName: (project, name) =>
      artifact('project = ? AND name = ?', project, name) ??
      source.read((connection) => {
        // Where none is found one is made, and a second of the same name would break the log for ever.
        const all = connection.all<ArtifactRow>(`${ARTIFACT} NOT INDEXED`).map(toArtifact)
        if (all.some((row) => row.project === project && row.name === name)) missing(name)
        return undefined
      }),
    artifactById: (id) => artifact('id = ?', id),
    artifacts: (project) =>
      project === undefined
        ? many(toArtifact, `${ARTIFACT} ORDER BY project, name`)
        : many(toArtifact, `${ARTIFACT} WHERE project = ? ORDER BY name`, project),
    versions: (of) => many(toVersion, `${VERSION} WHERE artifact = ? ORDER BY number`, of),
    versionByNumber: (of, number) => version('artifact = ? AND number = ?', of, number),
    versionById: (id) => version('id = ?', id),
    versionsByPrefix: (prefix, limit, of) =>
      many(
        toVersion,
        `${VERSION} WHERE id >= ? AND id < ? AND artifact = ifnull(?, artifact) ORDER BY id LIMIT ?`,
        prefix,
        `${prefix}g`,
        of ?? null,
        limit,
      ),
    versionByRoot: (of, root) =>
      version('root = ? AND artifact = ? ORDER BY number DESC LIMIT 1', root, of),
    versionBefore: (of, number, back) =>
      version(
        'artifact = ? AND number <= ? ORDER BY number DESC LIMIT 1 OFFSET ?',
        of,
        number,
        back,
      ),
    highestLive: (of) => version('artifact = ? ORDER BY number DESC LIMIT 1', of),
    nextNumber: (of) =>
      source.read((connection) => {
        const row = connection.get<StoredArtifact>(`${ARTIFACT} WHERE id = ?`, of)
        return row === undefined ? missing(of) : checkedRow(row).next
      }),
    alias: (of, alias) =>
      one(toAlias, `${ALIAS} WHERE artifact = ? AND alias = ?`, of, alias)?.version,
    aliases: (of) => many(toAlias, `${ALIAS} WHERE artifact = ? ORDER BY alias`, of),
    aliasesOf: (id) =>
      many((row: AliasRow) => toAlias(row).alias, `${ALIAS} WHERE version = ? ORDER BY alias`, id),
    tagsOf: (id) =>
      many(
        (row: { tag: string }) => checkedRow(row).tag,
        'SELECT * FROM tag WHERE version = ? ORDER BY tag',
        id,
      ),
    operation: (n) => one(checkedRow<OperationRow>, 'SELECT * FROM operation WHERE n = ?', n),
    hasPack: (id) =>
      one(
        same<object>,
        'SELECT 1 FROM pack WHERE name = ? AND operation IS NOT NULL AND state = ?',
        id,
        'present',
      ) !== undefined,
  }
}

type SqlValue = string | number | null

interface StoredVersion {
  readonly id: ObjectId
  readonly artifact: ArtifactId
  readonly number: number
  readonly root: ObjectId
  readonly files: number
  readonly bytes: number
  readonly created_at: string
  readonly parents: string
  readonly run: string | null
  readonly description: string | null
  readonly metadata: string | null
  readonly operation: number
}

function toVersion(row: StoredVersion): VersionRow {
  const { id, artifact, number, operation } = checkedRow(row)
  const object: VersionObject = {
    bytes: row.bytes,
    createdAt: row.created_at,
    files: row.files,
    parents: parseJson(row.parents),
    root: row.root,
    ...(row.run === null ? {} : { run: row.run }),
  }
  return {
    id,
    artifact,
    number,
    object,
    ...(row.description === null ? {} : { description: row.description }),
    ...(row.metadata === null ? {} : { metadata: parseJson(row.metadata) }),
    operation,
  }
}

interface StoredArtifact extends ArtifactRow {
  readonly next: number
}

function toArtifact(row: ArtifactRow): ArtifactRow {
  const { id, project, name, type } = checkedRow(row)
  return { id, project, name, type }
}

function toAlias(row: AliasRow): AliasRow {
  const { alias, version } = checkedRow(row)
  return { alias, version }
}

function missing(artifact: string): never {
  throw new IndexDamageError(`The index does not find the artifact "${artifact}" that it holds.`)
}

function parseJson<T>(text: string): T {
  try {
    return JSON.parse(text) as T
  } catch (error) {
    throw new IndexDamageError('A row of the index holds no JSON.', { cause: error })
  }
}

function same<T>(row: T): T {
  return row
}
