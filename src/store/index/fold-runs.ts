/** Applies what runs did, and what they are called. */
import { canonicalJson } from '../log/canonical.ts'
import { sortedTags } from '../log/effects.ts'
import type { RunLabels, RunLogs, RunUses } from '../log/run-change.ts'
import type { Connection, SqlValue } from './connection.ts'
import { checkedRow, count, insertRow, seal } from './row-sum.ts'
import type { StoredRun } from './rows.ts'
import { type Applies, RuleError } from './rules.ts'

export const RUN_CHANGES: Applies<
  'run.start' | 'run.update' | 'run.finish' | 'run.uses' | 'run.logs'
> = {
  'run.start': (connection, change, n) => {
    if (connection.value('SELECT 1 FROM run WHERE id = ?', change.run) !== undefined)
      throw new RuleError(n, `run "${change.run}" exists`)
    insertRow(connection, 'INSERT INTO run', [
      change.run,
      change.project,
      change.name ?? null,
      change.job ?? null,
      change.group ?? null,
      change.notes ?? null,
      json(change.tags),
      json(change.config),
      change.by.user,
      change.by.host,
      change.startedAt,
      null,
      'running',
      null,
      json(change.command),
      change.directory ?? null,
      json(change.source),
      n,
    ])
  },

  'run.update': (connection, { run, set, old }, n) => {
    const row = requireRun(connection, run, n)
    for (const field of Object.keys(set) as (keyof RunLabels)[]) {
      if (canonical(field, old[field]) !== canonical(field, stored(row, field)))
        throw new RuleError(n, `the ${field} of run "${run}" was another one`)
      const value = set[field] ?? null
      const text = typeof value === 'string' ? value : json(value)
      connection.run(`UPDATE run SET "${field}" = ? WHERE id = ?`, text, run)
    }
    seal(connection, 'run', run)
  },

  'run.finish': (connection, { run, state, endedAt, exitCode }, n) => {
    const row = requireRun(connection, run, n)
    if (row.state !== 'running') throw new RuleError(n, `run "${run}" has ended already`)
    const sql = 'UPDATE run SET state = ?, ended_at = ?, exit_code = ? WHERE id = ?'
    connection.run(sql, state, endedAt, exitCode ?? null, run)
    seal(connection, 'run', run)
  },

  'run.uses': (connection, change, n) => {
    const isNew = insertEdge(connection, 'input', change, n)
    if (isNew) count(connection, ['version', 'uses'], change.version, 1)
  },

  'run.logs': (connection, change, n) => void insertEdge(connection, 'output', change, n),
}

/** False where the edge is there: said twice it counts once. */
function insertEdge(
  connection: Connection,
  direction: 'input' | 'output',
  change: RunUses | RunLogs,
  n: number,
): boolean {
  const { run, slot, version, name } = change
  requireRun(connection, run, n)
  const there = connection.value(
    'SELECT 1 FROM edge WHERE run = ? AND direction = ? AND slot = ? AND version = ?',
    run,
    direction,
    slot,
    version,
  )
  if (there !== undefined) return false
  const deduplicated = 'deduplicated' in change ? 1 : 0
  insertRow(
    connection,
    'INSERT INTO edge (run, direction, slot, version, name, deduplicated, operation, sum)',
    [run, direction, slot, version, name ?? null, deduplicated, n],
  )
  return true
}

function requireRun(connection: Connection, run: string, n: number): StoredRun {
  const row = connection.get<StoredRun>('SELECT * FROM run WHERE id = ?', run)
  if (row === undefined) throw new RuleError(n, `there is no run "${run}"`)
  return checkedRow(row)
}

function json(value: unknown): SqlValue {
  return value === undefined || value === null ? null : JSON.stringify(value)
}

function stored(row: StoredRun, field: keyof RunLabels): unknown {
  const text = row[field]
  const isJson = field === 'tags' || field === 'config'
  return text === null || !isJson ? text : JSON.parse(text)
}

/** Tags are a set. */
function canonical(field: keyof RunLabels, value: unknown): string {
  const isTags = field === 'tags'
  return canonicalJson(isTags ? sortedTags(value as RunLabels['tags']) : (value ?? null))
}
