/**
 * Which versions are live after a merge. A delete on one side holds, unless the other side has since begun to need the
 * version. Where nobody knows which came later, nothing is lost.
 */
import type { ObjectId } from '../../types.ts'
import { LATEST, type MergeInput, type Remark } from './input.ts'
import type { VersionState } from './state.ts'
import type { Side } from './values.ts'

export interface Liveness {
  readonly live: ReadonlySet<ObjectId>
  readonly remarks: readonly Remark[]
}

export function decideWhatLives(input: MergeInput): Liveness {
  const { ours, theirs } = input
  const live = new Set<ObjectId>()
  const remarks: Remark[] = []
  for (const [id, mine] of ours?.versions ?? []) {
    if (!isDeleted(input, id, mine, theirs.versions.get(id), remarks)) live.add(id)
  }
  for (const [id, version] of theirs.versions) {
    if (!version.isDeleted && ours?.versions.has(id) !== true) live.add(id)
  }
  return { live, remarks }
}

function isDeleted(
  input: MergeInput,
  id: ObjectId,
  mine: VersionState,
  other: VersionState | undefined,
  remarks: Remark[],
): boolean {
  if (other === undefined || mine.isDeleted === other.isDeleted) return mine.isDeleted
  const before = input.base?.versions.get(id)
  const isKnownToBeLater = before !== undefined && !before.isDeleted
  if (!isKnownToBeLater) return false
  const begun = newUsers(input, id, mine.isDeleted ? 'theirs' : 'ours')
  const users = [...new Set([...begun, ...(input.holds?.(id) ?? [])])]
  if (users.length === 0) return true
  remarks.push({ kind: 'kept', version: id, users })
  return false
}

/** What a side has done with a version since both met that needs it. */
function newUsers(input: MergeInput, id: ObjectId, side: Side): string[] {
  const { base } = input
  const now = input[side]
  const users: string[] = []
  for (const [alias, version] of now?.aliases ?? []) {
    const isNew = version === id && base?.aliases.get(alias) !== id
    if (isNew && alias !== LATEST) users.push(`alias:${alias}`)
  }
  const known = base?.versions.get(id)?.users ?? []
  users.push(...(now?.versions.get(id)?.users ?? []).filter((user) => !known.includes(user)))
  for (const [child, { object, isDeleted }] of now?.versions ?? []) {
    const isNew = base?.versions.has(child) !== true
    if (isNew && !isDeleted && object.parents.includes(id)) users.push(`version:${child}`)
  }
  return users
}
