/** The versions that a plan is for, and the errors where the state has gone on without them. */
import { ArtifactsError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import type { StateView, VersionRow } from '../index/state.ts'

/** A version that a person named. */
export interface Target {
  readonly version: ObjectId
  /** Its artifact as messages call it: `bike`, `vision/bike`. */
  readonly name: string
}

/** The version, which is live; throws ERR_NOT_FOUND when it is not any more. */
export function liveTarget(state: StateView, target: Target): VersionRow {
  const row = anyTarget(state, target)
  if (row.deleted !== undefined) throw goneVersion(`${target.name}:v${row.number}`, row)
  return row
}

/** The version, live or deleted. */
export function anyTarget(state: StateView, { version }: Target): VersionRow {
  const row = state.versionById(version)
  if (row === undefined) throw new Error(`There is no version "${version}".`)
  return row
}

/** The error for a version that is deleted, and perhaps purged too. */
export function goneVersion(ref: string, { purged }: Pick<VersionRow, 'purged'>): ArtifactsError {
  if (purged !== undefined) return removedByGc(ref)
  return new ArtifactsError('ERR_NOT_FOUND', `Version "${ref}" is deleted.`, {
    hint: `Bring it back: \`artifacts restore ${ref}\`.`,
  })
}

/** The error for a version whose bytes were given up: it cannot come back. */
export function removedByGc(ref: string): ArtifactsError {
  return new ArtifactsError('ERR_NOT_FOUND', `Version "${ref}" was removed by gc.`, {
    hint: 'If a directory still holds its files, commit it again: that makes a new version.',
  })
}
