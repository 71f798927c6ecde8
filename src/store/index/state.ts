/**
 * The state of the store as the log tells it, read from the index: artifacts, versions, labels, links, runs. Every call
 * reads afresh; whoever needs several answers of one moment asks inside `StoreIndex.snapshot`.
 */
import type { ArtifactId, Metadata, ObjectId, VersionObject } from '../../types.ts'
import type { Ttl } from '../log/change.ts'
import type { RunProgram } from '../log/run-change.ts'
import { type Connection, IndexDamageError } from './connection.ts'
import { checkedRow } from './row-sum.ts'
import {
  type StoredArtifact,
  type StoredDraft,
  type StoredDraftPart,
  type StoredLink,
  type StoredRun,
  type StoredVersion,
  toAlias,
  toArtifact,
  toDraft,
  toDraftPart,
  toEdge,
  toLink,
  toOperation,
  toRun,
  toVersion,
} from './rows.ts'

export interface ArtifactRow {
  readonly id: ArtifactId
  readonly project: string
  readonly name: string
  readonly type: string
  readonly description?: string
  /** Its versions are links to versions of other artifacts. */
  readonly portfolio?: true
}

export interface VersionRow {
  readonly id: ObjectId
  readonly artifact: ArtifactId
  readonly number: number
  readonly object: VersionObject
  readonly description?: string
  readonly metadata?: Metadata
  /** Absent: what the store says. */
  readonly ttl?: Ttl
  /** The operation that added it. */
  readonly operation: number
  /** The newest operation that changed a label or an own alias of it, or whether it is live. */
  readonly updated: number
  /** The operation that deleted it; absent: it is live. */
  readonly deleted?: number
  /** The operation that gave up its bytes; it stays deleted. */
  readonly purged?: number
  /** How many tags it has. */
  readonly tags: number
}

export interface AliasRow {
  readonly alias: string
  readonly version: ObjectId
}

/** A version of a portfolio. */
export interface LinkRow {
  readonly portfolio: ArtifactId
  readonly number: number
  readonly version: ObjectId
  /** The operation that made it. */
  readonly operation: number
}

export interface RunRow extends RunProgram {
  readonly id: string
  readonly project: string
  readonly name?: string
  readonly job?: string
  readonly group?: string
  readonly notes?: string
  readonly tags: readonly string[]
  readonly config?: Metadata
  readonly user: string
  readonly host: string
  readonly startedAt: string
  readonly endedAt?: string
  /** As the log tells it: whether it still runs, its process may know. */
  readonly state: 'running' | 'finished' | 'failed'
  readonly exitCode?: number
  /** The operation that started it. */
  readonly operation: number
}

export interface RunFilter {
  readonly project?: string
  readonly name?: string
  readonly job?: string
  readonly group?: string
  readonly state?: RunRow['state']
}

/** A version that several processes build together. */
export interface DraftRow {
  readonly id: string
  readonly project: string
  readonly name: string
  readonly type?: string
  readonly key: string
  readonly base?: ObjectId
  /** The operation that began it. */
  readonly operation: number
  readonly parts: number
  readonly state: 'open' | 'finished' | 'aborted'
  /** What it became. */
  readonly version?: ObjectId
}

export interface DraftPartRow {
  readonly draft: string
  readonly part: number
  readonly root: ObjectId
  readonly files: number
  readonly bytes: number
  readonly writer: string
  readonly run?: string
  readonly overwrite: boolean
  readonly removed: readonly string[]
  readonly operation: number
}

/** What a run used (`input`) or logged (`output`). */
export interface EdgeRow extends EdgeKey {
  /** What a version that the store does not have is called elsewhere. */
  readonly name?: string
  /** The run logged content that was there. */
  readonly deduplicated: boolean
  readonly operation: number
}

export interface EdgeKey {
  readonly run: string
  readonly direction: 'input' | 'output'
  readonly slot: string
  readonly version: ObjectId
}

export interface OperationRow {
  readonly n: number
  readonly hash: string
  readonly at: string
  readonly user: string
  readonly host: string
  readonly tool: string
  /** Holds nothing that can be undone. */
  readonly final: boolean
  /** The operation that it undoes. */
  readonly undoes?: number
  /** The operation by which it is undone now. */
  readonly undone?: number
}

/** One move of an alias; null: it named none. */
export interface AliasMoveRow {
  readonly artifact: ArtifactId
  readonly alias: string
  readonly old: ObjectId | null
  readonly version: ObjectId | null
  readonly operation: number
}

export interface StateView {
  artifactByName(project: string, name: string): ArtifactRow | undefined
  artifactById(id: ArtifactId): ArtifactRow | undefined
  /** By project and name; of one project, or of all. Those without live versions are among them. */
  artifacts(project?: string): ArtifactRow[]
  /** All live versions, by number. */
  versions(artifact: ArtifactId): VersionRow[]
  /** Live and deleted ones, by number. */
  everyVersion(artifact: ArtifactId): VersionRow[]
  /** Live or deleted. */
  versionByNumber(artifact: ArtifactId, number: number): VersionRow | undefined
  /** Live or deleted. */
  versionById(id: ObjectId): VersionRow | undefined
  /** At most `limit` versions whose id begins with the hex digits, live ones first, then by id; of one artifact, or of all. */
  versionsByPrefix(prefix: string, limit: number, artifact?: ArtifactId): VersionRow[]
  /** The live version with this digest that has the highest number. */
  versionByRoot(artifact: ArtifactId, root: ObjectId): VersionRow | undefined
  /** The live version `back` live versions below the given number. */
  versionBefore(artifact: ArtifactId, number: number, back: number): VersionRow | undefined
  highestLive(artifact: ArtifactId): VersionRow | undefined
  lowestLive(artifact: ArtifactId): VersionRow | undefined
  countLive(artifact: ArtifactId): number
  /** Live versions, the newest first: of one artifact by number, of all by the operation that added them. */
  newestVersions(limit: number, artifact?: ArtifactId): VersionRow[]
  /** The number the next version gets: one above all that were ever given. */
  nextNumber(artifact: ArtifactId): number
  /** The version that an alias names. */
  alias(artifact: ArtifactId, alias: string): ObjectId | undefined
  aliases(artifact: ArtifactId): AliasRow[]
  /** Those of its artifact, or of a portfolio that it is linked into. */
  aliasesOf(version: ObjectId, portfolio?: ArtifactId): string[]
  tagsOf(version: ObjectId): string[]
  /** Moves of an alias, the oldest first; in one artifact, or in all. */
  aliasMoves(alias: string, artifact?: ArtifactId): AliasMoveRow[]
  /** By number. */
  links(portfolio: ArtifactId): LinkRow[]
  /** The portfolios that a version stands in. */
  linksOf(version: ObjectId): LinkRow[]
  linkOf(portfolio: ArtifactId, version: ObjectId): LinkRow | undefined
  run(id: string): RunRow | undefined
  /** The newest first. */
  runs(filter: RunFilter, limit: number): RunRow[]
  /** At most `limit` runs whose id begins so. */
  runsByPrefix(prefix: string, limit: number): RunRow[]
  hasEdge(edge: EdgeKey): boolean
  /** What a run used and logged, in its order. */
  edgesOfRun(run: string, direction?: EdgeRow['direction']): EdgeRow[]
  /** By which runs a version was used and logged, in that order. */
  edgesOfVersion(version: ObjectId, direction?: EdgeRow['direction']): EdgeRow[]
  /** The versions that were derived from one, whatever became of them. */
  childrenOf(version: ObjectId): ObjectId[]
  /** Whether a run has used the version. */
  isUsed(version: ObjectId): boolean
  draft(id: string): DraftRow | undefined
  openDraft(project: string, name: string, key: string): DraftRow | undefined
  /** Open ones, the oldest first. */
  openDrafts(): DraftRow[]
  /** In their order. */
  draftParts(draft: string): DraftPartRow[]
  operation(n: number): OperationRow | undefined
  /** At most `limit` operations with numbers below `before`, the newest first. */
  operationsBefore(before: number, limit: number): OperationRow[]
  /** The newest operation that is not after this time (ISO 8601, UTC); 0: all are. */
  operationAt(time: string): number
  /** The newest operation of this user on this host that is not an undo, not undone, and can be. */
  newestUndoable(user: string, host: string): OperationRow | undefined
  /** True for a pack that an operation has named and that could be read. */
  hasPack(id: ObjectId): boolean
  /** True for a pack that an operation has named and none has dropped. */
  isNamed(id: ObjectId): boolean
  /** True for a pack that an operation has dropped: it never comes back. */
  isDropped(id: ObjectId): boolean
  /** The packs that operations after `n` dropped. */
  droppedSince(n: number): ObjectId[]
}

/** What can run a query: a connection, or the index around it, which mends itself when a query meets damage. */
export interface Source {
  read<T>(query: (connection: Connection) => T): T
}

const ARTIFACT = 'SELECT * FROM artifact'
const ALIAS = 'SELECT * FROM alias'
const VERSION = 'SELECT * FROM version'
const OPERATION = 'SELECT * FROM operation'
const LINK = 'SELECT * FROM link'
const RUN = 'SELECT * FROM run'
const DRAFT = 'SELECT * FROM draft'
/** All columns that its sum is of. */
const EDGE = 'SELECT run, direction, slot, version, name, deduplicated, operation, sum FROM edge'
const LIVE = 'deleted IS NULL'

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
        const all = connection.all<StoredArtifact>(`${ARTIFACT} NOT INDEXED`).map(toArtifact)
        if (all.some((row) => row.project === project && row.name === name))
          missing('artifact', name)
        return undefined
      }),
    artifactById: (id) => artifact('id = ?', id),
    artifacts: (project) =>
      project === undefined
        ? many(toArtifact, `${ARTIFACT} ORDER BY project, name`)
        : many(toArtifact, `${ARTIFACT} WHERE project = ? ORDER BY name`, project),
    versions: (of) =>
      many(toVersion, `${VERSION} WHERE artifact = ? AND ${LIVE} ORDER BY number`, of),
    everyVersion: (of) => many(toVersion, `${VERSION} WHERE artifact = ? ORDER BY number`, of),
    versionByNumber: (of, number) => version('artifact = ? AND number = ?', of, number),
    versionById: (id) => version('id = ?', id),
    versionsByPrefix: (prefix, limit, of) =>
      many(
        toVersion,
        `${VERSION} WHERE id >= ? AND id < ? AND artifact = ifnull(?, artifact) ORDER BY deleted IS NOT NULL, id LIMIT ?`,
        prefix,
        `${prefix}g`,
        of ?? null,
        limit,
      ),
    // The plus keeps SQLite from walking through all versions of the artifact.
    versionByRoot: (of, root) =>
      version(`root = ? AND +artifact = ? AND ${LIVE} ORDER BY number DESC LIMIT 1`, root, of),
    versionBefore: (of, number, back) =>
      version(
        `artifact = ? AND number <= ? AND ${LIVE} ORDER BY number DESC LIMIT 1 OFFSET ?`,
        of,
        number,
        back,
      ),
    highestLive: (of) => version(`artifact = ? AND ${LIVE} ORDER BY number DESC LIMIT 1`, of),
    lowestLive: (of) => version(`artifact = ? AND ${LIVE} ORDER BY number LIMIT 1`, of),
    countLive: (of) =>
      one(
        (row: { count: number }) => row.count,
        `SELECT count(*) AS count FROM version WHERE artifact = ? AND ${LIVE}`,
        of,
      ) ?? 0,
    newestVersions: (limit, of) =>
      of === undefined
        ? many(
            toVersion,
            `${VERSION} WHERE ${LIVE} ORDER BY operation DESC, number DESC LIMIT ?`,
            limit,
          )
        : many(
            toVersion,
            `${VERSION} WHERE artifact = ? AND ${LIVE} ORDER BY number DESC LIMIT ?`,
            of,
            limit,
          ),
    nextNumber: (of) =>
      source.read((connection) => {
        const row = connection.get<StoredArtifact>(`${ARTIFACT} WHERE id = ?`, of)
        return row === undefined ? missing('row', of) : checkedRow(row).next
      }),
    alias: (of, alias) =>
      source.read((connection) => {
        const row = connection.get<AliasRow>(`${ALIAS} WHERE artifact = ? AND alias = ?`, of, alias)
        if (row !== undefined) return toAlias(row).version
        aliasesIn(connection, of)
        return undefined
      }),
    aliases: (of) => source.read((connection) => aliasesIn(connection, of)),
    aliasesOf: (id, portfolio) =>
      source.read((connection) => {
        const of = portfolio ?? versionIn(connection, id)?.artifact
        const all = of === undefined ? [] : aliasesIn(connection, of)
        return all.filter(({ version }) => version === id).map(({ alias }) => alias)
      }),
    tagsOf: (id) => source.read((connection) => tagsIn(connection, id)),
    aliasMoves: (alias, of) =>
      many(
        same<AliasMoveRow>,
        'SELECT artifact, alias, old, version, operation FROM alias_move ' +
          'WHERE alias = ? AND artifact = ifnull(?, artifact) ORDER BY id',
        alias,
        of ?? null,
      ),
    links: (of) =>
      many(toLink, `${LINK} WHERE portfolio = ? AND removed IS NULL ORDER BY number`, of),
    linksOf: (id) => source.read((connection) => linksIn(connection, id)),
    linkOf: (of, id) =>
      source
        .read((connection) => linksIn(connection, id))
        .find(({ portfolio }) => portfolio === of),
    run: (id) =>
      one(toRun, `${RUN} WHERE id = ?`, id) ??
      source.read((connection) => {
        // As with `artifactByName`.
        const all = connection.all<StoredRun>(`${RUN} NOT INDEXED`).map(toRun)
        return all.some((row) => row.id === id) ? missing('run', id) : undefined
      }),
    runs: (filter, limit) => {
      const given = Object.entries(filter).filter(([, value]) => value !== undefined)
      const where = given.map(([field]) => `"${field}" = ?`).join(' AND ')
      return many(
        toRun,
        `${RUN}${where && ` WHERE ${where}`} ORDER BY operation DESC, rowid DESC LIMIT ?`,
        ...given.map(([, value]) => value as string),
        limit,
      )
    },
    runsByPrefix: (prefix, limit) =>
      many(
        toRun,
        `${RUN} WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT ?`,
        prefix.length,
        prefix,
        limit,
      ),
    hasEdge: ({ run, direction, slot, version: id }) =>
      one(
        toEdge,
        `${EDGE} WHERE run = ? AND direction = ? AND slot = ? AND version = ?`,
        run,
        direction,
        slot,
        id,
      ) !== undefined,
    edgesOfRun: (run, direction) =>
      direction === undefined
        ? many(toEdge, `${EDGE} WHERE run = ? ORDER BY id`, run)
        : many(toEdge, `${EDGE} WHERE run = ? AND direction = ? ORDER BY id`, run, direction),
    edgesOfVersion: (id, direction) =>
      direction === undefined
        ? many(toEdge, `${EDGE} WHERE version = ? ORDER BY id`, id)
        : many(toEdge, `${EDGE} WHERE version = ? AND direction = ? ORDER BY id`, id, direction),
    childrenOf: (id) =>
      many(
        (row: { version: ObjectId }) => row.version,
        'SELECT version FROM parent WHERE parent = ? ORDER BY version',
        id,
      ),
    isUsed: (id) => source.read((connection) => (versionIn(connection, id)?.uses ?? 0) > 0),
    draft: (id) => one(toDraft, `${DRAFT} WHERE id = ?`, id),
    openDraft: (project, name, key) =>
      one(
        toDraft,
        `${DRAFT} WHERE project = ? AND name = ? AND key = ? AND state = 'open'`,
        project,
        name,
        key,
      ) ??
      source.read((connection) => {
        // As with `artifactByName`.
        const all = connection.all<StoredDraft>(`${DRAFT} NOT INDEXED`).map(toDraft)
        const found = all.some(
          (row) =>
            row.state === 'open' && row.project === project && row.name === name && row.key === key,
        )
        return found ? missing('draft', key) : undefined
      }),
    openDrafts: () => many(toDraft, `${DRAFT} WHERE state = 'open' ORDER BY operation`),
    draftParts: (id) =>
      source.read((connection) => {
        const sql = 'SELECT * FROM draft_part WHERE draft = ? ORDER BY part'
        const found = connection.all<StoredDraftPart>(sql, id)
        const row = connection.get<StoredDraft>(`${DRAFT} WHERE id = ?`, id)
        if (found.length !== (row === undefined ? 0 : checkedRow(row).parts)) missing('part', id)
        return found.map(toDraftPart)
      }),
    operation: (n) => one(toOperation, `${OPERATION} WHERE n = ?`, n),
    operationsBefore: (before, limit) =>
      many(toOperation, `${OPERATION} WHERE n < ? ORDER BY n DESC LIMIT ?`, before, limit),
    operationAt: (time) =>
      one(
        (row: { n: number | null }) => row.n ?? 0,
        'SELECT max(n) AS n FROM operation WHERE at <= ?',
        time,
      ) ?? 0,
    newestUndoable: (user, host) =>
      one(
        toOperation,
        `${OPERATION} WHERE user = ? AND host = ? AND NOT final AND undoes IS NULL AND undone IS NULL ORDER BY n DESC LIMIT 1`,
        user,
        host,
      ),
    hasPack: (id) =>
      one(
        same<object>,
        'SELECT 1 FROM pack WHERE name = ? AND operation IS NOT NULL AND state = ?',
        id,
        'present',
      ) !== undefined,
    isNamed: (id) =>
      one(
        same<object>,
        'SELECT 1 FROM pack WHERE name = ? AND operation IS NOT NULL AND dropped IS NULL',
        id,
      ) !== undefined,
    isDropped: (id) =>
      one(same<object>, 'SELECT 1 FROM pack WHERE name = ? AND dropped IS NOT NULL', id) !==
      undefined,
    droppedSince: (n) =>
      many((row: { name: ObjectId }) => row.name, 'SELECT name FROM pack WHERE dropped > ?', n),
  }
}

type SqlValue = string | number | null

/** All aliases of an artifact; the index is damaged where they are not as many as it has. */
function aliasesIn(connection: Connection, of: ArtifactId): AliasRow[] {
  const found = connection.all<AliasRow>(`${ALIAS} WHERE artifact = ? ORDER BY alias`, of)
  const row = connection.get<StoredArtifact>(`${ARTIFACT} WHERE id = ?`, of)
  if (found.length !== (row === undefined ? 0 : checkedRow(row).aliases)) missing('alias', of)
  return found.map(toAlias)
}

/** All tags of a version, as `aliasesIn`. */
function tagsIn(connection: Connection, of: ObjectId): string[] {
  const sql = 'SELECT * FROM tag WHERE version = ? ORDER BY tag'
  const found = connection.all<{ readonly tag: string }>(sql, of)
  if (found.length !== (versionIn(connection, of)?.tags ?? 0)) missing('tag', of)
  return found.map((each) => checkedRow(each).tag)
}

/** All links of a version, as `aliasesIn`. */
function linksIn(connection: Connection, of: ObjectId): LinkRow[] {
  const sql = `${LINK} WHERE version = ? AND removed IS NULL ORDER BY operation, number`
  const found = connection.all<StoredLink>(sql, of)
  if (found.length !== (versionIn(connection, of)?.links ?? 0)) missing('link', of)
  return found.map(toLink)
}

function versionIn(connection: Connection, id: ObjectId): StoredVersion | undefined {
  const row = connection.get<StoredVersion>(`${VERSION} WHERE id = ?`, id)
  return row === undefined ? undefined : checkedRow(row)
}

function missing(what: string, of: string): never {
  throw new IndexDamageError(`The index does not find the ${what} of "${of}" that it holds.`)
}

function same<T>(row: T): T {
  return row
}
