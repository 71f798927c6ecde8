/** Referenced bytes that were fetched aside and checked, on their way into a directory. */
import { lstatSync, type Stats } from 'node:fs'
import { isSystemError } from '../../errors.ts'
import type { Entry, EntryPath, ReferenceEntry } from '../../types.ts'
import type { OpenedStore } from '../opened.ts'
import { digestOfFile, hasherFor, isRecorded } from '../reference-digest.ts'

export interface AtHand {
  /** Absolute, on the file system of the directory; it is moved from there. */
  readonly file: string
  readonly size: number
  readonly sha256: string
}

/** By path; references that are not in it are left out. */
export type ReferencesAtHand = ReadonlyMap<EntryPath, AtHand | 'there'>

interface WithReferences {
  readonly references?: ReferencesAtHand | undefined
}

/** Whether the file holds what the reference leads to: what was fetched, else by the record itself. */
export function holdsReference(
  { path, reference }: ReferenceEntry,
  file: string,
  stat: Stats,
  fetched: ReferencesAtHand | undefined,
): boolean {
  if (!stat.isFile()) return false
  const bytes = fetched?.get(path)
  if (bytes === 'there') return true
  return (
    (bytes !== undefined && isSame(bytes, file, stat)) || isRecorded(reference, file, stat.size)
  )
}

function isSame({ size, sha256 }: AtHand, file: string, stat: Stats): boolean {
  const hasher = hasherFor('sha256')
  return size === stat.size && hasher !== undefined && digestOfFile(file, hasher) === sha256
}

/** The same for a name at which there may be nothing. */
export function holdsReferenceAt(
  entry: ReferenceEntry,
  file: string,
  fetched: ReferencesAtHand | undefined,
): boolean {
  try {
    const stat = lstatSync(file, { throwIfNoEntry: false })
    return stat !== undefined && holdsReference(entry, file, stat, fetched)
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR')) return false
    throw error
  }
}

/** What a file's entry or a fetched reference adds to what is written. */
export function bytesToWrite({ references }: WithReferences, entry: Entry): number {
  if (entry.kind === 'file') return entry.size
  const bytes = entry.kind === 'reference' ? references?.get(entry.path) : undefined
  return bytes === undefined || bytes === 'there' ? 0 : bytes.size
}

/** Gives fetched bytes their name. */
export function moveReference(
  { io }: OpenedStore,
  { references }: WithReferences,
  entry: ReferenceEntry,
  file: string,
): void {
  const bytes = references?.get(entry.path)
  if (bytes !== undefined && bytes !== 'there') io.rename(bytes.file, file)
}
