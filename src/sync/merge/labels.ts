/** What artifacts and versions say of themselves, merged three ways: value by value, metadata key by key, tags as sets. */
import { isDeepStrictEqual } from 'node:util'
import type { ArtifactLabels, VersionLabels } from '../../store/log/change.ts'
import type { ObjectId } from '../../types.ts'
import type { Merged, MergeInput, Remark } from './input.ts'
import type { ArtifactState, VersionState } from './state.ts'
import { type Conflict, mergeMetadata, mergeSets, mergeValue } from './values.ts'

/** Type and description of an artifact that is here. */
export function mergeArtifactLabels(input: MergeInput, ours: ArtifactState): Merged {
  const { base, theirs, wins } = input
  const remarks: Remark[] = []
  const merged = <K extends 'type' | 'description'>(key: K): ArtifactState[K] | undefined =>
    mergeValue<ArtifactState[K] | undefined>(base?.[key], ours[key], theirs[key], wins, (found) =>
      remarks.push({ kind: 'conflict', field: key, ...found }),
    )
  const after = { description: merged('description') ?? null, type: merged('type') ?? ours.type }
  const before = { description: ours.description ?? null, type: ours.type }
  return { changes: editOf(ours, before, after), remarks }
}

/** Labels of the versions that both sides have, as far as they can be edited; also of those that the merge deletes, for a restore. */
export function mergeVersionLabels(
  input: MergeInput,
  ours: ArtifactState,
  live: ReadonlySet<ObjectId>,
): Merged {
  const { base, theirs } = input
  const merged = [...ours.versions].flatMap(([id, mine]) => {
    const other = theirs.versions.get(id)
    if (other === undefined || (mine.isDeleted && !live.has(id))) return []
    return [labelsOf(input, ours, id, base?.versions.get(id), mine, other)]
  })
  return {
    changes: merged.flatMap(({ changes }) => changes),
    remarks: merged.flatMap(({ remarks }) => remarks),
  }
}

function editOf(
  { id }: ArtifactState,
  before: ArtifactLabels,
  after: ArtifactLabels,
): Merged['changes'] {
  const { set, old } = differences(before, after)
  return Object.keys(set).length === 0 ? [] : [{ kind: 'artifact.edit', artifact: id, set, old }]
}

function labelsOf(
  { wins }: MergeInput,
  { id: artifact }: ArtifactState,
  version: ObjectId,
  before: VersionState | undefined,
  mine: VersionState,
  other: VersionState,
): Merged {
  const remarks: Remark[] = []
  const remark = (field: string, conflict: Conflict): void => {
    remarks.push({ kind: 'conflict', field, version, ...conflict })
  }
  const value = <K extends 'description' | 'ttl'>(key: K): VersionState[K] | undefined =>
    mergeValue<VersionState[K] | undefined>(before?.[key], mine[key], other[key], wins, (found) =>
      remark(key, found),
    )
  const metadata = mergeMetadata(
    before?.metadata,
    mine.metadata,
    other.metadata,
    wins,
    (key, conflict) => remark(`metadata.${key}`, conflict),
  )
  const tags = mergeSets(before?.tags ?? [], mine.tags, other.tags)
  const merged = { description: value('description'), ttl: value('ttl'), metadata, tags }
  const { set, old } = differences(said(mine), said(merged))
  const isSame = Object.keys(set).length === 0
  return { changes: isSame ? [] : [{ kind: 'version.edit', artifact, version, set, old }], remarks }
}

interface Labels {
  readonly description?: string | undefined
  readonly ttl?: VersionState['ttl'] | undefined
  readonly metadata?: VersionState['metadata'] | undefined
  readonly tags: readonly string[]
}

/** Labels as an edit says them: null for none. */
function said({ description, ttl, metadata, tags }: Labels): Required<VersionLabels> {
  return {
    description: description ?? null,
    ttl: ttl ?? null,
    metadata: metadata ?? null,
    tags: tags.length === 0 ? null : [...tags].sort(),
  }
}

/** The keys whose values differ, with both. */
function differences<T extends object>(before: T, after: T): { set: Partial<T>; old: Partial<T> } {
  const keys = (Object.keys(after) as (keyof T)[]).filter(
    (key) => !isDeepStrictEqual(before[key], after[key]),
  )
  const pick = (all: T): Partial<T> =>
    Object.fromEntries(keys.map((key) => [key, all[key]])) as Partial<T>
  return { set: pick(after), old: pick(before) }
}
