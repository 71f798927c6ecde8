/** Applies that drafts are begun, grow, and become versions or are given up. */
import type { Connection } from './connection.ts'
import { checkedRow, insertRow, seal } from './row-sum.ts'
import type { StoredDraft } from './rows.ts'
import { type Applies, RuleError } from './rules.ts'

export const DRAFT_CHANGES: Applies<'draft.open' | 'draft.part' | 'draft.finish' | 'draft.abort'> =
  {
    'draft.open': (connection, { draft, project, name, type, key, base }, n) => {
      if (connection.value('SELECT 1 FROM draft WHERE id = ?', draft) !== undefined)
        throw new RuleError(n, `draft "${draft}" exists`)
      const other = connection.value(
        "SELECT 1 FROM draft WHERE project = ? AND name = ? AND key = ? AND state = 'open'",
        project,
        name,
        key,
      )
      if (other !== undefined) throw new RuleError(n, `draft "${key}" of "${name}" is open already`)
      insertRow(connection, 'INSERT INTO draft', [
        draft,
        project,
        name,
        type ?? null,
        key,
        base ?? null,
        n,
        0,
        'open',
        null,
        null,
      ])
    },

    'draft.part': (connection, change, n) => {
      const { draft, part } = change
      const row = requireOpen(connection, draft, n)
      if (row.parts !== part) throw new RuleError(n, `draft "${draft}" has ${row.parts} parts`)
      insertRow(connection, 'INSERT INTO draft_part', [
        draft,
        part,
        change.root,
        change.files,
        change.bytes,
        change.writer,
        change.run ?? null,
        change.overwrite === true ? 1 : 0,
        change.removed === undefined ? null : JSON.stringify(change.removed),
        n,
      ])
      connection.run('UPDATE draft SET parts = ? WHERE id = ?', part + 1, draft)
      seal(connection, 'draft', draft)
    },

    'draft.finish': (connection, { draft, version }, n) => {
      if (connection.value('SELECT 1 FROM version WHERE id = ?', version) === undefined)
        throw new RuleError(n, `there is no version "${version}"`)
      end(connection, draft, 'finished', version, n)
    },

    'draft.abort': (connection, { draft }, n) => end(connection, draft, 'aborted', null, n),
  }

function end(
  connection: Connection,
  draft: string,
  state: StoredDraft['state'],
  version: string | null,
  n: number,
): void {
  requireOpen(connection, draft, n)
  const sql = 'UPDATE draft SET state = ?, ended = ?, version = ? WHERE id = ?'
  connection.run(sql, state, n, version, draft)
  seal(connection, 'draft', draft)
}

function requireOpen(connection: Connection, draft: string, n: number): StoredDraft {
  const row = connection.get<StoredDraft>('SELECT * FROM draft WHERE id = ?', draft)
  if (row === undefined) throw new RuleError(n, `there is no draft "${draft}"`)
  if (checkedRow(row).state !== 'open') throw new RuleError(n, `draft "${draft}" is ${row.state}`)
  return row
}
