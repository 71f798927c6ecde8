/**
 * What `sql` lets people ask (docs/sql.md): views over the tables of the index, whose names and columns stay when those
 * tables change. They are made anew for every query, in the temporary database of a connection that can only read.
 */
import { isName } from '../../names.ts'

/** Names and definitions of the views; names without a project in refs are those of `project`. */
export function viewDefinitions(project: string): ReadonlyMap<string, string> {
  if (!isName(project)) throw new Error(`no project "${project}"`)
  const name = (table: string): string =>
    `iif(${table}.project = '${project}', ${table}.name, ${table}.project || '/' || ${table}.name)`
  const ref = (artifact: string, version: string): string =>
    `${name(artifact)} || ':v' || ${version}.number`
  const labels = (of: string, column: string, where: string): string =>
    `(SELECT json_group_array(${column}) FROM (SELECT ${column} FROM ${of} WHERE ${where} ORDER BY ${column}))`
  const versions = (isLive: boolean): string => `
    SELECT ${ref('a', 'v')} AS ref, a.name AS artifact, a.project, a.type, v.number, v.id, v.root AS digest,
      v.files, v.bytes, v.created_at, ifnull(v.metadata, '{}') AS metadata, v.description,
      ${labels('main.alias', 'alias', 'artifact = v.artifact AND version = v.id')} AS aliases,
      ${labels('main.tag', 'tag', 'version = v.id')} AS tags,
      iif(v.ttl = 'never', v.ttl, CAST(v.ttl AS INTEGER)) AS ttl, v.run, v.parents, o.user, o.host, v.operation, v.partial
      ${isLive ? '' : ', v.deleted AS deleted_by, v.purged AS purged_by'}
    FROM main.version v JOIN main.artifact a ON a.id = v.artifact JOIN main.operation o ON o.n = v.operation
    WHERE v.deleted IS ${isLive ? '' : 'NOT '}NULL`
  return new Map([
    ['versions', versions(true)],
    ['deleted_versions', versions(false)],
    [
      'artifacts',
      `SELECT ${name('a')} AS artifact, a.name, a.project, a.type, a.description, s.versions,
         s.latest, s.bytes, s.created_at, s.updated_at
       FROM main.artifact a JOIN (
         SELECT artifact, count(*) AS versions, max(number) AS latest, sum(bytes) AS bytes,
           min(created_at) AS created_at, max(created_at) AS updated_at
         FROM main.version WHERE deleted IS NULL GROUP BY artifact
       ) s ON s.artifact = a.id`,
    ],
    [
      'aliases',
      `SELECT l.alias, ${name('a')} AS artifact,
         ${ref('b', 'v')} AS ref, l.version, l.operation, o.at, o.user, o.host
       FROM main.alias l JOIN main.artifact a ON a.id = l.artifact JOIN main.version v ON v.id = l.version
         JOIN main.artifact b ON b.id = v.artifact JOIN main.operation o ON o.n = l.operation`,
    ],
    [
      'alias_history',
      `SELECT m.alias, ${name('a')} AS artifact,
         (SELECT ${ref('b', 'v')} FROM main.version v JOIN main.artifact b ON b.id = v.artifact WHERE v.id = m.old) AS "from",
         (SELECT ${ref('b', 'v')} FROM main.version v JOIN main.artifact b ON b.id = v.artifact WHERE v.id = m.version) AS "to",
         m.operation, o.at, o.user, o.host
       FROM main.alias_move m JOIN main.artifact a ON a.id = m.artifact JOIN main.operation o ON o.n = m.operation`,
    ],
    [
      'tags',
      `SELECT t.tag, ${ref('a', 'v')} AS ref, v.id AS version
       FROM main.tag t JOIN main.version v ON v.id = t.version JOIN main.artifact a ON a.id = v.artifact
       WHERE v.deleted IS NULL`,
    ],
    [
      'links',
      `SELECT ${name('p')} AS portfolio, ${ref('p', 'l')} AS link, ${ref('a', 'v')} AS ref, v.id AS version,
         ${labels('main.alias', 'alias', 'artifact = p.id AND version = v.id')} AS aliases, l.operation, o.at, o.user, o.host
       FROM main.link l JOIN main.artifact p ON p.id = l.portfolio JOIN main.version v ON v.id = l.version
         JOIN main.artifact a ON a.id = v.artifact JOIN main.operation o ON o.n = l.operation
       WHERE l.removed IS NULL`,
    ],
    [
      'runs',
      `SELECT r.id, r.project, r.name, r.job, r."group" AS group_name, r.notes, ifnull(r.tags, '[]') AS tags,
         ifnull(r.config, '{}') AS config, r.user, r.host, r.started_at, r.ended_at, r.state, r.exit_code, r.command,
         r.directory, r.source, r.operation,
         (SELECT count(*) FROM main.edge e WHERE e.run = r.id AND e.direction = 'input') AS inputs,
         (SELECT count(*) FROM main.edge e WHERE e.run = r.id AND e.direction = 'output') AS outputs
       FROM main.run r`,
    ],
    [
      'edges',
      `SELECT e.run, e.direction, e.slot,
         ifnull((SELECT ${ref('a', 'v')} FROM main.version v JOIN main.artifact a ON a.id = v.artifact WHERE v.id = e.version), e.name) AS ref,
         e.version, e.deduplicated, e.operation
       FROM main.edge e`,
    ],
    [
      'operations',
      `SELECT n AS operation, at, user, host, tool, undoes, undone AS undone_by FROM main.operation`,
    ],
    [
      'packs',
      `SELECT name AS id, kind, bytes, state, operation, dropped AS dropped_by FROM main.pack WHERE operation IS NOT NULL`,
    ],
  ])
}
