/**
 * Compares two trees by walking both with one cursor each, in path order. Wherever both cursors stand at the beginning
 * of the same node they step over it, so the work grows with the changes and the depth, not with the trees. Where an
 * edit moved the ends of nodes the two sides enter nodes that do not correspond, and meet again at the next natural end.
 */

import { damaged } from '../../errors.ts'
import type { Entry, EntryPath, ObjectId } from '../../types.ts'
import { lookup, type ReadNode, TreeCursor } from './cursor.ts'
import { equalEntries } from './entry.ts'
import { comparePaths } from './paths.ts'

/** What two trees hold at a path where they differ; at least one side is there. */
export interface EntryChange {
  readonly path: EntryPath
  readonly before?: Entry
  readonly after?: Entry
}

/** Returns the paths at which tree `b` differs from tree `a`, in path order. */
export function diffTrees(read: ReadNode, a: ObjectId, b: ObjectId): Generator<EntryChange> {
  return compare(new TreeCursor(read, a), new TreeCursor(read, b), () => true)
}

/**
 * As `diffTrees`, where `a` is a tree that keeps all rules and `b` comes from anybody: when all changes are handed out, `b`
 * keeps them too. A node of `b` is stepped over only where it stands as it does in `a`. All others are entered, which checks
 * them; and what that can't see, that an entry which `a` does not have lies below one that was stepped over, is looked up.
 *
 * @param readB the nodes of `b`
 * @throws ArtifactsError ERR_DAMAGED where `b` breaks a rule
 */
export function* diffFromWhole(
  read: ReadNode,
  a: ObjectId,
  readB: ReadNode,
  b: ObjectId,
): Generator<EntryChange> {
  const left = new TreeCursor(read, a, { places: true })
  const right = new TreeCursor(readB, b, { places: true })
  const free = new Set<string>()
  for (const change of compare(left, right, (id) => left.placeOf(id) === right.placeOf(id))) {
    if (change.before === undefined) checkAbove(readB, b, change.path, free)
    yield change
  }
}

/** @param free paths that are known to be no entries; those above this one are added */
function checkAbove(read: ReadNode, root: ObjectId, path: string, free: Set<string>): void {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const above = path.slice(0, end)
    if (free.has(above)) return
    if (lookup(read, root, above) !== undefined) {
      throw damaged(`The path "${path}" lies below another entry.`)
    }
    free.add(above)
  }
}

function* compare(
  left: TreeCursor,
  right: TreeCursor,
  isInPlace: (id: ObjectId) => boolean,
): Generator<EntryChange> {
  while (!left.done || !right.done) {
    if (stepOverEqual(left, right, isInPlace) || enterHigher(left, right)) continue
    const order = left.done ? 1 : right.done ? -1 : comparePaths(left.entry.path, right.entry.path)
    if (order < 0) {
      yield { path: left.entry.path, before: left.entry }
    } else if (order > 0) {
      yield { path: right.entry.path, after: right.entry }
    } else if (!equalEntries(left.entry, right.entry)) {
      yield { path: left.entry.path, before: left.entry, after: right.entry }
    }
    if (order <= 0) left.next()
    if (order >= 0) right.next()
  }
}

function stepOverEqual(
  left: TreeCursor,
  right: TreeCursor,
  isInPlace: (id: ObjectId) => boolean,
): boolean {
  if (!left.atStart || !right.atStart) return false
  const starts = right.starts()
  const id = left.starts().find((start) => starts.includes(start) && isInPlace(start))
  if (id === undefined) return false
  left.stepOver(id)
  right.stepOver(id)
  return true
}

/** Enters the node that one side stands before, or both where they are of one level; false when none does. */
function enterHigher(left: TreeCursor, right: TreeCursor): boolean {
  const level = Math.max(left.level, right.level)
  if (level <= 0) return false
  const enterRight = right.level === level
  if (left.level === level) left.enter()
  if (enterRight) right.enter()
  return true
}
