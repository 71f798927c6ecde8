/**
 * Merges small packs in the operation of a commit, so that many small commits leave few files. Every record is copied,
 * whoever needs it: so nothing that others found in one of the packs meanwhile is lost, and one look at the state of the
 * very operation tells whether the merge still stands.
 */
import { isFailedCall, isSystemError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { isDropped, type NamedPack, smallPacks } from '../index/pack-rows.ts'
import type { StateView } from '../index/state.ts'
import type { PacksDrop } from '../log/change.ts'
import type { JoiningPack } from '../log/operation.ts'
import { MAX_PACK_BYTES } from '../object/pack.ts'
import type { OpenedStore } from '../opened.ts'
import { type CopySource, copyRecords, SourceError } from './copy.ts'
import { removePacks } from './leftovers.ts'
import { MOST_SMALL_PACKS, mergeGroups } from './plan.ts'

const MOST_PACKS = 1024

/** Packs that were copied, and what they became. */
export interface Merge {
  readonly packs: readonly JoiningPack[]
  readonly drop: PacksDrop
}

/**
 * Copies small packs when there are too many; undefined when there are not, or no room for it. `own` are packs of the
 * commit itself.
 */
export async function mergeSmallPacks(
  store: OpenedStore,
  own: readonly ObjectId[],
): Promise<Merge | undefined> {
  const small = smallPacks(store.index).filter(({ id }) => !own.includes(id))
  if (small.length <= MOST_SMALL_PACKS) return undefined
  try {
    return await mergePacks(store, together(small))
  } catch (error) {
    // The commit itself may well fit.
    if (isSystemError(error, 'ENOSPC', 'EDQUOT')) return undefined
    throw error
  }
}

/** As many as a commit can be made to wait for. */
function together(small: readonly NamedPack[]): NamedPack[] {
  let bytes = 0
  return small.slice(0, MOST_PACKS).filter((pack) => {
    bytes += pack.bytes
    return bytes <= MAX_PACK_BYTES
  })
}

async function mergePacks(
  store: OpenedStore,
  small: readonly NamedPack[],
): Promise<Merge | undefined> {
  const packs: JoiningPack[] = []
  const dropped: { readonly id: ObjectId; readonly into: ObjectId }[] = []
  const leaving = new Set(small.map(({ id }) => id))
  const isTaken = (id: string): boolean => leaving.has(id as ObjectId) || isDropped(store.index, id)
  for (const group of mergeGroups(small)) {
    const sources = group.packs.map(({ id, kind }): CopySource => {
      return { id, kind, wants: () => true }
    })
    const copied = await copySound(store, sources, isTaken, 2)
    if (copied === undefined) continue
    packs.push(copied.pack)
    for (const { id } of copied.sources) dropped.push({ id, into: copied.pack.id })
  }
  if (packs.length === 0) return undefined
  return { packs, drop: { kind: 'packs.drop', packs: dropped } }
}

/** Whether the merge can join with an operation on this state: nothing of it was dropped meanwhile. */
export function stands({ packs, drop }: Merge, state: StateView): boolean {
  return (
    drop.packs.every(({ id }) => state.isNamed(id)) && packs.every(({ id }) => !state.isDropped(id))
  )
}

/** Removes what was merged, once its operation is there. */
export function removeMerged(store: OpenedStore, { drop }: Merge): void {
  try {
    removePacks(
      store,
      drop.packs.map(({ id }) => ({ id, bytes: 0 })),
    )
  } catch (error) {
    // The commit stands. What stays is removed by gc.
    if (!isFailedCall(error)) throw error
  }
}

/** Copies packs into one, without those that cannot be copied; undefined when fewer than `least` are left. */
export async function copySound<Source extends CopySource>(
  store: OpenedStore,
  sources: readonly Source[],
  isTaken: (id: string) => boolean,
  least: number,
): Promise<{ readonly pack: JoiningPack; readonly sources: readonly Source[] } | undefined> {
  let sound = sources
  while (sound.length >= least) {
    try {
      return { pack: await copyRecords(store, sound, isTaken), sources: sound }
    } catch (error) {
      if (!(error instanceof SourceError)) throw error
      sound = sound.filter(({ id }) => id !== error.pack)
    }
  }
  return undefined
}
