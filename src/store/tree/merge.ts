/** Applies edits to the entries of a version in one pass: how a version is made from the one it is based on. */

import { ArtifactsError } from '../../errors.ts'
import type { Entry, EntryPath } from '../../types.ts'
import { comparePaths, quotePath } from './paths.ts'

/** What stands at a path from now on; no entry: nothing. */
export interface EntryEdit {
  readonly path: EntryPath
  readonly entry?: Entry
}

export interface MergeOptions {
  /**
   * Default false: a new entry that lies above or below an entry of the base which no edit removes is refused.
   * True: it takes the place of that entry.
   */
  readonly replace?: boolean
}

/**
 * Returns the entries of `base`, in ascending order, with `edits` applied, which are in ascending order too. Removing
 * what is not there changes nothing. A directory entry of the base gives way when something is put below it.
 * @throws ArtifactsError `ERR_INVALID_PATH` naming both paths when an edit clashes with the base.
 */
export function* mergeEntries(
  base: Iterable<Entry>,
  edits: readonly EntryEdit[],
  { replace = false }: MergeOptions = {},
): Generator<Entry> {
  checkOrder(edits)
  let next = 0
  /** New entries that the path at hand begins with, the longest last. */
  const prefixes: EntryPath[] = []
  for (const entry of base) {
    for (; ; next++) {
      const edit = edits[next]
      if (edit === undefined || comparePaths(edit.path, entry.path) >= 0) break
      if (edit.entry === undefined) continue
      yield edit.entry
      keepPrefixesOf(edit.path, prefixes)
      prefixes.push(edit.path)
    }
    if (edits[next]?.path === entry.path) continue
    const above = entryAbove(prefixes, entry.path)
    const below = entryBelow(edits, next, entry.path)
    if (above === undefined && below === undefined) {
      yield entry
    } else if (!replace && (above !== undefined || entry.kind !== 'directory')) {
      throw clash((above ?? below) as EntryPath, entry.path)
    }
  }
  for (const { entry } of edits.slice(next)) if (entry !== undefined) yield entry
}

function checkOrder(edits: readonly EntryEdit[]): void {
  let before: EntryPath | undefined
  for (const { path } of edits) {
    if (before !== undefined && comparePaths(before, path) >= 0) {
      throw new Error(`edits must ascend: ${quotePath(path)} stands behind ${quotePath(before)}`)
    }
    before = path
  }
}

function entryAbove(prefixes: EntryPath[], path: EntryPath): EntryPath | undefined {
  keepPrefixesOf(path, prefixes)
  return prefixes.find((prefix) => path[prefix.length] === '/')
}

/** All paths that begin with the same text are neighbours, so a prefix that no longer fits never will again. */
function keepPrefixesOf(path: EntryPath, prefixes: EntryPath[]): void {
  while (prefixes.length > 0 && !path.startsWith(prefixes.at(-1) as EntryPath)) prefixes.pop()
}

/** The first new path below `path` among the edits from `next` on, which all come behind it. */
function entryBelow(
  edits: readonly EntryEdit[],
  next: number,
  path: EntryPath,
): EntryPath | undefined {
  if (edits[next]?.path.startsWith(path) !== true) return undefined
  const folder = `${path}/`
  for (let at = firstNotBefore(edits, next, folder); edits[at]?.path.startsWith(folder); at++) {
    if (edits[at]?.entry !== undefined) return edits[at]?.path
  }
  return undefined
}

function firstNotBefore(edits: readonly EntryEdit[], from: number, path: string): number {
  let low = from
  let high = edits.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (comparePaths((edits[middle] as EntryEdit).path, path) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function clash(added: EntryPath, kept: EntryPath): ArtifactsError {
  return new ArtifactsError(
    'ERR_INVALID_PATH',
    `path ${quotePath(added)} cannot be added: ${quotePath(kept)} is an entry, and one would lie below the other`,
    { hint: `Remove ${quotePath(kept)} in the same change.`, data: { path: added, other: kept } },
  )
}
