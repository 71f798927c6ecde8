/** What the rules of the log are checked with, change by change (docs/format.md section 6). */
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { ChangeKind, ChangeOf } from '../log/change.ts'
import type { Connection } from './connection.ts'
import { checkedRow } from './row-sum.ts'

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
export type Apply<K extends ChangeKind> = (
  connection: Connection,
  change: ChangeOf<K>,
  n: number,
) => void

/** Applies changes of some kinds. */
export type Applies<K extends ChangeKind> = { readonly [Kind in K]: Apply<Kind> }

export interface ArtifactFacts {
  readonly project: string
  readonly name: string
  readonly type: string
  readonly description: string | null
  readonly portfolio: number
}

export interface VersionFacts {
  readonly number: number
  /** That added it. */
  readonly operation: number
  readonly description: string | null
  readonly metadata: string | null
  readonly ttl: string | null
  readonly deleted: number | null
  readonly purged: number | null
  readonly partial: number
  readonly links: number
}

/** Returns the artifact's row; throws a RuleError when there is none. */
export function requireArtifact(
  connection: Connection,
  artifact: ArtifactId,
  n: number,
): ArtifactFacts {
  const row = connection.get<ArtifactFacts>('SELECT * FROM artifact WHERE id = ?', artifact)
  if (row === undefined) throw new RuleError(n, `there is no artifact "${artifact}"`)
  return checkedRow(row)
}

/** Throws a RuleError when there is no artifact with this id, or it is not a portfolio. */
export function requirePortfolio(connection: Connection, artifact: ArtifactId, n: number): void {
  if (requireArtifact(connection, artifact, n).portfolio !== 0) return
  throw new RuleError(n, `artifact "${artifact}" is not a portfolio`)
}

/** Returns the row of a version of this artifact, live or not; throws a RuleError when there is none. */
export function requireVersion(
  connection: Connection,
  { artifact, version }: { readonly artifact: ArtifactId; readonly version: ObjectId },
  n: number,
): VersionFacts {
  const row = connection.get<VersionFacts>(
    'SELECT * FROM version WHERE id = ? AND artifact = ?',
    version,
    artifact,
  )
  if (row !== undefined) return checkedRow(row)
  throw new RuleError(n, `there is no version "${version}" of artifact "${artifact}"`)
}

/** Returns the row of a live version of this artifact; throws a RuleError when there is none. */
export function requireLive(
  connection: Connection,
  change: { readonly artifact: ArtifactId; readonly version: ObjectId },
  n: number,
): VersionFacts {
  const row = requireVersion(connection, change, n)
  if (row.deleted === null) return row
  throw new RuleError(n, `version "${change.version}" is deleted`)
}
