/** In which packs of a receiver versions lie (docs/remote.md section 4), when it has got what it lacked. */
import { type Closure, MOST_CLOSURE_PACKS } from '../../store/log/sync-change.ts'
import { entryOffset } from '../../store/object/pack.ts'
import type { ObjectId } from '../../types.ts'
import { encodeClosureList, type IndexPack } from './index-pack.ts'
import type { Subtree } from './missing-there.ts'
import type { SendPlan } from './plan-send.ts'

/** The packs of a closure; above so many as an operation can name, as a list. */
export interface PackSet {
  /** Ascending. */
  readonly packs: readonly ObjectId[]
  readonly list?: { readonly id: ObjectId; readonly bytes: Buffer }
}

/** @param ids of the packs that were sent, in the plan's order. */
export function closuresOf(plan: SendPlan, ids: readonly ObjectId[]): Map<ObjectId, PackSet> {
  const { versions, found, assigned } = plan.inner
  const known = new Map<Subtree, ReadonlySet<ObjectId>>()
  const packsOf = (subtree: Subtree): ReadonlySet<ObjectId> => {
    const before = known.get(subtree)
    if (before !== undefined) return before
    const packs = new Set<ObjectId>()
    const addNeeded = (index: number): void => {
      packs.add(ids[assigned[index] as number] as ObjectId)
    }
    for (const pack of subtree.there) packs.add(found.relied[pack] as ObjectId)
    for (let at = 0; at < subtree.ranges.length; at += 2) {
      const end = subtree.ranges[at + 1] as number
      for (let index = subtree.ranges[at] as number; index < end; index++) addNeeded(index)
    }
    for (const index of subtree.others) addNeeded(index)
    for (const child of subtree.below) for (const pack of packsOf(child)) packs.add(pack)
    known.set(subtree, packs)
    return packs
  }
  const { receiver } = plan.inner
  plan.inner.leaves = new Map([...found.leaves].map(([id, leaf]) => [id, packsOf(leaf)]))
  const closures = new Map<ObjectId, PackSet>()
  for (const [version, subtree] of versions) {
    const packs = [...packsOf(subtree)]
      .filter((pack) => receiver.isElsewhere?.(pack) !== true)
      .sort()
    const list = packs.length > MOST_CLOSURE_PACKS ? encodeClosureList(packs) : undefined
    closures.set(version, list === undefined ? { packs } : { packs, list })
  }
  return closures
}

/** Closures as operations name them, when it is known which packs hold their lists. */
export function noteLists(
  closures: ReadonlyMap<ObjectId, PackSet>,
  indexPacks: readonly IndexPack[],
): Map<ObjectId, Closure> {
  const noted = new Map<ObjectId, Closure>()
  for (const [version, { packs, list }] of closures) {
    if (list === undefined) noted.set(version, { packs })
    else noted.set(version, { list: list.id, packs: [holderOf(list.id, indexPacks)] })
  }
  return noted
}

function holderOf(chunk: ObjectId, packs: readonly IndexPack[]): ObjectId {
  const id = Buffer.from(chunk, 'hex')
  for (const { id: pack, table } of packs) {
    const count = table.readUInt32LE(4)
    for (let index = 0; index < count; index++) {
      const at = entryOffset(index)
      if (table.compare(id, 0, 32, at, at + 32) === 0) return pack
    }
  }
  throw new Error(`No index pack holds the list "${chunk}".`)
}
