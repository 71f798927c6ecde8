/**
 * Says beforehand what a run does, and explains it: why each version stays or goes, and the bytes that it alone needs. What
 * those that stay need alone, what several of them need, and what packs hold beside, add up to the size of `packs/` after.
 */
import { PACK_COST, type PackCounts, type PackPlan, planPacks } from './plan.ts'
import type { Fate } from './retention.ts'
import type { Survey } from './survey.ts'

export interface Foreseen {
  readonly packs: PackCounts
  readonly bytesBefore: number
  readonly bytesAfter: number
}

export interface ExplainedVersion extends Omit<Fate, 'artifact' | 'root'> {
  /** Stored bytes that no other version needs; of one that goes, none that stays or goes. */
  readonly alone: number
}

export interface Explanation {
  readonly versions: readonly ExplainedVersion[]
  /** Stored bytes that several versions need that stay; that several need that go, and none that stays. */
  readonly shared: number
  readonly sharedLeaving: number
  /** What is in `packs/` beside. */
  readonly rest: number
}

export function foresee({ census, files }: Survey): Foreseen {
  const plan = planPacks(census.packs)
  const before = sum(census.packs) + sum(census.unreadable)
  const after = sum(census.packs) - sum(plan.dead) - savedByCopies(plan)
  const sources = (copies: 'whole' | 'reached'): number =>
    plan.groups.reduce((count, group) => {
      return count + (group.copies === copies ? group.packs.length : 0)
    }, 0)
  return {
    packs: {
      dropped: plan.dead.length + Array.from(census.unreadable).length,
      rewritten: sources('reached'),
      merged: sources('whole'),
      written: plan.groups.length,
      leftover: files.strays.length + files.dropped.length,
    },
    bytesBefore: before + sum(files.strays) + sum(files.dropped) + sum(files.young),
    bytesAfter: after + sum(files.young),
  }
}

/** Explains a survey that told the versions apart. */
export function explain({ versions, census }: Survey, { bytesAfter }: Foreseen): Explanation {
  const explained = versions.map(({ artifact: _, root: __, owner, ...fate }) => {
    return { ...fate, alone: census.bytesOf(owner) }
  })
  const alone = explained.reduce((bytes, { stays, alone }) => bytes + (stays ? alone : 0), 0)
  const shared = census.sharedBytes('staying')
  return {
    versions: explained,
    shared,
    sharedLeaving: census.sharedBytes('leaving'),
    rest: bytesAfter - alone - shared,
  }
}

function savedByCopies({ groups }: PackPlan): number {
  return groups.reduce((saved, { copies, packs }) => {
    const kept = packs.reduce((bytes, pack) => {
      return bytes + (copies === 'whole' ? pack.bytes - PACK_COST : pack.reachedBytes)
    }, PACK_COST)
    return saved + sum(packs) - kept
  }, 0)
}

function sum(packs: Iterable<{ readonly bytes: number }>): number {
  let bytes = 0
  for (const pack of packs) bytes += pack.bytes
  return bytes
}
