/** Merging single values three ways. */
import { isDeepStrictEqual } from 'node:util'
import type { Metadata } from '../../types.ts'

/** Whose value stands where both sides have changed it: the remote's. */
export type Side = 'ours' | 'theirs'

export interface Conflict {
  readonly kept: unknown
  readonly dropped: unknown
}

/** A value that one side changed is that side's; of two different changes `wins` says whose stands. */
export function mergeValue<T>(
  base: T,
  ours: T,
  theirs: T,
  wins: Side,
  onConflict: (conflict: Conflict) => void,
): T {
  if (isDeepStrictEqual(ours, theirs) || isDeepStrictEqual(base, theirs)) return ours
  if (isDeepStrictEqual(base, ours)) return theirs
  const [kept, dropped] = wins === 'ours' ? [ours, theirs] : [theirs, ours]
  onConflict({ kept, dropped })
  return kept
}

/** Key by key; undefined when no key is left. */
export function mergeMetadata(
  base: Metadata | undefined,
  ours: Metadata | undefined,
  theirs: Metadata | undefined,
  wins: Side,
  onConflict: (key: string, conflict: Conflict) => void,
): Metadata | undefined {
  const merged: [string, unknown][] = []
  for (const key of keysOf(ours, theirs)) {
    const values = [base, ours, theirs].map((each) => heldAt(each, key))
    const value = mergeValue(values[0], values[1], values[2], wins, (conflict) =>
      onConflict(key, conflict),
    )
    if (value !== undefined) merged.push([key, value])
  }
  return merged.length === 0 ? undefined : (Object.fromEntries(merged) as Metadata)
}

/** What either side added, without what either side removed; sorted. */
export function mergeSets(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
): string[] {
  const all = new Set([...ours, ...theirs])
  const stays = (item: string): boolean =>
    !base.includes(item) || (ours.includes(item) && theirs.includes(item))
  return [...all].filter(stays).sort()
}

function keysOf(...objects: readonly (Metadata | undefined)[]): string[] {
  return [...new Set(objects.flatMap((each) => Object.keys(each ?? {})))].sort()
}

function heldAt(object: Metadata | undefined, key: string): unknown {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined
}
