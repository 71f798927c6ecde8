/** Applies what comes of other stores: versions get other numbers, and bytes. */
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { VersionRenumber } from '../log/sync-change.ts'
import type { Connection } from './connection.ts'
import { checkedRow, insertRow, rowSum, seal, touch } from './row-sum.ts'
import type { StoredLink } from './rows.ts'
import { type Applies, RuleError, requireArtifact, requireVersion } from './rules.ts'

export const SYNC_CHANGES: Applies<'version.renumber' | 'version.fetch' | 'pull'> = {
  'version.renumber': (connection, change, n) => {
    const { artifact, version, number, old } = change
    const { portfolio } = requireArtifact(connection, artifact, n)
    const wasKnown = (portfolio === 0 ? renumberVersion : renumberLink)(connection, change, n)
    connection.run('UPDATE artifact SET next = max(next, ?) WHERE id = ?', number + 1, artifact)
    seal(connection, 'artifact', artifact)
    // Where numbers go round in a circle one steps aside first: that number nobody ever saw.
    const sql = 'SELECT 1 FROM renumbered WHERE artifact = ? AND version = ? AND operation = ?'
    if (wasKnown && connection.value(sql, artifact, version, n) === undefined)
      insertRow(connection, 'INSERT INTO renumbered', [artifact, old, n, version])
  },

  'version.fetch': (connection, change, n) => {
    const { version, whole } = change
    const { partial, purged } = requireVersion(connection, change, n)
    if (partial === 0 || purged !== null)
      throw new RuleError(n, `version "${version}" is ${purged === null ? 'whole' : 'purged'}`)
    if (whole !== true) return
    connection.run('UPDATE version SET partial = 0 WHERE id = ?', version)
    seal(connection, 'version', version)
  },

  pull: () => {},
}

/** True where the old number was one before this operation. */
function renumberVersion(connection: Connection, change: VersionRenumber, n: number): boolean {
  const { artifact, version, number, old } = change
  const row = requireVersion(connection, change, n)
  if (row.number !== old) throw new RuleError(n, `version "${version}" was not v${old}`)
  const sql = 'SELECT 1 FROM version WHERE artifact = ? AND number = ?'
  requireFree(connection.value(sql, artifact, number), change, n)
  connection.run('UPDATE version SET number = ? WHERE id = ?', number, version)
  touch(connection, version, n)
  return row.operation < n
}

/** Also one that was removed: it may come back under its number. */
function renumberLink(connection: Connection, change: VersionRenumber, n: number): boolean {
  const { artifact, version, number, old } = change
  const row = readLink(connection, artifact, old)
  if (row?.version !== version)
    throw new RuleError(n, `v${old} of portfolio "${artifact}" is not version "${version}"`)
  requireFree(readLink(connection, artifact, number), change, n)
  connection.run(
    'UPDATE link SET number = ?, sum = ? WHERE portfolio = ? AND number = ?',
    number,
    rowSum([artifact, number, version, row.operation, row.removed]),
    artifact,
    old,
  )
  return row.removed === null && row.operation < n
}

function requireFree(
  taken: unknown,
  { artifact, number }: { readonly artifact: ArtifactId; readonly number: number },
  n: number,
): void {
  if (taken === undefined) return
  throw new RuleError(n, `the number v${number} of artifact "${artifact}" is taken`)
}

function readLink(
  connection: Connection,
  portfolio: ArtifactId,
  number: number,
): (StoredLink & { readonly version: ObjectId }) | undefined {
  const sql = 'SELECT * FROM link WHERE portfolio = ? AND number = ?'
  const row = connection.get<StoredLink>(sql, portfolio, number)
  return row === undefined ? undefined : checkedRow(row)
}
