/**
 * Applies operations to the index's tables: the state of the store is this fold over its log (docs/format.md section
 * 6). Each change is checked against the state it meets, so a log that breaks a rule is noticed where it does.
 */
import type { ArtifactId } from '../../types.ts'
import type { Change, ChangeKind, ChangeOf } from '../log/change.ts'
import type { Operation } from '../log/operation.ts'
import type { Connection, SqlValue } from './connection.ts'
import { checkedRow, rowSum } from './row-sum.ts'

/** A rule of the log that an operation breaks, or seems to where the index itself is damaged. */
export class RuleError extends Error {
  /** The operation. */
  readonly n: number

  static {
    this.prototype.name = 'RuleError'
  }

  constructor(n: number, message: string) {
    super(message)
    this.n = n
  }
}

/** Applies one change of operation `n`. */
type Apply<K extends ChangeKind> = (connection: Connection, change: ChangeOf<K>, n: number) => void

const APPLY: { readonly [K in ChangeKind]: Apply<K> } = {
  'artifact.create': (connection, { artifact, project, name, type }, n) => {
    if (connection.value('SELECT 1 FROM artifact WHERE id = ?', artifact) !== undefined) {
      throw new RuleError(n, `artifact "${artifact}" exists`)
    }
    if (
      connection.value('SELECT 1 FROM artifact WHERE project = ? AND name = ?', project, name) !==
      undefined
    ) {
      throw new RuleError(n, `the name "${project}/${name}" is taken`)
    }
    insert(connection, 'INSERT INTO artifact', [artifact, project, name, type, n, 0])
  },

  'version.add': (connection, change, n) => {
    const { artifact, number, version, object } = change
    const { project, name, type, operation, next } = requireArtifact(connection, artifact, n)
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
    insert(connection, 'INSERT INTO version', [
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
      n,
    ])
    const after = Math.max(next, number + 1)
    connection.run(
      'UPDATE artifact SET next = ?, sum = ? WHERE id = ?',
      after,
      rowSum([artifact, project, name, type, operation, after]),
      artifact,
    )
    for (const tag of change.tags ?? []) insert(connection, 'INSERT INTO tag', [version, tag])
  },

  'alias.set': (connection, { artifact, alias, version }, n) => {
    requireArtifact(connection, artifact, n)
    if (
      connection.value('SELECT 1 FROM version WHERE id = ? AND artifact = ?', version, artifact) ===
      undefined
    ) {
      throw new RuleError(
        n,
        `alias "${alias}" names "${version}", which is no live version of its artifact`,
      )
    }
    insert(connection, 'INSERT OR REPLACE INTO alias', [artifact, alias, version, n])
  },
}

/**
 * Applies an operation, all but its packs. Throws a RuleError when it breaks a rule; the caller's transaction undoes
 * what was applied by then.
 */
export function fold(connection: Connection, operation: Operation, hash: string): void {
  const { n, at, by, tool } = operation
  insert(connection, 'INSERT INTO operation', [n, hash, at, by.user, by.host, tool])
  for (const change of operation.changes) apply(connection, change, n)
  connection.run('UPDATE store SET applied = ?, hash = ?', n, hash)
}

function apply<K extends ChangeKind>(
  connection: Connection,
  change: Change & ChangeOf<K>,
  n: number,
): void {
  const kind: K = change.kind as K
  APPLY[kind](connection, change, n)
}

interface StoredArtifact {
  readonly project: string
  readonly name: string
  readonly type: string
  readonly operation: number
  readonly next: number
}

function requireArtifact(connection: Connection, artifact: ArtifactId, n: number): StoredArtifact {
  const row = connection.get<StoredArtifact>('SELECT * FROM artifact WHERE id = ?', artifact)
  if (row === undefined) throw new RuleError(n, `there is no artifact "${artifact}"`)
  return checkedRow(row)
}

/** Inserts a row; `values` are those of all columns but the sum. */
function insert(connection: Connection, into: string, values: readonly SqlValue[]): void {
  connection.run(`${into} VALUES (${'?, '.repeat(values.length)}?)`, ...values, rowSum(values))
}
