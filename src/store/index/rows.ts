/** From rows of the index to what `StateView` answers. */
import type { ArtifactId, ObjectId, VersionObject } from '../../types.ts'
import type { Ttl } from '../log/change.ts'
import { IndexDamageError } from './connection.ts'
import { checkedRow } from './row-sum.ts'
import type { AliasRow, ArtifactRow, OperationRow, VersionRow } from './state.ts'

export interface StoredArtifact {
  readonly id: ArtifactId
  readonly project: string
  readonly name: string
  readonly type: string
  readonly description: string | null
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
  readonly deleted: number | null
  readonly purged: number | null
  readonly tags: number
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

export function toArtifact(row: StoredArtifact): ArtifactRow {
  const { id, project, name, type, description } = checkedRow(row)
  return { id, project, name, type, ...(description === null ? {} : { description }) }
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
    ...(row.deleted === null ? {} : { deleted: row.deleted }),
    ...(row.purged === null ? {} : { purged: row.purged }),
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
