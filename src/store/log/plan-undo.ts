/**
 * What undoing an operation changes: the inverse of each of its changes, the last one first, applied to today's state.
 * It is possible only while every value is still what the operation made it; bytes that left stay away.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { ArtifactRow, StateView, VersionRow } from '../index/state.ts'
import type { ArtifactRename, Change } from './change.ts'
import { effectsOf, type Life, type Slot } from './effects.ts'
import { invert } from './invert.ts'
import { Pending } from './pending.ts'
import { isHidden, LATEST, type Plan } from './plan.ts'

export interface UndoIntent {
  readonly operation: number
  /** Of that operation. */
  readonly undone: readonly Change[]
}

export type UndoOutcome =
  /** The inverse changes, as they are written. */
  | { readonly kind: 'undone'; readonly changes: readonly Change[] }
  /** A later operation has written to this slot, or to what it needs. */
  | { readonly kind: 'conflict'; readonly slot: Slot }
  | { readonly kind: 'purged'; readonly slot: Extract<Slot, { kind: 'life' }> }
  | { readonly kind: 'already'; readonly by: number }
  /** It holds nothing that can be undone. */
  | { readonly kind: 'final' }

/** Plans `undo`. What is in the way is an outcome without changes. */
export function planUndo(state: StateView, { operation, undone }: UndoIntent): Plan<UndoOutcome> {
  const row = state.operation(operation)
  if (row === undefined) throw new Error(`There is no operation ${operation}.`)
  if (row.undone !== undefined) return refuse({ kind: 'already', by: row.undone })
  if (row.final) return refuse({ kind: 'final' })
  const pending = new Pending(state)
  const leaving = new Set(undone.flatMap((change) => leftBy(change) ?? []))
  for (const change of undone.toReversed()) {
    const plain = invert(change)
    if (plain === undefined) continue
    const inverse = newestInstead(pending, plain, { operation, leaving })
    if (inverse.kind === 'artifact.rename') freeName(pending, inverse)
    const inTheWay = changedSince(pending, change) ?? unfit(pending, inverse)
    if (inTheWay !== undefined) return refuse(obstacle(pending, inTheWay))
    pending.add(inverse)
  }
  const { changes } = pending
  return {
    changes: [{ kind: 'undo', operation }, ...changes],
    outcome: { kind: 'undone', changes },
  }
}

/** The version that undoing a change deletes. */
function leftBy(change: Change): ObjectId | undefined {
  const inverse = invert(change)
  return inverse?.kind === 'version.delete' ? inverse.version : undefined
}

interface Course {
  readonly operation: number
  /** Versions that go in the course of it. */
  readonly leaving: ReadonlySet<ObjectId>
}

/**
 * `latest` goes back to the version that it named before, unless a pull has brought newer ones since, or deleted that one:
 * then it goes to the newest that there is.
 */
function newestInstead(pending: Pending, change: Change, { operation, leaving }: Course): Change {
  if (change.kind !== 'alias.set' || change.alias !== LATEST) return change
  const { artifact } = change
  const isLive = ({ id }: VersionRow): boolean =>
    pending.life(artifact, id) === 'live' && !leaving.has(id)
  const live = pending.state.everyVersion(artifact).filter(isLive)
  const isThere = live.some(({ id }) => id === change.version)
  if (isThere && live.every((version) => version.operation <= operation)) return change
  const newest = live.at(-1)
  return newest === undefined ? change : { ...change, version: newest.id }
}

/** A slot that does not hold any more what the change left in it. */
function changedSince(pending: Pending, change: Change): Slot | undefined {
  return effectsOf(change).find(({ slot, after }) => !isDeepStrictEqual(pending.read(slot), after))
    ?.slot
}

/** What a rule of the log says against a change, as it would be now. */
function unfit(pending: Pending, change: Change): Slot | undefined {
  switch (change.kind) {
    case 'alias.set': {
      const { artifact: portfolio, version } = change
      const isLink = pending.state.artifactById(portfolio)?.portfolio === true
      const slot: Slot = { kind: 'link', portfolio, version }
      return isLink && pending.read(slot) === null ? slot : unlessLive(pending, change)
    }
    case 'version.edit':
      return unlessLive(pending, change)
    case 'version.delete': {
      const { artifact, version } = change
      const [alias] = pending.aliasesOf(artifact, version)
      if (alias !== undefined) return { kind: 'alias', artifact, alias }
      const [portfolio] = pending.portfoliosOf(version)
      return portfolio === undefined ? undefined : { kind: 'link', portfolio, version }
    }
    case 'link.add': {
      const { portfolio, number, version } = change
      // A pull may have given the removed link another number, and this one to another version.
      if (pending.state.linkedAt(portfolio, number) !== version)
        return { kind: 'link', portfolio, version }
      const artifact = pending.state.versionById(change.version)?.artifact
      return artifact && unlessLive(pending, { artifact, version: change.version })
    }
    case 'link.remove': {
      const { portfolio: artifact, version } = change
      const [alias] = pending.aliasesOf(artifact, version)
      return alias === undefined ? undefined : { kind: 'alias', artifact, alias }
    }
    case 'artifact.edit':
      return change.set.type === undefined ? undefined : linkOf(pending, change.artifact)
    case 'artifact.rename': {
      const holder = holderOf(pending, change)
      return holder && { kind: 'name', project: holder.project, name: change.name }
    }
    default:
      return undefined
  }
}

/** A link that binds an artifact to its type: a portfolio and what it links are of one. */
function linkOf(pending: Pending, artifact: ArtifactId): Slot | undefined {
  for (const { version } of pending.state.links(artifact)) {
    const slot: Slot = { kind: 'link', portfolio: artifact, version }
    if (pending.read(slot) !== null) return slot
  }
  for (const { id: version } of pending.state.versions(artifact)) {
    const [portfolio] = pending.portfoliosOf(version)
    if (portfolio !== undefined) return { kind: 'link', portfolio, version }
  }
  return undefined
}

function unlessLive(
  pending: Pending,
  { artifact, version }: { readonly artifact: ArtifactId; readonly version: ObjectId },
): Slot | undefined {
  const isLive = pending.life(artifact, version) === 'live'
  return isLive ? undefined : { kind: 'life', artifact, version }
}

/** The other artifact that has the name which a renaming gives. */
function holderOf(pending: Pending, { artifact, name }: ArtifactRename): ArtifactRow | undefined {
  const project = pending.state.artifactById(artifact)?.project ?? ''
  const holder = pending.state.artifactByName(project, name)
  if (holder === undefined || holder.id === artifact) return undefined
  const stillHasIt = pending.read({ kind: 'artifact', artifact: holder.id, field: 'name' }) === name
  return stillHasIt ? holder : undefined
}

/**
 * An artifact all of whose versions are deleted, such as one whose making was undone, keeps its name only until that
 * name is given back to who had it before.
 */
function freeName(pending: Pending, rename: ArtifactRename): void {
  const { state } = pending
  const holder = holderOf(pending, rename)
  if (holder === undefined || !isHidden(state, holder)) return
  const { id: artifact, project, name: old } = holder
  const stem = `${old.slice(0, LONGEST_STEM)}-deleted`
  let name = stem
  for (let i = 2; state.artifactByName(project, name) !== undefined; i++) name = `${stem}-${i}`
  pending.add({ kind: 'artifact.rename', artifact, name, old })
}

/** Leaves room for what follows, in a name of at most 128 characters. */
const LONGEST_STEM = 100

function obstacle(pending: Pending, slot: Slot): UndoOutcome {
  const life: Life | undefined =
    slot.kind === 'life' ? pending.life(slot.artifact, slot.version) : undefined
  return slot.kind === 'life' && life === 'purged'
    ? { kind: 'purged', slot }
    : { kind: 'conflict', slot }
}

function refuse(outcome: UndoOutcome): Plan<UndoOutcome> {
  return { changes: [], outcome }
}
