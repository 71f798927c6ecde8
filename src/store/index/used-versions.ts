/** All versions of an artifact with what is said of them and who needs them: what single questions would take too long for. */
import type { ArtifactId, ObjectId } from '../../types.ts'
import { type Connection, IndexDamageError } from './connection.ts'
import { checkedRow } from './row-sum.ts'
import { type StoredLink, type StoredRun, type StoredVersion, toRun, toVersion } from './rows.ts'
import type { RunRow, UsedVersion } from './state.ts'

/** Live and deleted ones, by number. */
export function usedVersionsIn(connection: Connection, of: ArtifactId): UsedVersion[] {
  const tags = grouped<{ version: ObjectId; tag: string }>(
    connection,
    'SELECT t.* FROM version v JOIN tag t ON t.version = v.id WHERE v.artifact = ? ORDER BY t.tag',
    of,
  )
  const links = grouped<StoredLink>(
    connection,
    'SELECT l.* FROM version v JOIN link l ON l.version = v.id AND l.removed IS NULL WHERE v.artifact = ?',
    of,
  )
  const users = groupedBy(
    connection.all<{ version: ObjectId; run: string }>(
      "SELECT DISTINCT e.version, e.run FROM version v JOIN edge e ON e.version = v.id AND e.direction = 'input' WHERE v.artifact = ?",
      of,
    ),
  )
  const children = groupedBy(
    connection.all<{ version: ObjectId; child: ObjectId }>(
      'SELECT p.parent AS version, c.id AS child FROM version v JOIN parent p ON p.parent = v.id ' +
        'JOIN version c ON c.id = p.version AND c.artifact <> v.artifact AND c.deleted IS NULL WHERE v.artifact = ?',
      of,
    ),
  )
  const rows = connection.all<StoredVersion>(
    'SELECT * FROM version WHERE artifact = ? ORDER BY number',
    of,
  )
  return rows.map((row) => {
    const version = toVersion(row)
    const found = { tags: tags.get(row.id) ?? [], links: links.get(row.id) ?? [] }
    if (found.tags.length !== row.tags || found.links.length !== row.links)
      throw new IndexDamageError(`The index does not find all rows of "${row.id}" that it holds.`)
    return {
      version,
      tags: found.tags.map(({ tag }) => tag),
      runs: (users.get(row.id) ?? []).map(({ run }) => run),
      portfolios: found.links.map(({ portfolio }) => portfolio),
      children: (children.get(row.id) ?? []).map(({ child }) => child),
    }
  })
}

/** The runs that used or logged a version of the artifact. */
export function runsOfArtifactIn(connection: Connection, of: ArtifactId): RunRow[] {
  const sql =
    'SELECT * FROM run WHERE id IN (SELECT e.run FROM version v JOIN edge e ON e.version = v.id WHERE v.artifact = ?)'
  return connection.all<StoredRun>(sql, of).map(toRun)
}

function grouped<T extends { readonly version: ObjectId }>(
  connection: Connection,
  sql: string,
  of: ArtifactId,
): Map<ObjectId, T[]> {
  return groupedBy(connection.all<T>(sql, of).map((row) => checkedRow(row)))
}

function groupedBy<T extends { readonly version: ObjectId }>(
  rows: readonly T[],
): Map<ObjectId, T[]> {
  const groups = new Map<ObjectId, T[]>()
  for (const row of rows) {
    const group = groups.get(row.version)
    if (group === undefined) groups.set(row.version, [row])
    else group.push(row)
  }
  return groups
}
