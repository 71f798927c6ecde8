/** A state with one artifact, `bike`, whose versions v0, v1 (best, tags a and b) and v2 (latest) are to be changed. */
import type { StateView } from '../../../src/store/index/state.ts'
import type { Plan } from '../../../src/store/log/plan.ts'
import type { Target } from '../../../src/store/log/targets.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import type { ObjectId } from '../../../src/types.ts'
import { type MemoryState, memoryState } from '../index/memory-state.ts'
import { sampleArtifact, sampleObject } from './samples.ts'

export const BIKE = sampleArtifact('bike')

export interface Bikes extends MemoryState {
  /** Plans on the state as it is, and folds what is planned as the next operation. */
  write<Outcome>(plan: (state: StateView) => Plan<Outcome>): Plan<Outcome>
}

export function bikes(): Bikes {
  const memory = memoryState()
  memory.commit('bike', sampleObject(0))
  memory.commit('bike', sampleObject(1), {
    aliases: ['best'],
    tags: ['a', 'b'],
    description: 'one',
    metadata: { acc: 1, lr: [2] },
  })
  memory.commit('bike', sampleObject(2))
  return { ...memory, write: (plan) => writeTo(memory, plan) }
}

export function writeTo<Outcome>(
  memory: MemoryState,
  plan: (state: StateView) => Plan<Outcome>,
): Plan<Outcome> {
  const planned = plan(memory.state)
  if (planned.changes.length > 0) memory.apply(...planned.changes)
  return planned
}

/** The id of `bike:vN`. */
export function bikeId(number: number): ObjectId {
  return versionId(sampleObject(number))
}

/** `bike:vN`, as plans are given it. */
export function bike(number: number): Target {
  return { version: bikeId(number), name: 'bike' }
}

export function numbersOf(versions: readonly { readonly number: number }[]): number[] {
  return versions.map(({ number }) => number)
}
