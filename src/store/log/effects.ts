/**
 * What changes do to the state, as values in slots: an alias, whether a version is live, a name, a label. Undoing
 * compares slots with what an operation left in them, and finds out who changed one since.
 */
import type { ArtifactId, Json, ObjectId } from '../../types.ts'
import type { ArtifactLabels, Change, ChangeKind, ChangeOf, VersionLabels } from './change.ts'
import type { RunLabels } from './run-change.ts'

export type Slot =
  /** The version an alias names, or null. */
  | { readonly kind: 'alias'; readonly artifact: ArtifactId; readonly alias: string }
  /** `live`, `deleted` or `purged`. */
  | { readonly kind: 'life'; readonly artifact: ArtifactId; readonly version: ObjectId }
  | {
      readonly kind: 'artifact'
      readonly artifact: ArtifactId
      readonly field: 'name' | keyof ArtifactLabels
    }
  | {
      readonly kind: 'version'
      readonly artifact: ArtifactId
      readonly version: ObjectId
      readonly field: keyof VersionLabels
    }
  /** The artifact that has a name. */
  | { readonly kind: 'name'; readonly project: string; readonly name: string }
  /** The number that a version has in a portfolio, or null. */
  | { readonly kind: 'link'; readonly portfolio: ArtifactId; readonly version: ObjectId }
  | { readonly kind: 'run'; readonly run: string; readonly field: keyof RunLabels }

export type Life = 'live' | 'deleted' | 'purged'

/** What a change leaves in a slot. */
export interface Effect {
  readonly slot: Slot
  readonly after: Json
}

type Effects = { readonly [K in ChangeKind]: (change: ChangeOf<K>) => readonly Effect[] }

const EFFECTS: Effects = {
  'artifact.create': () => [],
  'artifact.edit': ({ artifact, set }) =>
    Object.entries(set).map(([field, after]) => ({
      slot: { kind: 'artifact', artifact, field: field as keyof ArtifactLabels },
      after,
    })),
  'artifact.rename': ({ artifact, name }) => [
    { slot: { kind: 'artifact', artifact, field: 'name' }, after: name },
  ],
  'version.add': (change) => life(change, 'live'),
  'version.edit': ({ artifact, version, set }) =>
    Object.entries(set).map(([field, after]) => ({
      slot: { kind: 'version', artifact, version, field: field as keyof VersionLabels },
      after: field === 'tags' ? sortedTags(set.tags) : after,
    })),
  'version.delete': (change) => life(change, 'deleted'),
  'version.restore': (change) => life(change, 'live'),
  'version.purge': (change) => life(change, 'purged'),
  'alias.set': ({ artifact, alias, version }) => [
    { slot: { kind: 'alias', artifact, alias }, after: version },
  ],
  'alias.remove': ({ artifact, alias }) => [
    { slot: { kind: 'alias', artifact, alias }, after: null },
  ],
  'link.add': ({ portfolio, version, number }) => [
    { slot: { kind: 'link', portfolio, version }, after: number },
  ],
  'link.remove': ({ portfolio, version }) => [
    { slot: { kind: 'link', portfolio, version }, after: null },
  ],
  'run.start': () => [],
  'run.update': ({ run, set }) =>
    Object.entries(set).map(([field, after]) => ({
      slot: { kind: 'run', run, field: field as keyof RunLabels },
      after: field === 'tags' ? sortedTags(set.tags) : after,
    })),
  'run.finish': () => [],
  'run.uses': () => [],
  'run.logs': () => [],
  'draft.open': () => [],
  'draft.part': () => [],
  'draft.finish': () => [],
  'draft.abort': () => [],
  // It is a link where the artifact is a portfolio; the number of a version that it has of its own is no slot.
  'version.renumber': ({ artifact, version, number }) => [
    { slot: { kind: 'link', portfolio: artifact, version }, after: number },
  ],
  'version.fetch': () => [],
  'artifact.join': () => [],
  pull: () => [],
  'packs.drop': () => [],
  undo: () => [],
}

export function effectsOf<K extends ChangeKind>(change: Change & ChangeOf<K>): readonly Effect[] {
  return EFFECTS[change.kind as K](change)
}

/** A text that is the same for equal slots only. */
export function slotKey(slot: Slot): string {
  switch (slot.kind) {
    case 'alias':
      return `alias ${slot.artifact} ${slot.alias}`
    case 'life':
      return `life ${slot.version}`
    case 'artifact':
      return `artifact ${slot.artifact} ${slot.field}`
    case 'version':
      return `version ${slot.version} ${slot.field}`
    case 'name':
      return `name ${slot.project} ${slot.name}`
    case 'link':
      return `link ${slot.portfolio} ${slot.version}`
    case 'run':
      return `run ${slot.run} ${slot.field}`
  }
}

/** Whether a change writes to a slot. */
export function touches(change: Change, slot: Slot): boolean {
  if (slot.kind === 'name') {
    if (change.kind === 'artifact.create')
      return change.project === slot.project && change.name === slot.name
    return change.kind === 'artifact.rename' && change.name === slot.name
  }
  const key = slotKey(slot)
  return effectsOf(change).some((effect) => slotKey(effect.slot) === key)
}

/** Tags in the one order in which they are written and compared; null for none. */
export function sortedTags(tags: readonly string[] | null | undefined): readonly string[] | null {
  return tags == null || tags.length === 0 ? null : [...new Set(tags)].sort()
}

function life(
  { artifact, version }: { readonly artifact: ArtifactId; readonly version: ObjectId },
  after: Life,
): readonly Effect[] {
  return [{ slot: { kind: 'life', artifact, version }, after }]
}
