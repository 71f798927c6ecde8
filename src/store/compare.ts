/** What differs between two versions, or between a version and a directory. */
import type { Entry, EntryPath, ObjectId, OperationOptions } from '../types.ts'
import { holdsReferenceAt } from './checkout/references.ts'
import { directoryEntries } from './ingest/directory-entries.ts'
import { nodeReader, type OpenedStore } from './opened.ts'
import { classify, type Difference } from './tree/classify.ts'
import { entries } from './tree/cursor.ts'
import { diffTrees, type EntryChange } from './tree/diff.ts'
import { equalEntries } from './tree/entry.ts'
import { comparePaths } from './tree/paths.ts'

/** A version by its digest, or a directory (absolute). */
export type Side = { readonly root: ObjectId } | { readonly dir: string }

export interface CompareOptions extends OperationOptions {
  /** Default true. */
  readonly renames?: boolean
  /** Only these paths and what is below them; none: everything. */
  readonly paths?: readonly string[]
}

/** Returns the differences in path order. Two versions cost O(changes), a directory all of it. */
export async function compare(
  store: OpenedStore,
  from: Side,
  to: Side,
  options: CompareOptions = {},
): Promise<Difference[]> {
  const changes = await changesBetween(store, from, to, options)
  return Array.from(classify(changes, { renames: options.renames ?? true }))
}

async function changesBetween(
  store: OpenedStore,
  from: Side,
  to: Side,
  options: CompareOptions,
): Promise<EntryChange[]> {
  const isWanted = pathFilter(options.paths ?? [])
  if ('root' in from && 'root' in to) {
    const read = nodeReader(store)
    return Array.from(diffTrees(read, from.root, to.root)).filter(({ path }) => isWanted(path))
  }
  const changes: EntryChange[] = []
  for await (const change of joinEntries(
    sideEntries(store, from, options),
    sideEntries(store, to, options),
  )) {
    if (isSame(change, from, to)) continue
    if (isWanted(change.path)) changes.push(change)
  }
  return changes
}

/** Whether both sides hold the same: in a directory, a file whose bytes a reference records is that. */
function isSame({ before, after }: EntryChange, from: Side, to: Side): boolean {
  if (before === undefined || after === undefined) return before === after
  if (before.kind === 'reference' && after.kind === 'file' && 'dir' in to) {
    return holdsReferenceAt(before, `${to.dir}/${after.path}`, undefined)
  }
  if (after.kind === 'reference' && before.kind === 'file' && 'dir' in from) {
    return holdsReferenceAt(after, `${from.dir}/${before.path}`, undefined)
  }
  return equalEntries(before, after)
}

/** True for these paths and what is below them. */
export function pathFilter(paths: readonly string[]): (path: string) => boolean {
  if (paths.length === 0) return () => true
  const wanted = paths.map((path) => path.replace(/\/+$/, '').replace(/^\.\//, ''))
  if (wanted.includes('') || wanted.includes('.')) return () => true
  return (path) => wanted.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))
}

/** Merges two sequences of entries in ascending order; entries of one path come together. */
export async function* joinEntries(
  left: AsyncIterable<Entry> | Iterable<Entry>,
  right: AsyncIterable<Entry> | Iterable<Entry>,
): AsyncGenerator<EntryChange> {
  const a = iteratorOf(left)
  const b = iteratorOf(right)
  try {
    let before = await a.next()
    let after = await b.next()
    while (before.done !== true || after.done !== true) {
      const order = orderOf(before, after)
      const path = (order <= 0 ? before : after).value.path as EntryPath
      yield {
        path,
        ...(order <= 0 ? { before: before.value as Entry } : {}),
        ...(order >= 0 ? { after: after.value as Entry } : {}),
      }
      if (order <= 0) before = await a.next()
      if (order >= 0) after = await b.next()
    }
  } finally {
    await a.return?.()
    await b.return?.()
  }
}

function sideEntries(
  store: OpenedStore,
  side: Side,
  options: OperationOptions,
): AsyncIterable<Entry> | Iterable<Entry> {
  return 'root' in side
    ? entries(nodeReader(store), side.root)
    : directoryEntries(store, side.dir, { signal: options.signal, onProgress: options.onProgress })
}

function iteratorOf(
  side: AsyncIterable<Entry> | Iterable<Entry>,
): AsyncIterator<Entry> | Iterator<Entry> {
  return Symbol.asyncIterator in side ? side[Symbol.asyncIterator]() : side[Symbol.iterator]()
}

function orderOf(before: IteratorResult<Entry>, after: IteratorResult<Entry>): number {
  if (before.done === true) return 1
  if (after.done === true) return -1
  return comparePaths(before.value.path, after.value.path)
}
