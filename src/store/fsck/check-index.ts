/**
 * Compares the store's own index with the fresh one, row by row: SQLite notices pages that are garbled, but not one
 * that an older state of the same file has come back into. An index that is merely absent or behind is none that is
 * damaged: it is brought up to date as every command does.
 */
import { type Connection, isIndexDamage } from '../index/connection.ts'
import { catchUp, LogChangedError, readHead } from '../index/refresh.ts'
import { RuleError } from '../index/rules.ts'
import { operationPath } from '../layout.ts'
import type { Counts, Examination } from './examination.ts'
import { LiveIndex } from './live-index.ts'

/** Of these the next command makes a new one, and nothing went wrong. */
const HARMLESS = ['missing', 'schema', 'copied', 'none'] as const
const REASONS = {
  damaged: 'is damaged',
  foreign: "is another store's",
  log: 'is that of another log',
} as const

export function checkIndex(examination: Examination): Counts {
  const live = LiveIndex.open(examination)
  examination.live = live
  const { reason } = live
  if (reason !== undefined) {
    const isHarmless = HARMLESS.some((each) => each === reason)
    if (!isHarmless) say(examination, REASONS[reason as keyof typeof REASONS])
    return { rows: 0 }
  }
  try {
    return { rows: compare(examination, live.connection as Connection) }
  } catch (error) {
    const isWrong = error instanceof LogChangedError || error instanceof RuleError
    if (!isWrong && !isIndexDamage(error)) throw error
    const { message } = error as Error
    say(examination, isWrong ? 'does not follow from the log' : `is damaged (${message})`)
    live.close()
    return { rows: 0 }
  }
}

/** Returns the number of rows compared. */
function compare(examination: Examination, live: Connection): number {
  const { fresh, gap, blocked, layout, problems } = examination
  const damage = live.all<{ integrity_check: string }>('PRAGMA integrity_check(3)')
  if (damage[0]?.integrity_check !== 'ok') {
    say(examination, `is damaged (${damage.map((row) => row.integrity_check).join('; ')})`)
    examination.live.close()
    return 0
  }
  // Without the whole log nobody can say what the index should be; what it remembers may be all there is.
  if (gap !== undefined || blocked !== undefined) return 0
  const tip = readHead(fresh.connection).applied
  const { applied } = readHead(live)
  if (applied > tip) {
    const lost = operationPath(layout, tip + 1)
    problems.add('log', lost, `is missing: the index was made with operations up to ${applied}`)
    examination.gap = tip + 1
    return 0
  }
  catchUp(live, { layout, onPackProblem: () => {} })
  catchUp(fresh.connection, { layout, onPackProblem: () => {} })
  let rows = 0
  const onRow = (): void => {
    rows++
  }
  for (const { name, sql } of queriesOf(fresh.connection)) {
    const difference = firstDifference(rowsOf(live, sql), rowsOf(fresh.connection, sql), onRow)
    if (difference !== undefined) say(examination, inTable(name, difference))
  }
  const difference = compareObjects(examination, (count) => {
    rows += count
  })
  if (difference !== undefined) say(examination, inTable('object', difference))
  return rows
}

interface Query {
  readonly name: string
  readonly sql: string
}

/** One query for each table, without what differs between two indexes that are equally right. */
function queriesOf(connection: Connection): Query[] {
  const tables = connection.all<{ name: string }>(
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
     AND name NOT IN ('object', 'bad')`,
  )
  return tables.map(({ name }) => ({ name, sql: QUERIES[name] ?? wholeTable(connection, name) }))
}

const QUERIES: Readonly<Record<string, string>> = {
  store: 'SELECT id, applied, hash FROM store',
  // What a pack was that nobody named before it was dropped, only its writer's index may know.
  pack: `SELECT name, state = 'dropped', "into", iif(state = 'dropped', NULL, bytes),
         iif(state = 'dropped', NULL, kind), iif(state = 'dropped', NULL, operation) FROM pack
         WHERE operation IS NOT NULL OR state = 'dropped' ORDER BY name`,
}
type Row = readonly unknown[]

function rowsOf(connection: Connection, sql: string): Iterable<Row> {
  return connection.statement(sql).raw().iterate() as IterableIterator<Row>
}

/** Packs that both could read, by the numbers they have here and there. */
const SHARED_PACKS = `
CREATE TEMP TABLE shared_pack AS
SELECT fresh.id AS here, live.id AS there FROM main.pack AS fresh JOIN live.pack AS live USING (name)
WHERE fresh.state = 'present' AND live.state = 'present'
  AND fresh.operation IS NOT NULL AND live.operation IS NOT NULL`
const DIFFERENT_OBJECT = `
SELECT hex(fresh.id) AS id, fresh.offset AS offset, live.offset AS found
FROM main.object AS fresh JOIN shared_pack ON here = fresh.pack
LEFT JOIN live.object AS live ON live.id = fresh.id AND live.pack = there
WHERE (live.offset, live.stored, live.raw, live.type)
  IS NOT (fresh.offset, fresh.stored, fresh.raw, fresh.type) LIMIT 1`
const OBJECTS_HERE = 'SELECT count(*) FROM main.object WHERE pack IN (SELECT here FROM shared_pack)'
const OBJECTS_THERE =
  'SELECT count(*) FROM live.object WHERE pack IN (SELECT there FROM shared_pack)'

/** Compares where the objects are, in SQLite: there are millions of them. */
function compareObjects(
  { fresh: { connection }, live: { file } }: Examination,
  onRows: (count: number) => void,
): string | undefined {
  if (file === undefined) return undefined
  connection.statement('ATTACH ? AS live').run(file)
  try {
    connection.execute(SHARED_PACKS)
    type Different = { readonly id: string; readonly offset: number; readonly found: number | null }
    const different = connection.get<Different>(DIFFERENT_OBJECT)
    const here = connection.value<number>(OBJECTS_HERE) ?? 0
    const there = connection.value<number>(OBJECTS_THERE) ?? 0
    onRows(here)
    if (different !== undefined) {
      const { id, offset, found } = different
      return `${id.toLowerCase()} is ${found === null ? 'missing' : `at ${found}, not ${offset}`}`
    }
    return here === there ? undefined : `${there - here} rows too many`
  } finally {
    connection.execute('DROP TABLE IF EXISTS shared_pack')
    connection.execute('DETACH live')
  }
}

function wholeTable(connection: Connection, name: string): string {
  const columns = connection
    .all<{ name: string }>(`SELECT name FROM pragma_table_info('${name}')`)
    .map((column) => `"${column.name}"`)
    .join(', ')
  return `SELECT ${columns} FROM "${name}" ORDER BY ${columns}`
}

function firstDifference(
  live: Iterable<Row>,
  fresh: Iterable<Row>,
  onRow: () => void,
): string | undefined {
  const left = live[Symbol.iterator]()
  const right = fresh[Symbol.iterator]()
  try {
    for (;;) {
      const a = left.next()
      const b = right.next()
      if (a.done === true && b.done === true) return undefined
      onRow()
      if (a.done === true) return `a row is missing: ${show(b.value)}`
      if (b.done === true) return `a row too many: ${show(a.value)}`
      if (!isEqual(a.value, b.value)) return `${show(a.value)} should be ${show(b.value)}`
    }
  } finally {
    left.return?.()
    right.return?.()
  }
}

function isEqual(a: Row, b: Row): boolean {
  return a.every((value, index) => {
    const other = b[index]
    return value instanceof Buffer && other instanceof Buffer
      ? value.equals(other)
      : value === other
  })
}

function show(row: Row): string {
  const cells = row.map((value) =>
    value instanceof Buffer ? value.toString('hex') : String(value),
  )
  return cells.map((cell) => (cell.length > 20 ? `${cell.slice(0, 20)}…` : cell)).join(' ')
}

function inTable(name: string, difference: string): string {
  return `differs from what the log says in table "${name}" (${difference})`
}

function say({ live, layout, problems }: Examination, what: string): void {
  problems.add('index', live.file ?? layout.index, `${what}; it is rebuilt when a command needs it`)
}
