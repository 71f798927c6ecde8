/**
 * Merging two histories of an artifact (docs/remote.md section 7): a pure function of what both sides had when they last
 * met, what we have, and what they have. It answers with the changes for our side, in an order in which they fold, and with
 * what a person should hear. A pull merges the remote into the store, a push the store into the remote.
 */
import type { ArtifactId, ObjectId } from '../../types.ts'
import { mergeAliases } from './aliases.ts'
import type { MergeChange, Merged, MergeInput } from './input.ts'
import { mergeArtifactLabels, mergeVersionLabels } from './labels.ts'
import { decideWhatLives } from './liveness.ts'
import { ownNumbers, primaryNumbers, stepsTo } from './numbers.ts'
import type { ArtifactState, VersionState } from './state.ts'

export function merge(input: MergeInput): Merged {
  const { ours, theirs } = input
  const { live, remarks } = decideWhatLives(input)
  const numbers = (input.areTheyPrimary ? primaryNumbers : ownNumbers)(ours, theirs)
  const artifact = ours === undefined ? NOTHING : mergeArtifactLabels(input, ours)
  const labels = ours === undefined ? NOTHING : mergeVersionLabels(input, ours, live)
  const aliases = mergeAliases(input, live, numbers)
  return {
    changes: [
      ...(ours === undefined ? create(theirs) : []),
      ...artifact.changes,
      ...(ours === undefined ? [] : renumber(ours, theirs, numbers)),
      ...(ours === undefined ? [] : restore(ours, live)),
      ...add(input, numbers),
      ...labels.changes,
      ...aliases.changes,
      ...(ours === undefined ? [] : remove(ours, live)),
    ],
    remarks: [...remarks, ...artifact.remarks, ...labels.remarks, ...aliases.remarks],
  }
}

const NOTHING: Merged = { changes: [], remarks: [] }

function create(theirs: ArtifactState): MergeChange[] {
  const { id: artifact, project, name, type, description, portfolio } = theirs
  const created: MergeChange = {
    kind: 'artifact.create',
    artifact,
    project,
    name,
    type,
    ...(portfolio === undefined ? {} : { portfolio }),
  }
  if (description === undefined) return [created]
  const old = { description: null }
  return [created, { kind: 'artifact.edit', artifact, set: { description }, old }]
}

function renumber(
  ours: ArtifactState,
  theirs: ArtifactState,
  numbers: ReadonlyMap<ObjectId, number>,
): MergeChange[] {
  const current = new Map<ObjectId, number>()
  for (const [id, { number }] of ours.versions) current.set(id, number)
  let beyond = Math.max(ours.next, theirs.next)
  for (const number of numbers.values()) beyond = Math.max(beyond, number + 1)
  const steps = stepsTo(current, numbers, beyond)
  return steps.map((step) => ({ kind: 'version.renumber', artifact: ours.id, ...step }))
}

function restore(ours: ArtifactState, live: ReadonlySet<ObjectId>): MergeChange[] {
  return [...ours.versions]
    .filter(([id, { isDeleted }]) => isDeleted && live.has(id))
    .map(([version]) => ({ kind: 'version.restore', artifact: ours.id, version }))
}

/** By number, so that a log reads as it was. */
function add({ ours, theirs }: MergeInput, numbers: ReadonlyMap<ObjectId, number>): MergeChange[] {
  const numberOf = ([id, { number }]: readonly [ObjectId, VersionState]): number =>
    numbers.get(id) ?? number
  return [...theirs.versions]
    .filter(([id, { isDeleted }]) => !isDeleted && ours?.versions.has(id) !== true)
    .sort((one, other) => numberOf(one) - numberOf(other))
    .flatMap((item) => addOne((ours ?? theirs).id, item[0], item[1], numberOf(item)))
}

function addOne(
  artifact: ArtifactId,
  version: ObjectId,
  { object, description, metadata, tags, ttl }: VersionState,
  number: number,
): MergeChange[] {
  const added: MergeChange = {
    kind: 'version.add',
    artifact,
    number,
    version,
    object,
    ...(description === undefined ? {} : { description }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(tags.length === 0 ? {} : { tags }),
  }
  if (ttl === undefined) return [added]
  return [added, { kind: 'version.edit', artifact, version, set: { ttl }, old: { ttl: null } }]
}

function remove(ours: ArtifactState, live: ReadonlySet<ObjectId>): MergeChange[] {
  return [...ours.versions]
    .filter(([id, { isDeleted }]) => !isDeleted && !live.has(id))
    .map(([version]) => ({ kind: 'version.delete', artifact: ours.id, version }))
}
