/**
 * One run's work on packs: what a survey lets go, the packs that take over what is needed of others, and the change that
 * says so. It is made from a survey and holds for the operation right after it; when others were faster it is looked at
 * again on a new survey, and what does not hold any more is left out.
 */
import type { ObjectId } from '../../types.ts'
import { isDropped } from '../index/pack-rows.ts'
import type { Change, DroppedPack } from '../log/change.ts'
import type { JoiningPack } from '../log/operation.ts'
import type { OpenedStore } from '../opened.ts'
import { type CountedPack, isNeeded, positionOf } from './census.ts'
import type { CopySource } from './copy.ts'
import { copySound } from './merge.ts'
import { type CopyGroup, leavingIds, planPacks } from './plan.ts'
import type { Survey } from './survey.ts'

/** A pack that was made of others. */
export interface Copied {
  readonly copies: CopyGroup<CountedPack>['copies']
  readonly pack: JoiningPack
  readonly sources: readonly CopiedSource[]
}

interface CopiedSource extends CopySource {
  readonly bytes: number
}

/** What an operation right after a survey lets go. */
export interface Letting {
  /** Packs that take over what others hold. */
  readonly copied: readonly Copied[]
  /** Nobody needs them. */
  readonly dead: readonly { readonly id: ObjectId; readonly bytes: number }[]
  /** No operation ever named them. */
  readonly strays: readonly { readonly id: ObjectId; readonly bytes: number }[]
  /** Versions whose grace is over. */
  readonly purged: Survey['versions']
}

/** An operation has room for so many drops and purges. */
const CHANGES_AT_ONCE = 20_000

/** Writes the packs that take over from others. */
export async function copyNeeded(store: OpenedStore, { census, files }: Survey): Promise<Copied[]> {
  const plan = planPacks(census.packs)
  const leaving = new Set([...leavingIds(plan), ...files.strays.map(({ id }) => id)])
  const isTaken = (id: string): boolean => leaving.has(id as ObjectId) || isDropped(store.index, id)
  const made: Copied[] = []
  for (const { copies, packs } of plan.groups) {
    const sources = packs.map((pack): CopiedSource => {
      const wanted = copies === 'whole' ? undefined : reachedOffsets(pack)
      const wants = (offset: number): boolean =>
        wanted === undefined || positionOf(wanted, offset) >= 0
      return { id: pack.id, kind: pack.kind, bytes: pack.bytes, wants }
    })
    const copied = await copySound(store, sources, isTaken, copies === 'whole' ? 2 : 1)
    if (copied !== undefined) made.push({ copies, ...copied })
  }
  if (made.length > 0) store.io.fsyncDirectory(store.layout.packs)
  return made
}

function reachedOffsets({ offsets, owners, reached }: CountedPack): Uint32Array {
  const wanted = new Uint32Array(reached)
  let count = 0
  for (const [index, offset] of offsets.entries()) {
    if (isNeeded(owners[index] as number)) wanted[count++] = offset
  }
  return wanted
}

/** What may go by an operation on the state of this survey. Copies that do not hold everything any more are left out. */
export function lettingOf(store: OpenedStore, survey: Survey, copied: readonly Copied[]): Letting {
  const packs = new Map(Array.from(survey.census.packs, (pack) => [pack.id, pack]))
  const valid = copied.filter(
    ({ pack, sources }) =>
      !isDropped(store.index, pack.id) &&
      sources.every(({ id, wants }) => holdsNeeded(packs.get(id), wants)),
  )
  const taken = new Set(valid.flatMap(({ sources }) => sources.map(({ id }) => id)))
  const written = new Set(copied.map(({ pack }) => pack.id))
  const { dead } = planPacks(packs.values())
  return {
    copied: valid,
    // A copy can turn out to be a pack that was there already.
    dead: [...dead, ...survey.census.unreadable].filter(
      ({ id }) => !taken.has(id) && !written.has(id),
    ),
    strays: survey.files.strays.filter(({ id }) => !written.has(id)),
    purged: survey.versions.filter(({ stays }) => !stays),
  }
}

/** Whether all that is needed of a pack is among what was copied. */
function holdsNeeded(pack: CountedPack | undefined, wants: (offset: number) => boolean): boolean {
  if (pack === undefined) return false
  return pack.offsets.every((offset, index) => {
    return !isNeeded(pack.owners[index] as number) || wants(offset)
  })
}

/** The changes of one operation, and the packs that join with it. */
export interface Batch {
  readonly changes: readonly Change[]
  readonly packs: readonly JoiningPack[]
}

/**
 * What is let go, as operations. Nearly always one. Where it is too much for one, versions are purged before any pack is
 * dropped that they need.
 */
export function batchesOf(
  { copied, dead, strays, purged }: Letting,
  most: number = CHANGES_AT_ONCE,
): Batch[] {
  const purges = purged.map(({ artifact, version }): Change => {
    return { kind: 'version.purge', artifact, version }
  })
  const drops: DroppedPack[] = [
    ...copied.flatMap(({ pack, sources }) => sources.map(({ id }) => ({ id, into: pack.id }))),
    ...[...dead, ...strays].map(({ id }) => ({ id })),
  ]
  const joining = new Map(copied.map(({ pack }) => [pack.id, pack]))
  const batches: Batch[] = []
  for (let from = 0; from < purges.length + drops.length; from += most) {
    const some = drops.slice(
      Math.max(from - purges.length, 0),
      Math.max(from + most - purges.length, 0),
    )
    const packs = new Set(some.flatMap(({ into }) => (into === undefined ? [] : [into])))
    batches.push({
      changes: [
        ...purges.slice(from, from + most),
        ...(some.length === 0 ? [] : [{ kind: 'packs.drop' as const, packs: some }]),
      ],
      packs: Array.from(packs, (id) => joining.get(id) as JoiningPack),
    })
  }
  return batches
}
