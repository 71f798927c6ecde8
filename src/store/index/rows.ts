/** From rows of the index to what `StateView` answers. */
import type { ArtifactId, ObjectId, VersionObject } from '../../types.ts'
import type { Ttl } from '../log/change.ts'
import type { Closure } from '../log/sync-change.ts'
import { IndexDamageError } from './connection.ts'
import { checkedRow } from './row-sum.ts'
import type {
  AliasRow,
  ArtifactRow,
  DraftPartRow,
  DraftRow,
  EdgeRow,
  LinkRow,
  OperationRow,
  RenumberRow,
  RunRow,
  VersionRow,
} from './state.ts'

export interface StoredArtifact {
  readonly id: ArtifactId
  readonly project: string
  readonly name: string
  readonly type: string
  readonly description: string | null
  readonly portfolio: number
  readonly next: number
  readonly aliases: number
}

export interface StoredVersion {
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
  readonly ttl: string | null
  readonly operation: number
  readonly updated: number
  readonly deleted: number | null
  readonly purged: number | null
  readonly partial: number
  readonly tags: number
  readonly links: number
  readonly uses: number
}

export interface StoredOperation {
  readonly n: number
  readonly hash: string
  readonly at: string
  readonly user: string
  readonly host: string
  readonly tool: string
  readonly final: number
  readonly undoes: number | null
  readonly undone: number | null
}

export interface StoredClosure {
  readonly version: ObjectId
  readonly packs: string
  readonly list: ObjectId | null
}

export interface StoredJoin {
  readonly id: ArtifactId
  readonly artifact: ArtifactId
  readonly operation: number
}

export interface StoredLink extends Omit<LinkRow, 'removed'> {
  readonly removed: number | null
}

export interface StoredRun {
  readonly id: string
  readonly project: string
  readonly name: string | null
  readonly job: string | null
  readonly group: string | null
  readonly notes: string | null
  readonly tags: string | null
  readonly config: string | null
  readonly user: string
  readonly host: string
  readonly started_at: string
  readonly ended_at: string | null
  readonly state: RunRow['state']
  readonly exit_code: number | null
  readonly command: string | null
  readonly directory: string | null
  readonly source: string | null
  readonly operation: number
}

export interface StoredDraft {
  readonly id: string
  readonly project: string
  readonly name: string
  readonly type: string | null
  readonly key: string
  readonly base: ObjectId | null
  readonly operation: number
  readonly parts: number
  readonly state: DraftRow['state']
  readonly ended: number | null
  readonly version: ObjectId | null
}

export interface StoredDraftPart {
  readonly draft: string
  readonly part: number
  readonly root: ObjectId
  readonly files: number
  readonly bytes: number
  readonly writer: string
  readonly run: string | null
  readonly overwrite: number
  readonly removed: string | null
  readonly operation: number
}

export interface StoredEdge {
  readonly run: string
  readonly direction: EdgeRow['direction']
  readonly slot: string
  readonly version: ObjectId
  readonly name: string | null
  readonly deduplicated: number
  readonly operation: number
}

export function toArtifact(row: StoredArtifact): ArtifactRow {
  const { id, project, name, type, description, portfolio } = checkedRow(row)
  return {
    id,
    project,
    name,
    type,
    ...(description === null ? {} : { description }),
    ...(portfolio === 0 ? {} : { portfolio: true }),
  }
}

export function toAlias(row: AliasRow): AliasRow {
  const { alias, version } = checkedRow(row)
  return { alias, version }
}

export function toVersion(row: StoredVersion): VersionRow {
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
    ...(row.ttl === null ? {} : { ttl: toTtl(row.ttl) }),
    operation,
    updated: row.updated,
    ...(row.deleted === null ? {} : { deleted: row.deleted }),
    ...(row.purged === null ? {} : { purged: row.purged }),
    ...(row.partial === 0 ? {} : { partial: true }),
    tags: row.tags,
  }
}

export function toOperation(row: StoredOperation): OperationRow {
  const { n, hash, at, user, host, tool, final, undoes, undone } = checkedRow(row)
  return {
    n,
    hash,
    at,
    user,
    host,
    tool,
    final: final !== 0,
    ...(undoes === null ? {} : { undoes }),
    ...(undone === null ? {} : { undone }),
  }
}

export function toLink(row: StoredLink): LinkRow {
  const { portfolio, number, version, operation, removed } = checkedRow(row)
  return { portfolio, number, version, operation, ...(removed === null ? {} : { removed }) }
}

export function toClosure(row: StoredClosure): Closure {
  const { packs, list } = checkedRow(row)
  return list === null ? { packs: parseJson(packs) } : { list, packs: parseJson(packs) }
}

export function toRenumber(row: RenumberRow): RenumberRow {
  const { artifact, number, operation, version } = checkedRow(row)
  return { artifact, number, operation, version }
}

export function toRun(row: StoredRun): RunRow {
  checkedRow(row)
  return {
    id: row.id,
    project: row.project,
    ...(row.name === null ? {} : { name: row.name }),
    ...(row.job === null ? {} : { job: row.job }),
    ...(row.group === null ? {} : { group: row.group }),
    ...(row.notes === null ? {} : { notes: row.notes }),
    tags: row.tags === null ? [] : parseJson(row.tags),
    ...(row.config === null ? {} : { config: parseJson(row.config) }),
    user: row.user,
    host: row.host,
    startedAt: row.started_at,
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    state: row.state,
    ...(row.exit_code === null ? {} : { exitCode: row.exit_code }),
    ...(row.command === null ? {} : { command: parseJson(row.command) }),
    ...(row.directory === null ? {} : { directory: row.directory }),
    ...(row.source === null ? {} : { source: parseJson(row.source) }),
    operation: row.operation,
  }
}

export function toDraft(row: StoredDraft): DraftRow {
  const { id, project, name, type, key, base, operation, parts, state, version } = checkedRow(row)
  return {
    id,
    project,
    name,
    ...(type === null ? {} : { type }),
    key,
    ...(base === null ? {} : { base }),
    operation,
    parts,
    state,
    ...(version === null ? {} : { version }),
  }
}

export function toDraftPart(row: StoredDraftPart): DraftPartRow {
  const { part, root, files, bytes, writer, run, overwrite, removed, operation } = checkedRow(row)
  return {
    draft: row.draft,
    part,
    root,
    files,
    bytes,
    writer,
    ...(run === null ? {} : { run }),
    overwrite: overwrite === 1,
    removed: removed === null ? [] : parseJson(removed),
    operation,
  }
}

export function toEdge(row: StoredEdge): EdgeRow {
  const { run, direction, slot, version, name, deduplicated, operation } = checkedRow(row)
  return {
    run,
    direction,
    slot,
    version,
    ...(name === null ? {} : { name }),
    deduplicated: deduplicated !== 0,
    operation,
  }
}

function toTtl(text: string): Ttl {
  return text === 'never' ? text : Number(text)
}

function parseJson<T>(text: string): T {
  try {
    return JSON.parse(text) as T
  } catch (error) {
    throw new IndexDamageError('A row of the index holds no JSON.', { cause: error })
  }
}
