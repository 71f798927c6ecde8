/**
 * What has to be done to make a directory equal to a version, and what would be lost by it. Three sequences of entries
 * are merged: the directory as it is, the version it was bound to, and the version wanted. A file may go only if it
 * is the same as in one of the two versions.
 */
import type { Entry, EntryPath, ReferenceEntry } from '../../types.ts'
import { joinEntries, pathFilter } from '../compare.ts'
import { equalEntries } from '../tree/entry.ts'
import { comparePaths } from '../tree/paths.ts'

export interface CheckoutPlan {
  /** Entries to be made, where nothing is or something that goes; in path order. */
  write: Entry[]
  /** Entries of the directory that go. */
  readonly remove: Entry[]
  /** Paths of `write` at which a file is replaced. */
  readonly replaced: Set<EntryPath>
  /** Entries of the directory that are in neither version and would be lost. */
  readonly lost: EntryPath[]
  /** Where something would have to be deleted that never is: what is ignored, and in a download anything. */
  readonly blocked: EntryPath[]
  unchanged: number
}

export interface PlanInput {
  /** Absolute. */
  readonly dir: string
  readonly current: AsyncIterable<Entry>
  readonly bound: Iterable<Entry>
  readonly wanted: Iterable<Entry>
  readonly paths: readonly string[]
  /** Whether the bytes of the reference are at hand; without an answer no reference is written. */
  readonly canWrite?: (entry: ReferenceEntry) => boolean
  /** Whether the directory has at its path what the reference leads to. */
  readonly holds?: (entry: ReferenceEntry) => boolean
}

export function emptyPlan(): CheckoutPlan {
  return { write: [], remove: [], replaced: new Set(), lost: [], blocked: [], unchanged: 0 }
}

export async function planCheckout(input: PlanInput): Promise<CheckoutPlan> {
  const plan = emptyPlan()
  const isAsked = pathFilter(input.paths)
  const bound = input.bound[Symbol.iterator]()
  let known = bound.next()
  for await (const { path, before: now, after: wanted } of joinEntries(
    input.current,
    input.wanted,
  )) {
    if (!isAsked(path)) continue
    if (now !== undefined && wanted !== undefined && isThere(now, wanted, input)) {
      plan.unchanged++
      continue
    }
    while (known.done !== true && comparePaths(known.value.path, path) < 0) known = bound.next()
    const before = known.done !== true && known.value.path === path ? known.value : undefined
    const isSafe =
      now === undefined ||
      now.kind === 'directory' ||
      (before !== undefined && isThere(now, before, input))
    if (!isSafe) plan.lost.push(path)
    if (wanted === undefined || !isWritable(wanted, input)) {
      if (now !== undefined) plan.remove.push(now)
      continue
    }
    if (now !== undefined && isFileLike(now) !== isFileLike(wanted)) plan.remove.push(now)
    else if (now !== undefined) plan.replaced.add(path)
    plan.write.push(wanted)
  }
  return plan
}

function isThere(now: Entry, entry: Entry, { holds }: PlanInput): boolean {
  if (entry.kind !== 'reference') return equalEntries(now, entry)
  return now.kind === 'file' && holds?.(entry) === true
}

function isWritable(entry: Entry, { canWrite }: PlanInput): boolean {
  return entry.kind !== 'reference' || canWrite?.(entry) === true
}

/** What lies at one name, and can be replaced by a rename. */
function isFileLike(entry: Entry): boolean {
  return entry.kind !== 'directory'
}
