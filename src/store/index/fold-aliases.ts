/** Applies the changes of aliases, and notes each move, also with the versions that it is about. */
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { Connection } from './connection.ts'
import { checkedRow, count, insertRow, touch } from './row-sum.ts'
import { type Applies, RuleError, requireArtifact, requireLive } from './rules.ts'

export const ALIAS_CHANGES: Applies<'alias.set' | 'alias.remove'> = {
  'alias.set': (connection, change, n) => {
    const { artifact, alias, version, old } = change
    const { portfolio } = requireArtifact(connection, artifact, n)
    if (portfolio === 0) requireLive(connection, change, n)
    else requireLink(connection, artifact, version, n)
    requireOld(connection, artifact, alias, old, n)
    if (old === null) count(connection, ['artifact', 'aliases'], artifact, 1)
    insertRow(connection, 'INSERT OR REPLACE INTO alias', [artifact, alias, version, n])
    noteMove(connection, artifact, alias, old, version, n)
  },

  'alias.remove': (connection, { artifact, alias, old }, n) => {
    requireArtifact(connection, artifact, n)
    requireOld(connection, artifact, alias, old, n)
    connection.run('DELETE FROM alias WHERE artifact = ? AND alias = ?', artifact, alias)
    if (old !== null) count(connection, ['artifact', 'aliases'], artifact, -1)
    noteMove(connection, artifact, alias, old, null, n)
  },
}

/** A link keeps its version live. */
function requireLink(
  connection: Connection,
  portfolio: ArtifactId,
  version: ObjectId,
  n: number,
): void {
  const sql = 'SELECT 1 FROM link WHERE version = ? AND portfolio = ? AND removed IS NULL'
  if (connection.value(sql, version, portfolio) !== undefined) return
  throw new RuleError(n, `version "${version}" is not linked into portfolio "${portfolio}"`)
}

function requireOld(
  connection: Connection,
  artifact: ArtifactId,
  alias: string,
  old: ObjectId | null,
  n: number,
): void {
  const before = connection.value<ObjectId>(
    'SELECT version FROM alias WHERE artifact = ? AND alias = ?',
    artifact,
    alias,
  )
  if ((before ?? null) !== old)
    throw new RuleError(n, `alias "${alias}" of artifact "${artifact}" did not name "${old}"`)
}

function noteMove(
  connection: Connection,
  artifact: ArtifactId,
  alias: string,
  old: ObjectId | null,
  version: ObjectId | null,
  n: number,
): void {
  connection.run(
    'INSERT INTO alias_move (artifact, alias, old, version, operation) VALUES (?, ?, ?, ?, ?)',
    artifact,
    alias,
    old,
    version,
    n,
  )
  const own = 'SELECT * FROM version WHERE id = ? AND artifact = ?'
  for (const id of [old, version]) {
    const row = id === null ? undefined : connection.get<object>(own, id, artifact)
    if (id === null || row === undefined) continue
    checkedRow(row)
    touch(connection, id, n)
  }
}
