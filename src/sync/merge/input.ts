/** What goes into a merge and what comes out of it. */
import type { Change } from '../../store/log/change.ts'
import type { ObjectId } from '../../types.ts'
import type { ArtifactState } from './state.ts'
import type { Conflict, Side } from './values.ts'

export interface MergeInput {
  /** What both sides had when they last met; undefined: they never did. */
  readonly base: ArtifactState | undefined
  /** Undefined: the artifact is new here. */
  readonly ours: ArtifactState | undefined
  readonly theirs: ArtifactState
  /** Whose value stands where both changed one: the remote's side. */
  readonly wins: Side
  /** They are our primary remote, whose numbers stand. */
  readonly areTheyPrimary: boolean
  /** Not all that they have is merged. */
  readonly isPart?: boolean
  /** What else needs a version of ours after the merge, as `users` say it: then it is not deleted. */
  readonly holds?: (version: ObjectId) => readonly string[]
}

export type MergeChange = Change

/** What a person should hear of a merge beside its changes. */
export type Remark =
  /** Both sides changed it; `dropped` is what one of them wanted. */
  | ({ readonly kind: 'conflict'; readonly field: string; readonly version?: ObjectId } & Conflict)
  /**
   * One side deleted it, and the other has begun to need it: `alias:<name>`, `version:<id>` of a child, and as
   * `VersionState.users` say it.
   */
  | { readonly kind: 'kept'; readonly version: ObjectId; readonly users: readonly string[] }

export interface Merged {
  readonly changes: readonly MergeChange[]
  readonly remarks: readonly Remark[]
}

export const LATEST = 'latest'
