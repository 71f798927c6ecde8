/**
 * Says what kind of change each change is, and which removed entry lives on under another path. Only exact renames are
 * found: files, symlinks and references that hold the same, never empty files or directories.
 */

import type { Entry, EntryPath } from '../../types.ts'
import type { EntryChange } from './diff.ts'
import { equalContent } from './entry.ts'
import { encodeReference } from './reference.ts'

/** `modified` is content, with or without the executable bit; `mode` that bit alone; `type` another kind of entry. */
export type Difference =
  | { readonly kind: 'added'; readonly path: EntryPath; readonly after: Entry }
  | { readonly kind: 'removed'; readonly path: EntryPath; readonly before: Entry }
  | Both<'modified'>
  | Both<'mode'>
  | Both<'type'>
  | (Both<'renamed'> & { readonly from: EntryPath })

interface Both<Kind extends string> {
  readonly kind: Kind
  readonly path: EntryPath
  readonly before: Entry
  readonly after: Entry
}

export interface ClassifyOptions {
  /** Default true. Finding renames holds all changes in memory; without, they pass through one by one. */
  readonly renames?: boolean
}

/** Returns the differences in path order; a rename stands at its new path. */
export function* classify(
  changes: Iterable<EntryChange>,
  { renames = true }: ClassifyOptions = {},
): Generator<Difference> {
  if (!renames) {
    for (const change of changes) yield difference(change)
    return
  }
  const differences = Array.from(changes, difference)
  const sources = pairRenames(differences)
  const moved = new Set(sources.values())
  for (const one of differences) {
    const before = one.kind === 'added' ? sources.get(one.path) : undefined
    if (one.kind === 'added' && before !== undefined) {
      yield { kind: 'renamed', path: one.path, from: before.path, before, after: one.after }
    } else if (one.kind !== 'removed' || !moved.has(one.before)) {
      yield one
    }
  }
}

function difference({ path, before, after }: EntryChange): Difference {
  if (before === undefined) {
    if (after === undefined) throw new TypeError(`a change of "${path}" has no side`)
    return { kind: 'added', path, after }
  }
  if (after === undefined) return { kind: 'removed', path, before }
  return { kind: kindOfEdit(before, after), path, before, after }
}

function kindOfEdit(before: Entry, after: Entry): 'modified' | 'mode' | 'type' {
  if (before.kind !== after.kind) return 'type'
  if (before.kind !== 'file' || after.kind !== 'file') return 'modified'
  return equalContent(before, after) ? 'mode' : 'modified'
}

/**
 * Returns for each new path the entry it came from. Where several hold the same, those of the same base name go
 * together first, then the first with the first in path order; each removed entry is used once.
 */
function pairRenames(differences: readonly Difference[]): Map<EntryPath, Entry> {
  const pairs = new Map<EntryPath, Entry>()
  const moved = new Set<Entry>()
  for (const keyOf of [contentAndName, contentKey]) {
    const sources = new Map<string, Entry[]>()
    for (const one of differences.toReversed()) {
      const key = one.kind === 'removed' && !moved.has(one.before) ? keyOf(one.before) : undefined
      if (one.kind !== 'removed' || key === undefined) continue
      const same = sources.get(key)
      if (same === undefined) sources.set(key, [one.before])
      else same.push(one.before)
    }
    for (const one of differences) {
      const key = one.kind === 'added' && !pairs.has(one.path) ? keyOf(one.after) : undefined
      const before = key === undefined ? undefined : sources.get(key)?.pop()
      if (before === undefined) continue
      pairs.set(one.path, before)
      moved.add(before)
    }
  }
  return pairs
}

function contentAndName(entry: Entry): string | undefined {
  const key = contentKey(entry)
  return key && `${key}/${entry.path.slice(entry.path.lastIndexOf('/') + 1)}`
}

/** Equal for entries that hold the same; undefined for those that are never renamed. */
function contentKey(entry: Entry): string | undefined {
  switch (entry.kind) {
    case 'file':
      if (entry.size === 0) return undefined
      return entry.content.kind === 'inline'
        ? `inline ${Buffer.from(entry.content.bytes).toString('hex')}`
        : `${entry.content.kind} ${entry.content.id}`
    case 'symlink':
      return `symlink ${entry.target}`
    case 'reference':
      return `reference ${encodeReference(entry.reference)}`
    case 'directory':
      return undefined
  }
}
