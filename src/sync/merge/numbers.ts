/**
 * Which numbers versions get in a merge (docs/remote.md section 7). The identity of a version is its id; a number is what a
 * store calls it. Only the primary remote renames what is here, and only what it does not know.
 */
import type { ObjectId } from '../../types.ts'
import type { ArtifactState, VersionState } from './state.ts'

/** Our numbers stand; what is new keeps its number where it was never given here, else takes the next one. */
export function ownNumbers(
  ours: ArtifactState | undefined,
  theirs: ArtifactState,
): Map<ObjectId, number> {
  const numbers = new Map<ObjectId, number>()
  for (const [id, { number }] of ours?.versions ?? []) numbers.set(id, number)
  const given = new Set(numbers.values())
  let next = ours?.next ?? 0
  const added = [...theirs.versions].filter(([id]) => !numbers.has(id))
  for (const [id, { number, isDeleted }] of added.sort(byNumber)) {
    // What was deleted before it came is not taken over.
    if (isDeleted) continue
    const own = given.has(number) ? next : number
    numbers.set(id, own)
    given.add(own)
    next = Math.max(next, own + 1)
  }
  return numbers
}

/**
 * Their numbers stand. Of what they do not know, that whose numbers they have given, and all above, moves behind theirs in
 * order of creation.
 */
export function primaryNumbers(
  ours: ArtifactState | undefined,
  theirs: ArtifactState,
): Map<ObjectId, number> {
  const numbers = new Map<ObjectId, number>()
  for (const [id, { number }] of theirs.versions) numbers.set(id, number)
  const given = new Set(numbers.values())
  const unknown = [...(ours?.versions ?? [])].filter(([id]) => !numbers.has(id))
  const collisions = unknown.map(([, { number }]) => number).filter((number) => given.has(number))
  const lowest = collisions.reduce((one, other) => Math.min(one, other), Infinity)
  let next = theirs.next
  for (const [id, { number }] of unknown.sort(byCreation)) {
    numbers.set(id, number < lowest ? number : next++)
  }
  return numbers
}

export interface Step {
  readonly version: ObjectId
  readonly old: number
  readonly number: number
}

/**
 * Brings versions to their numbers one after another, each to one that is free by then.
 * @param beyond from here on all numbers are free, for versions that step aside where numbers go round in a circle
 */
export function stepsTo(
  current: ReadonlyMap<ObjectId, number>,
  wanted: ReadonlyMap<ObjectId, number>,
  beyond: number,
): Step[] {
  const steps: Step[] = []
  const at = new Map(current)
  const taken = new Set(at.values())
  const move = (version: ObjectId, number: number): void => {
    const old = at.get(version) ?? number
    steps.push({ version, old, number })
    taken.delete(old)
    taken.add(number)
    at.set(version, number)
  }
  const moving = [...at].flatMap(([id, number]): [ObjectId, number][] => {
    const goal = wanted.get(id) ?? number
    return goal === number ? [] : [[id, goal]]
  })
  // Most move up: from the top each finds its place free at once.
  const waiting = new Map(moving.sort(([, one], [, other]) => other - one))
  for (let aside = beyond; waiting.size > 0; ) {
    const next = firstOf(waiting, ([, goal]) => !taken.has(goal))
    const [version, goal] = next ?? firstOf(waiting, () => true) ?? []
    if (version === undefined || goal === undefined) break
    move(version, next === undefined ? aside++ : goal)
    if (next !== undefined) waiting.delete(version)
  }
  return steps
}

function firstOf<T>(items: Iterable<T>, isRight: (item: T) => boolean): T | undefined {
  for (const item of items) if (isRight(item)) return item
  return undefined
}

type Numbered = readonly [ObjectId, VersionState]

function byNumber([, one]: Numbered, [, other]: Numbered): number {
  return one.number - other.number
}

function byCreation([oneId, one]: Numbered, [otherId, other]: Numbered): number {
  return compareTexts(one.object.createdAt, other.object.createdAt) || compareTexts(oneId, otherId)
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
