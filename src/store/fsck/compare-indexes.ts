/**
 * Compares two indexes of one store by SQLite itself: there are millions of rows. The one that is examined is attached to
 * the fresh one, and everything is read in one transaction, so that both stand still.
 */
import type { Connection } from '../index/connection.ts'

export interface Comparison {
  readonly rows: number
  /** The first difference of each table. */
  readonly differences: readonly string[]
}

/**
 * Compares the database in `file` with the fresh one; undefined when the two stand on different operations: then somebody
 * else is at work. Throws SQLite's errors where the file is damaged.
 */
export function compareIndexes(fresh: Connection, file: string): Comparison | undefined {
  fresh.statement('ATTACH ? AS live').run(file)
  try {
    fresh.execute('DROP TABLE IF EXISTS temp.shared_pack')
    fresh.execute(
      'CREATE TEMP TABLE shared_pack (here INTEGER PRIMARY KEY, there INTEGER NOT NULL)',
    )
    return fresh.snapshot(() => {
      const [here, there] = ['main', 'live'].map((side) =>
        fresh.value<number>(`SELECT applied FROM ${side}.store`),
      )
      return here === there ? compare(fresh) : undefined
    })
  } finally {
    fresh.execute('DETACH live')
  }
}

function compare(connection: Connection): Comparison {
  const differences: string[] = []
  let rows = 0
  for (const [name, columns] of tablesOf(connection)) {
    const of = (side: string): string =>
      `SELECT ${columns} FROM ${side}.${name}${WHERE[name] ?? ''}`
    rows += connection.value<number>(`SELECT count(*) FROM (${of('main')})`) ?? 0
    const difference =
      show(connection, 'missing', `${of('main')} EXCEPT ${of('live')} LIMIT 1`) ??
      show(connection, 'too many', `${of('live')} EXCEPT ${of('main')} LIMIT 1`)
    if (difference !== undefined) differences.push(`table "${name}" (${difference})`)
  }
  const objects = compareObjects(connection)
  if (objects.difference !== undefined) differences.push(`table "object" (${objects.difference})`)
  return { rows: rows + objects.rows, differences }
}

/** Every table with the columns in which two indexes that are right agree. */
function tablesOf(connection: Connection): Map<string, string> {
  const names = connection.all<{ readonly name: string }>(
    `SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
     AND name NOT IN ('object', 'bad')`,
  )
  return new Map(
    names.map(({ name }) => [name, COLUMNS[name] ?? columnsOf(connection, name)] as const),
  )
}

const COLUMNS: Readonly<Record<string, string>> = {
  store: 'id, applied, hash',
  // What a pack was that nobody named before it was dropped, only its writer's index may know.
  pack: `name, state = 'dropped', "into", iif(state = 'dropped', NULL, bytes),
         iif(state = 'dropped', NULL, kind), iif(state = 'dropped', NULL, operation)`,
}
const WHERE: Readonly<Record<string, string>> = {
  pack: " WHERE operation IS NOT NULL OR state = 'dropped'",
}

function columnsOf(connection: Connection, name: string): string {
  return connection
    .all<{ readonly name: string }>(`SELECT name FROM pragma_table_info('${name}')`)
    .map((column) => `"${column.name}"`)
    .join(', ')
}

function show(connection: Connection, what: string, sql: string): string | undefined {
  const row = connection.get<Readonly<Record<string, unknown>>>(sql)
  if (row === undefined) return undefined
  const cells = Object.values(row).map(String)
  const shown = cells.map((cell) => (cell.length > 20 ? `${cell.slice(0, 20)}…` : cell))
  return `${what}: ${shown.join(' ')}`
}

/** Packs that both could read, by the numbers they have here and there: for the others the check of packs looks. */
const SHARED_PACKS = `
INSERT INTO shared_pack
SELECT fresh.id, live.id FROM main.pack AS fresh JOIN live.pack AS live USING (name)
WHERE fresh.state = 'present' AND live.state = 'present'
  AND fresh.operation IS NOT NULL AND live.operation IS NOT NULL`
const DIFFERENT = `
SELECT hex(fresh.id) AS id, fresh.offset AS offset, live.offset AS found
FROM main.object AS fresh JOIN shared_pack ON here = fresh.pack
LEFT JOIN live.object AS live ON live.id = fresh.id AND live.pack = there
WHERE (live.offset, live.stored, live.raw, live.type)
  IS NOT (fresh.offset, fresh.stored, fresh.raw, fresh.type) LIMIT 1`
const HERE = 'SELECT count(*) FROM main.object WHERE pack IN (SELECT here FROM shared_pack)'
const THERE = 'SELECT count(*) FROM live.object WHERE pack IN (SELECT there FROM shared_pack)'

function compareObjects(connection: Connection): { rows: number; difference?: string } {
  connection.run(SHARED_PACKS)
  type Different = { readonly id: string; readonly offset: number; readonly found: number | null }
  const different = connection.get<Different>(DIFFERENT)
  const rows = connection.value<number>(HERE) ?? 0
  const there = connection.value<number>(THERE) ?? 0
  if (different !== undefined) {
    const { id, offset, found } = different
    const where = found === null ? 'missing' : `at ${found}, not ${offset}`
    return { rows, difference: `${id.toLowerCase()} is ${where}` }
  }
  return rows === there ? { rows } : { rows, difference: `${there - rows} rows too many` }
}
