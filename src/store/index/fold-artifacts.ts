/** Applies the changes of artifacts themselves. */
import type { ArtifactId } from '../../types.ts'
import type { Connection } from './connection.ts'
import { insertRow, seal } from './row-sum.ts'
import { type Applies, RuleError, requireArtifact } from './rules.ts'

export const ARTIFACT_CHANGES: Applies<
  'artifact.create' | 'artifact.edit' | 'artifact.rename' | 'artifact.join'
> = {
  'artifact.create': (connection, { artifact, project, name, type, portfolio }, n) => {
    if (connection.value('SELECT 1 FROM artifact WHERE id = ?', artifact) !== undefined) {
      throw new RuleError(n, `artifact "${artifact}" exists`)
    }
    requireUnjoined(connection, artifact, n)
    requireFreeName(connection, project, name, n)
    const isPortfolio = portfolio === true ? 1 : 0
    const row = [artifact, project, name, type, null, isPortfolio, n, 0, 0]
    insertRow(connection, 'INSERT INTO artifact', row)
  },

  'artifact.edit': (connection, { artifact, set, old }, n) => {
    const row = requireArtifact(connection, artifact, n)
    if (set.type !== undefined) {
      requireOld(artifact, 'type', row.type, old.type, n)
      connection.run('UPDATE artifact SET type = ? WHERE id = ?', set.type, artifact)
    }
    if (set.description !== undefined) {
      requireOld(artifact, 'description', row.description, old.description, n)
      connection.run('UPDATE artifact SET description = ? WHERE id = ?', set.description, artifact)
    }
    seal(connection, 'artifact', artifact)
  },

  'artifact.rename': (connection, { artifact, name, old }, n) => {
    const row = requireArtifact(connection, artifact, n)
    requireOld(artifact, 'name', row.name, old, n)
    requireFreeName(connection, row.project, name, n)
    connection.run('UPDATE artifact SET name = ? WHERE id = ?', name, artifact)
    seal(connection, 'artifact', artifact)
  },

  'artifact.join': (connection, { artifact, as }, n) => {
    requireArtifact(connection, artifact, n)
    if (connection.value('SELECT 1 FROM artifact WHERE id = ?', as) !== undefined)
      throw new RuleError(n, `artifact "${as}" exists`)
    requireUnjoined(connection, as, n)
    insertRow(connection, 'INSERT INTO artifact_join', [as, artifact, n])
  },
}

/** An id stands for one artifact. */
function requireUnjoined(connection: Connection, id: ArtifactId, n: number): void {
  const joined = connection.value('SELECT artifact FROM artifact_join WHERE id = ?', id)
  if (joined !== undefined) throw new RuleError(n, `artifact "${id}" is known as "${joined}"`)
}

function requireFreeName(connection: Connection, project: string, name: string, n: number): void {
  const taken = connection.value(
    'SELECT 1 FROM artifact WHERE project = ? AND name = ?',
    project,
    name,
  )
  if (taken !== undefined) throw new RuleError(n, `the name "${project}/${name}" is taken`)
}

function requireOld(
  artifact: ArtifactId,
  what: string,
  was: string | null,
  old: string | null | undefined,
  n: number,
): void {
  if (was !== old) {
    throw new RuleError(n, `the ${what} of artifact "${artifact}" was not ${JSON.stringify(old)}`)
  }
}
