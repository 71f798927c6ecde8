/**
 * Decides what becomes of each pack, from what was counted: one that nobody needs goes; one that is mostly needless is
 * copied without that; many small ones become few large ones. Pure.
 */
import type { ObjectId } from '../../types.ts'
import { SMALL_PACK_BYTES } from '../index/pack-rows.ts'
import { entryOffset, MAX_PACK_BYTES, PACK_MAGIC, TRAILER_BYTES } from '../object/pack.ts'
import type { CountedPack } from './census.ts'

/** Packs of one kind that become one. */
export interface CopyGroup<Pack> {
  /** `whole`: every record, whoever needs it. `reached`: only what versions that stay reach. */
  readonly copies: 'whole' | 'reached'
  readonly packs: readonly Pack[]
}

export interface PackPlan {
  /** Nobody needs anything of them. */
  readonly dead: readonly CountedPack[]
  readonly groups: readonly CopyGroup<CountedPack>[]
}

/** How many packs go, and come. */
export interface PackCounts {
  /** Nobody needed anything of them. */
  readonly dropped: number
  /** Copied without what nobody needs. */
  readonly rewritten: number
  /** Small ones that became larger ones. */
  readonly merged: number
  /** Made of those. */
  readonly written: number
  /** Left lying by a crash, or dropped before and still there. */
  readonly leftover: number
}

/** A pack is copied when more of it than this is needless. */
const WASTE = 0.3
/** With more small packs than this, they are merged. */
export const MOST_SMALL_PACKS = 64
/** Of a pack, what is not records and their lines of the table. */
export const PACK_COST: number = PACK_MAGIC.length + entryOffset(0) + TRAILER_BYTES

export function planPacks(packs: Iterable<CountedPack>): PackPlan {
  const dead: CountedPack[] = []
  const wasteful: CountedPack[] = []
  const small: CountedPack[] = []
  for (const pack of packs) {
    const { reached, reachedBytes, bytes } = pack
    if (reached === 0) dead.push(pack)
    else if (reachedBytes < (bytes - PACK_COST) * (1 - WASTE)) wasteful.push(pack)
    else if (bytes < SMALL_PACK_BYTES) small.push(pack)
  }
  const groups = [
    ...groupPacks(wasteful, ({ reachedBytes }) => reachedBytes, 'reached'),
    ...(small.length > MOST_SMALL_PACKS ? mergeGroups(small) : []),
  ]
  return { dead, groups }
}

/** Groups of small packs to be copied whole; none of a single one, which would become itself. */
export function mergeGroups<Pack extends { readonly bytes: number; readonly kind: string }>(
  packs: readonly Pack[],
): CopyGroup<Pack>[] {
  const groups = groupPacks(packs, ({ bytes }) => bytes - PACK_COST, 'whole')
  return groups.filter((group) => group.packs.length > 1)
}

/** Packs of one kind, in their order, as many together as fit into one. */
function groupPacks<Pack extends { readonly kind: string }>(
  packs: readonly Pack[],
  bytesOf: (pack: Pack) => number,
  copies: CopyGroup<Pack>['copies'],
): CopyGroup<Pack>[] {
  const groups: CopyGroup<Pack>[] = []
  for (const kind of new Set(packs.map((pack) => pack.kind))) {
    let group: Pack[] = []
    let bytes = PACK_COST
    for (const pack of packs) {
      if (pack.kind !== kind) continue
      if (bytes + bytesOf(pack) > MAX_PACK_BYTES) {
        groups.push({ copies, packs: group })
        group = []
        bytes = PACK_COST
      }
      group.push(pack)
      bytes += bytesOf(pack)
    }
    groups.push({ copies, packs: group })
  }
  return groups
}

/** What a plan lets go: the packs' ids. */
export function leavingIds({ dead, groups }: PackPlan): ObjectId[] {
  return [...dead, ...groups.flatMap(({ packs }) => packs)].map(({ id }) => id)
}
