/**
 * What stands in for the files of a watched directory that are still changing: their entries of the version before. So a
 * version has whole files only, and those that stand still do not wait for the others.
 */
import type { Entry, EntryPath, ObjectId } from '../../types.ts'
import type { WatchedFiles } from '../ingest/scan.ts'
import { entries, type ReadNode } from '../tree/cursor.ts'
import { comparePaths } from '../tree/paths.ts'

/**
 * The scanned entries, in order, with those of the version before that stand in for what is left out.
 * @param unsettled paths of files that the scan left out; complete up to each entry that it hands on
 */
export async function* withUnsettled(
  scanned: AsyncIterable<readonly Entry[]>,
  before: { readonly read: ReadNode; readonly root: ObjectId } | undefined,
  unsettled: ReadonlySet<string>,
  watched: WatchedFiles,
): AsyncGenerator<{ readonly entry: Entry; readonly isKept: boolean }> {
  const stays = ({ path }: Entry): boolean => unsettled.has(path) || watched.isGoing(path)
  const old = before === undefined ? [].values() : entries(before.read, before.root)
  let next = old.next()
  const keptBefore = function* (path: EntryPath | undefined) {
    for (; next.done !== true; next = old.next()) {
      const order = path === undefined ? -1 : comparePaths(next.value.path, path)
      if (order > 0) return
      if (order < 0 && stays(next.value)) yield { entry: next.value, isKept: true }
    }
  }
  for await (const batch of scanned) {
    for (const entry of batch) {
      yield* keptBefore(entry.path)
      // What was in a directory until now may still be coming back.
      if (entry.kind === 'directory' && before !== undefined) {
        const below = entries(before.read, before.root, { prefix: `${entry.path}/` })
        if (isAny(below, stays)) continue
      }
      yield { entry, isKept: false }
    }
  }
  yield* keptBefore(undefined)
}

function isAny(all: Iterable<Entry>, test: (entry: Entry) => boolean): boolean {
  for (const entry of all) if (test(entry)) return true
  return false
}
