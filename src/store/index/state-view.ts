/**
 * The state of the store, read from the index. Every call reads afresh; whoever needs several answers of one moment asks
 * inside `StoreIndex.snapshot`.
 */
import type { ArtifactId, ObjectId } from '../../types.ts'
import { type Connection, IndexDamageError } from './connection.ts'
import { checkedRow } from './row-sum.ts'
import {
  type StoredArtifact,
  type StoredDraft,
  type StoredDraftPart,
  type StoredJoin,
  type StoredLink,
  type StoredRun,
  type StoredVersion,
  toAlias,
  toArtifact,
  toClosure,
  toDraft,
  toDraftPart,
  toEdge,
  toLink,
  toOperation,
  toRenumber,
  toRun,
  toVersion,
} from './rows.ts'
import type {
  AliasMoveRow,
  AliasRow,
  ArtifactRow,
  LinkRow,
  Source,
  StateView,
  VersionRow,
} from './state.ts'
import { runsOfArtifactIn, usedVersionsIn } from './used-versions.ts'

const ARTIFACT = 'SELECT * FROM artifact'
const ALIAS = 'SELECT * FROM alias'
const VERSION = 'SELECT * FROM version'
const OPERATION = 'SELECT * FROM operation'
const LINK = 'SELECT * FROM link'
const RUN = 'SELECT * FROM run'
const DRAFT = 'SELECT * FROM draft'
const JOIN = 'SELECT * FROM artifact_join'
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
    artifactByJoinedId: (id) => {
      const own = artifact('id = ?', id)
      if (own !== undefined) return own
      const joined = source.read((connection) => joinIn(connection, id))
      return joined && artifact('id = ?', joined)
    },
    joinedIds: (of) =>
      many((row: StoredJoin) => checkedRow(row).id, `${JOIN} WHERE artifact = ? ORDER BY id`, of),
    artifacts: (project) =>
      project === undefined
        ? many(toArtifact, `${ARTIFACT} ORDER BY project, name`)
        : many(toArtifact, `${ARTIFACT} WHERE project = ? ORDER BY name`, project),
    versions: (of) =>
      many(toVersion, `${VERSION} WHERE artifact = ? AND ${LIVE} ORDER BY number`, of),
    everyVersion: (of) => many(toVersion, `${VERSION} WHERE artifact = ? ORDER BY number`, of),
    usedVersions: (of) => source.read((connection) => usedVersionsIn(connection, of)),
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
    isPartial: (id) => version('id = ?', id)?.partial === true,
    partialVersions: () =>
      many(toVersion, `${VERSION} WHERE partial = 1 AND purged IS NULL ORDER BY artifact, number`),
    closureOf: (id) =>
      one(toClosure, 'SELECT version, packs, list, sum FROM closure WHERE version = ?', id),
    closureLists: () =>
      many(
        (row: { list: ObjectId }) => row.list,
        'SELECT DISTINCT list FROM closure JOIN version ON version.id = closure.version ' +
          'WHERE list IS NOT NULL AND purged IS NULL',
      ),
    renumbered: (of, number) =>
      many(
        toRenumber,
        'SELECT artifact, number, operation, version, sum FROM renumbered ' +
          'WHERE artifact = ? AND number = ? ORDER BY operation DESC',
        of,
        number,
      ),
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
    everyLink: (of) => many(toLink, `${LINK} WHERE portfolio = ? ORDER BY number`, of),
    linksOf: (id) => source.read((connection) => linksIn(connection, id)),
    linkOf: (of, id) =>
      source
        .read((connection) => linksIn(connection, id))
        .find(({ portfolio }) => portfolio === of),
    linkedAt: (of, number) =>
      one(
        (row: StoredLink) => checkedRow(row).version,
        `${LINK} WHERE portfolio = ? AND number = ?`,
        of,
        number,
      ),
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
    runsOfArtifact: (of) => source.read((connection) => runsOfArtifactIn(connection, of)),
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

/** Who has an id elsewhere: where nobody is found one is joined, and a second time would break the log for ever. */
function joinIn(connection: Connection, id: ArtifactId): ArtifactId | undefined {
  const row = connection.get<StoredJoin>(`${JOIN} WHERE id = ?`, id)
  if (row !== undefined) return checkedRow(row).artifact
  const all = connection.all<StoredJoin>(`${JOIN} ORDER BY operation`).map(checkedRow)
  return all.some((join) => join.id === id) ? missing('artifact', id) : undefined
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
