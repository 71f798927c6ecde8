/** Applies the changes of aliases, and notes each move. */
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { Connection } from './connection.ts'
import { insertRow, seal } from './row-sum.ts'
import { type Applies, RuleError, requireArtifact, requireLive } from './rules.ts'

export const ALIAS_CHANGES: Applies<'alias.set' | 'alias.remove'> = {
  'alias.set': (connection, change, n) => {
    const { artifact, alias, version, old } = change
    requireArtifact(connection, artifact, n)
    requireLive(connection, change, n)
    requireOld(connection, artifact, alias, old, n)
    if (old === null) count(connection, artifact, 1)
    insertRow(connection, 'INSERT OR REPLACE INTO alias', [artifact, alias, version, n])
    noteMove(connection, artifact, alias, old, version, n)
  },

  'alias.remove': (connection, { artifact, alias, old }, n) => {
    requireArtifact(connection, artifact, n)
    requireOld(connection, artifact, alias, old, n)
    connection.run('DELETE FROM alias WHERE artifact = ? AND alias = ?', artifact, alias)
    if (old !== null) count(connection, artifact, -1)
    noteMove(connection, artifact, alias, old, null, n)
  },
}

function count(connection: Connection, artifact: ArtifactId, more: number): void {
  connection.run('UPDATE artifact SET aliases = aliases + ? WHERE id = ?', more, artifact)
  seal(connection, 'artifact', artifact)
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
}
