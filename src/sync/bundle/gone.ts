/**
 * What a bundle says by not saying it: of an artifact that it tells whole, a version or a link that an earlier bundle had, and
 * this one has not, was removed over there since. A merge hears of that by changes like any other.
 */
import type { StateView } from '../../store/index/state.ts'
import type { Change } from '../../store/log/change.ts'
import type { ArtifactId, ObjectId } from '../../types.ts'
import { linkedVersion } from '../merge/artifact-state.ts'
import type { ArtifactState, VersionState } from '../merge/state.ts'

/**
 * @param whole artifacts that the bundle tells whole
 * @param base what the sender had of an artifact by its last bundle
 */
export function goneSince(
  theirs: StateView,
  whole: readonly ArtifactId[],
  base: (artifact: ArtifactId) => ArtifactState | undefined,
): Change[] {
  return whole.flatMap((id): Change[] => {
    const before = base(id)
    if (before === undefined) return []
    return before.portfolio === true
      ? removedLinks(theirs, id, before)
      : deleted(theirs, id, before)
  })
}

function deleted(theirs: StateView, artifact: ArtifactId, before: ArtifactState): Change[] {
  const { project, name, type } = before
  const gone = [...before.versions].filter(
    ([version, { isDeleted }]) => !isDeleted && theirs.versionById(version) === undefined,
  )
  if (gone.length === 0) return []
  const isThere = theirs.artifactById(artifact) !== undefined
  // Another artifact bears the name by now: this one was renamed, and nothing more is known of it.
  if (!isThere && theirs.artifactByName(project, name) !== undefined) return []
  const numbers = freeNumbers(theirs, artifact)
  return [
    ...(isThere ? [] : [{ kind: 'artifact.create', artifact, project, name, type } as const]),
    ...gone.flatMap(([version, { number: wanted, object }]): Change[] => {
      const number = numbers(wanted)
      return [
        { kind: 'version.add', artifact, number, version, object, partial: true },
        { kind: 'version.delete', artifact, version },
      ]
    }),
  ]
}

/** Only of versions that the bundle knows: a link to another one can't be said. */
function removedLinks(theirs: StateView, portfolio: ArtifactId, before: ArtifactState): Change[] {
  if (theirs.artifactById(portfolio) === undefined) return []
  const linked = new Set(theirs.everyLink(portfolio).map(({ version }) => version))
  const isGone = ([key, { isDeleted }]: [ObjectId, VersionState]): boolean => {
    const version = linkedVersion(key)
    return !isDeleted && !linked.has(version) && isLive(theirs, version)
  }
  const numbers = freeNumbers(theirs, portfolio)
  return [...before.versions].filter(isGone).flatMap(([key, { number: wanted }]): Change[] => {
    const link = { portfolio, number: numbers(wanted), version: linkedVersion(key) }
    return [
      { kind: 'link.add', ...link },
      { kind: 'link.remove', ...link },
    ]
  })
}

function isLive(theirs: StateView, version: ObjectId): boolean {
  const row = theirs.versionById(version)
  return row !== undefined && row.deleted === undefined
}

/** The number that is asked for where it is free, else one that nobody has. */
function freeNumbers(theirs: StateView, artifact: ArtifactId): (wanted: number) => number {
  const versions = theirs.everyVersion(artifact).map(({ number }) => number)
  const links = theirs.everyLink(artifact).map(({ number }) => number)
  const taken = new Set([...versions, ...links])
  return (wanted) => {
    const number = taken.has(wanted) ? Math.max(...taken) + 1 : wanted
    taken.add(number)
    return number
  }
}
