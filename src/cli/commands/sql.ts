import { setImmediate as turn } from 'node:timers/promises'
import type { SqlCell, SqlResult } from '../../index.ts'
import { type Command, type Context, defineCommand } from '../command.ts'

/** How many rows decide the widths of columns. */
const MEASURED = 1000

export const sql: Command = defineCommand({
  flags: {},
  takes: [1, 1],
  completes: [],
  details: [
    'The views are artifacts, versions, deleted_versions, aliases, alias_history, tags, links, runs, edges, operations and packs; docs/sql.md has their columns. The SQL is that of SQLite, with its functions for JSON. With -q there is no head, and tabs stand between the columns.',
  ],
  examples: [
    ['artifacts sql "SELECT ref, bytes FROM versions ORDER BY bytes DESC LIMIT 5"', 'The largest'],
    [
      `artifacts sql "SELECT ref, metadata ->> 'acc' AS acc FROM versions WHERE type = 'model' ORDER BY acc DESC"`,
      'Models by a key of their metadata',
    ],
  ],
  json: { 'a line for each row': 'type values' },

  async run({ positionals: [query = ''] }, context) {
    const store = await context.store()
    // SQLite hears nothing while it looks for the next row; what came before is heard now.
    await turn()
    context.io.signal.throwIfAborted()
    context.io.endOnSignal()
    const result = await store.sql(query)
    return { records: records(result), lines: lines(result, context) }
  },
})

function* records({ columns, rows }: SqlResult): Generator<object> {
  const names = distinct(columns)
  for (const row of rows) {
    const values = Object.fromEntries(names.map((name, i) => [name, row[i] ?? null]))
    yield { type: 'row', values }
  }
}

/** A second column of the same name becomes `name_2`. */
function distinct(columns: readonly string[]): readonly string[] {
  const taken = new Set<string>()
  return columns.map((name) => {
    let unique = name
    for (let n = 2; taken.has(unique); n++) unique = `${name}_${n}`
    taken.add(unique)
    return unique
  })
}

function* lines({ columns, rows }: SqlResult, { quiet, style }: Context): Generator<string> {
  const texts = (row: readonly SqlCell[]): string[] =>
    row.map((cell) => style.name(cell === null ? '' : String(cell)).replace(/\s+/g, ' '))
  if (quiet) {
    for (const row of rows) yield texts(row).join('\t')
    return
  }
  const first: string[][] = [[...columns]]
  const widths = columns.map((name) => name.length)
  const show = (row: readonly string[]): string =>
    row
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  let isShown = false
  const flush = function* (): Generator<string> {
    isShown = true
    for (const row of first) yield show(row)
  }
  for (const row of rows) {
    const cells = texts(row)
    if (isShown) {
      yield show(cells)
      continue
    }
    first.push(cells)
    for (const [i, text] of cells.entries()) widths[i] = Math.max(widths[i] ?? 0, text.length)
    if (first.length > MEASURED) yield* flush()
  }
  if (!isShown) yield* flush()
}
