/** What a merge looks at: one artifact as one store has it, or had it (docs/remote.md section 7). Plain values. */
import type { Ttl } from '../../store/log/change.ts'
import type { ArtifactId, Metadata, ObjectId, VersionObject } from '../../types.ts'

export interface ArtifactState {
  readonly id: ArtifactId
  readonly project: string
  readonly name: string
  readonly type: string
  readonly description?: string
  /** Its versions are links; a link is live until it is removed. */
  readonly portfolio?: true
  /** One above all numbers that were ever given. */
  readonly next: number
  /** Live and deleted ones. */
  readonly versions: ReadonlyMap<ObjectId, VersionState>
  readonly aliases: ReadonlyMap<string, ObjectId>
}

export interface VersionState {
  readonly number: number
  readonly object: VersionObject
  readonly isDeleted: boolean
  readonly description?: string
  readonly metadata?: Metadata
  readonly ttl?: Ttl
  /** Without repetition; the order says nothing. */
  readonly tags: readonly string[]
  /** What needs the version: `run:<id>` that uses it, `portfolio:<id>` with a link to it, `version:<id>` of another artifact derived from it. */
  readonly users: readonly string[]
}
