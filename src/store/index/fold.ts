/**
 * Applies operations to the index's tables: the state of the store is this fold over its log (docs/format.md section
 * 6). Each change is checked against the state it meets, so a log that breaks a rule is noticed where it does.
 */
import type { Change, ChangeKind, ChangeOf } from '../log/change.ts'
import type { Operation } from '../log/operation.ts'
import type { Connection } from './connection.ts'
import { ALIAS_CHANGES } from './fold-aliases.ts'
import { ARTIFACT_CHANGES } from './fold-artifacts.ts'
import { DRAFT_CHANGES } from './fold-drafts.ts'
import { LINK_CHANGES } from './fold-links.ts'
import { PACK_CHANGES } from './fold-packs.ts'
import { RUN_CHANGES } from './fold-runs.ts'
import { SYNC_CHANGES } from './fold-sync.ts'
import { UNDO_CHANGES } from './fold-undo.ts'
import { VERSION_CHANGES } from './fold-versions.ts'
import { insertRow } from './row-sum.ts'
import { type Applies, RuleError } from './rules.ts'

const APPLY: Applies<ChangeKind> = {
  ...ARTIFACT_CHANGES,
  ...VERSION_CHANGES,
  ...ALIAS_CHANGES,
  ...LINK_CHANGES,
  ...RUN_CHANGES,
  ...DRAFT_CHANGES,
  ...SYNC_CHANGES,
  ...PACK_CHANGES,
  ...UNDO_CHANGES,
}

/** Changes that nothing takes back. */
const FINAL: ReadonlySet<ChangeKind> = new Set<ChangeKind>([
  'packs.drop',
  'version.purge',
  'run.start',
  'run.finish',
  'run.uses',
  'run.logs',
  'draft.open',
  'draft.part',
  'draft.finish',
  'draft.abort',
  'version.renumber',
  'version.fetch',
  'artifact.join',
  'pull',
])

/**
 * Applies an operation, all but its packs. Throws a RuleError when it breaks a rule; the caller's transaction undoes
 * what was applied by then.
 */
export function fold(connection: Connection, operation: Operation, hash: string): void {
  insertOperation(connection, operation, hash)
  for (const change of operation.changes) apply(connection, change, operation.n)
  connection.run('UPDATE store SET applied = ?, hash = ?', operation.n, hash)
}

/** Applies what still fits where operations before it are lost. For a look at a damaged store, never for its index. */
export function foldWhatFits(connection: Connection, operation: Operation, hash: string): void {
  insertOperation(connection, operation, hash)
  for (const change of operation.changes) {
    try {
      connection.write(() => apply(connection, change, operation.n))
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
    }
  }
  connection.run('UPDATE store SET applied = ?, hash = ?', operation.n, hash)
}

function insertOperation(connection: Connection, operation: Operation, hash: string): void {
  const { n, at, by, tool } = operation
  const kinds = operation.changes.map(({ kind }) => kind)
  // What came by a pull is so elsewhere: it would come again.
  const final = kinds.includes('pull') || kinds.every((kind) => FINAL.has(kind)) ? 1 : 0
  const { user, host } = by
  insertRow(connection, 'INSERT INTO operation', [n, hash, at, user, host, tool, final, null, null])
}

function apply<K extends ChangeKind>(
  connection: Connection,
  change: Change & ChangeOf<K>,
  n: number,
): void {
  const kind: K = change.kind as K
  APPLY[kind](connection, change, n)
}
