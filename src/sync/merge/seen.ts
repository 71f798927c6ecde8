/** Merging a part of what they have: what is left out looks as it does with us, so that nothing comes of it. */
import type { ObjectId } from '../../types.ts'
import type { ArtifactState, VersionState } from './state.ts'

/**
 * @param sees whether one of their versions counts
 * @param isWhole what the artifact says of itself counts too, and so does that an alias is gone
 */
export function seenOf(
  ours: ArtifactState | undefined,
  theirs: ArtifactState,
  sees: (version: ObjectId) => boolean,
  isWhole: boolean,
): ArtifactState {
  const versions = [...theirs.versions].map(([id, version]): [ObjectId, VersionState] => [
    id,
    sees(id) ? version : unseen(ours?.versions.get(id), version),
  ])
  const seen = { ...theirs, versions: new Map(versions), aliases: aliasesOf() }
  if (isWhole || ours === undefined) return seen
  const { description: _, ...rest } = seen
  const { type, description } = ours
  return { ...rest, type, ...(description === undefined ? {} : { description }) }

  function aliasesOf(): Map<string, ObjectId> {
    const aliases = new Map<string, ObjectId>()
    for (const alias of new Set([...theirs.aliases.keys(), ...(ours?.aliases.keys() ?? [])])) {
      const [mine, other] = [ours?.aliases.get(alias), theirs.aliases.get(alias)]
      const counts = other === undefined ? isWhole || isSeen(mine) : sees(other)
      const version = counts ? other : mine
      if (version !== undefined) aliases.set(alias, version)
    }
    return aliases
  }

  function isSeen(version: ObjectId | undefined): boolean {
    return version !== undefined && sees(version)
  }
}

/** Its number is still theirs: no other version gets it. */
function unseen(ours: VersionState | undefined, theirs: VersionState): VersionState {
  return ours === undefined ? { ...theirs, isDeleted: true } : { ...ours, number: theirs.number }
}
