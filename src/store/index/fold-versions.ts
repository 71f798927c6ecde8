/** Applies the changes of versions: they come, get other labels, are deleted, restored and purged. */
import { canonicalJson } from '../log/canonical.ts'
import type { VersionAdd, VersionEdit } from '../log/change.ts'
import type { Connection } from './connection.ts'
import { insertRow, seal, touch } from './row-sum.ts'
import {
  type Applies,
  RuleError,
  requireArtifact,
  requireLive,
  requireVersion,
  type VersionFacts,
} from './rules.ts'

export const VERSION_CHANGES: Applies<
  'version.add' | 'version.edit' | 'version.delete' | 'version.restore' | 'version.purge'
> = {
  'version.add': (connection, change, n) => {
    const { artifact, number, version, object, tags = [] } = change
    if (requireArtifact(connection, artifact, n).portfolio !== 0)
      throw new RuleError(n, `artifact "${artifact}" is a portfolio`)
    if (connection.value('SELECT 1 FROM version WHERE id = ?', version) !== undefined) {
      throw new RuleError(n, `version "${version}" exists`)
    }
    if (
      connection.value(
        'SELECT 1 FROM version WHERE artifact = ? AND number = ?',
        artifact,
        number,
      ) !== undefined
    ) {
      throw new RuleError(n, `the number v${number} of artifact "${artifact}" is taken`)
    }
    insertRow(connection, 'INSERT INTO version', [
      version,
      artifact,
      number,
      object.root,
      object.files,
      object.bytes,
      object.createdAt,
      JSON.stringify(object.parents),
      object.run ?? null,
      change.description ?? null,
      change.metadata === undefined ? null : JSON.stringify(change.metadata),
      null,
      n,
      n,
      null,
      null,
      change.partial === true ? 1 : 0,
      tags.length,
      0,
      countUses(connection, version),
    ])
    connection.run('UPDATE artifact SET next = max(next, ?) WHERE id = ?', number + 1, artifact)
    seal(connection, 'artifact', artifact)
    insertTags(connection, version, tags)
    insertClosure(connection, change)
    for (const parent of object.parents)
      connection.run('INSERT INTO parent (version, parent) VALUES (?, ?)', version, parent)
  },

  'version.edit': (connection, change, n) => {
    const row = requireLive(connection, change, n)
    const { version, set } = change
    requireOldLabels(connection, row, change, n)
    if (set.description !== undefined)
      connection.run('UPDATE version SET description = ? WHERE id = ?', set.description, version)
    if (set.metadata !== undefined) {
      const text = set.metadata === null ? null : JSON.stringify(set.metadata)
      connection.run('UPDATE version SET metadata = ? WHERE id = ?', text, version)
    }
    if (set.ttl !== undefined) {
      const text = set.ttl === null ? null : String(set.ttl)
      connection.run('UPDATE version SET ttl = ? WHERE id = ?', text, version)
    }
    if (set.tags !== undefined) {
      const tags = set.tags ?? []
      connection.run('DELETE FROM tag WHERE version = ?', version)
      insertTags(connection, version, tags)
      connection.run('UPDATE version SET tags = ? WHERE id = ?', tags.length, version)
    }
    touch(connection, version, n)
  },

  'version.delete': (connection, change, n) => {
    const { links } = requireLive(connection, change, n)
    const { version } = change
    if (links > 0) throw new RuleError(n, `version "${version}" is deleted while a link names it`)
    const alias = connection.value<string>('SELECT alias FROM alias WHERE version = ?', version)
    if (alias !== undefined)
      throw new RuleError(n, `version "${version}" is deleted while "${alias}" names it`)
    connection.run('UPDATE version SET deleted = ? WHERE id = ?', n, version)
    touch(connection, version, n)
  },

  'version.restore': (connection, change, n) => {
    requireDeleted(requireVersion(connection, change, n), change.version, n)
    connection.run('UPDATE version SET deleted = NULL WHERE id = ?', change.version)
    touch(connection, change.version, n)
  },

  'version.purge': (connection, change, n) => {
    requireDeleted(requireVersion(connection, change, n), change.version, n)
    connection.run('UPDATE version SET purged = ? WHERE id = ?', n, change.version)
    seal(connection, 'version', change.version)
  },
}

/** Runs may have used a version before the store got it. */
function countUses(connection: Connection, version: string): number {
  const uses = "SELECT count(*) FROM edge WHERE version = ? AND direction = 'input'"
  return connection.value<number>(uses, version) ?? 0
}

function insertTags(connection: Connection, version: string, tags: readonly string[]): void {
  for (const tag of tags) insertRow(connection, 'INSERT INTO tag', [version, tag])
}

function insertClosure(connection: Connection, { version, closure }: VersionAdd): void {
  if (closure === undefined) return
  const list = 'list' in closure ? closure.list : null
  insertRow(connection, 'INSERT INTO closure', [version, JSON.stringify(closure.packs), list])
}

function requireDeleted({ deleted, purged }: VersionFacts, version: string, n: number): void {
  if (deleted === null) throw new RuleError(n, `version "${version}" is not deleted`)
  if (purged !== null) throw new RuleError(n, `version "${version}" is purged`)
}

function requireOldLabels(
  connection: Connection,
  row: VersionFacts,
  { version, old }: VersionEdit,
  n: number,
): void {
  const refuse = (what: string): never => {
    throw new RuleError(n, `the ${what} of version "${version}" was another one`)
  }
  if (old.description !== undefined && old.description !== row.description) refuse('description')
  if (old.metadata !== undefined && canonicalJson(old.metadata) !== canonical(row.metadata))
    refuse('metadata')
  if (old.ttl !== undefined && (old.ttl === null ? null : String(old.ttl)) !== row.ttl)
    refuse('ttl')
  if (old.tags === undefined) return
  const tags = connection.all<{ tag: string }>('SELECT tag FROM tag WHERE version = ?', version)
  const before = new Set(tags.map(({ tag }) => tag))
  const said = old.tags ?? []
  if (said.length !== before.size || said.some((tag) => !before.has(tag))) refuse('tags')
}

function canonical(json: string | null): string {
  return canonicalJson(json === null ? null : JSON.parse(json))
}
