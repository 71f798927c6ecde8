/**
 * The paths of a draft: what was added, on top of the version it started from. One rule for every adder: a path has one
 * entry, and nothing lies below a file, a symlink or a reference.
 */
import type { SeenFile } from './draft-files.ts'
import { ArtifactsError } from './errors.ts'
import type { ListedFile } from './store/ingest/listed-files.ts'
import { entries, lookup, type ReadNode } from './store/tree/cursor.ts'
import { comparePaths, quotePath } from './store/tree/paths.ts'
import type { DirectoryEntry, Entry, EntryPath, FileEntry, ObjectId } from './types.ts'

/** What is at a path of a draft. */
export type Drafted =
  | {
      readonly kind: 'local'
      readonly path: EntryPath
      readonly seen: SeenFile
      /** The draft's own, not the user's. */
      readonly staged: boolean
      /** The user's file. */
      readonly localPath: string | undefined
    }
  /** What needs no reading: a symlink, an empty directory, a reference. */
  | { readonly kind: 'entry'; readonly path: EntryPath; readonly entry: Exclude<Entry, FileEntry> }

/** The version that a draft started from, or became. */
export interface DraftBase {
  /** Id of the store. */
  readonly store: string
  readonly version: ObjectId
  readonly root: ObjectId
  readonly isParent: boolean
  readonly read: ReadNode
}

export class DraftTree {
  readonly base: DraftBase | undefined
  readonly #added = new Map<EntryPath, Drafted>()
  /** How many entries were added below a folder. */
  readonly #folders = new Map<string, number>()
  readonly #removed = new Set<EntryPath>()

  constructor(base?: DraftBase) {
    this.base = base
  }

  get isEmpty(): boolean {
    return this.#added.size === 0 && this.base === undefined
  }

  added(path: EntryPath): Drafted | undefined {
    return this.#added.get(path)
  }

  /** The entry of the version it started from, if that still stands. */
  inherited(path: EntryPath): Entry | undefined {
    if (this.base === undefined || this.#removed.has(path) || this.#added.has(path))
      return undefined
    return lookup(this.base.read, this.base.root, path)
  }

  /** Paths of files and references of the version it started from that begin with this text and still stand. */
  *inheritedFiles(prefix: string): Generator<EntryPath> {
    if (this.base === undefined) return
    for (const { path, kind } of entries(this.base.read, this.base.root, { prefix })) {
      if (kind !== 'file' && kind !== 'reference') continue
      if (!this.#removed.has(path) && !this.#added.has(path)) yield path
    }
  }

  /** Puts something at a path, in the place of what is there. Check it before. */
  put(drafted: Drafted): void {
    const { path } = drafted
    for (const folder of foldersOf(path)) {
      if (this.#added.get(folder)?.kind === 'entry') this.#drop(folder)
    }
    if (!this.#added.has(path)) this.#count(path, 1)
    this.#added.set(path, drafted)
  }

  /**
   * Throws ERR_INVALID_PATH where something lies above or below the path. An empty directory gives way, in the draft as
   * in the version it started from.
   */
  check(path: EntryPath): void {
    for (const above of foldersOf(path)) {
      const entry = this.#added.get(above)
      const kind = entry === undefined ? this.inherited(above)?.kind : kindOf(entry)
      if (kind !== undefined && kind !== 'directory') throw clash(path, above)
    }
    const below = this.#firstBelow(path)
    if (below !== undefined) throw clash(path, below)
  }

  /** Whether anything is below the path. */
  isFolder(path: EntryPath): boolean {
    return this.#firstBelow(path) !== undefined
  }

  /** Takes away what is at the path or below it; returns how many entries that were. */
  remove(path: EntryPath): number {
    const folder = `${path}/`
    const gone: EntryPath[] = []
    if (this.#added.has(path)) gone.push(path)
    if (this.#folders.has(path)) {
      for (const each of this.#added.keys()) if (each.startsWith(folder)) gone.push(each)
    }
    let count = gone.length
    for (const each of Array.from(this.#inheritedAtOrBelow(path))) {
      if (!this.#added.has(each)) count++
      this.#removed.add(each)
    }
    for (const each of gone) this.#drop(each)
    return count
  }

  /** The first path at which this file was added. */
  pathOf(localPath: string): EntryPath | undefined {
    for (const [path, drafted] of this.#added) {
      if (drafted.kind === 'local' && drafted.localPath === localPath) return path
    }
    return undefined
  }

  /** What was added by the files of the user that it was, each at its first path. */
  localFiles(): ReadonlyMap<string, Drafted> {
    const files = new Map<string, Drafted>()
    for (const drafted of this.#added.values()) {
      const local = drafted.kind === 'local' ? drafted.localPath : undefined
      if (local !== undefined && !files.has(local)) files.set(local, drafted)
    }
    return files
  }

  /** Everything that was added, in ascending order. */
  sorted(): Drafted[] {
    return Array.from(this.#added.values()).sort((a, b) => comparePaths(a.path, b.path))
  }

  /** Entries of the base that are gone. */
  get removed(): readonly EntryPath[] {
    return Array.from(this.#removed)
  }

  #firstBelow(path: EntryPath): EntryPath | undefined {
    if (this.#folders.has(path)) {
      for (const each of this.#added.keys()) if (each.startsWith(`${path}/`)) return each
    }
    for (const each of this.#inheritedAtOrBelow(path)) if (each !== path) return each
    return undefined
  }

  *#inheritedAtOrBelow(path: EntryPath): Generator<EntryPath> {
    if (this.base === undefined) return
    const { read, root } = this.base
    const stands = (each: EntryPath): boolean => !this.#removed.has(each)
    if (lookup(read, root, path) !== undefined && stands(path)) yield path
    for (const { path: each } of entries(read, root, { prefix: `${path}/` }))
      if (stands(each)) yield each
  }

  #drop(path: EntryPath): void {
    this.#added.delete(path)
    this.#count(path, -1)
  }

  #count(path: EntryPath, by: 1 | -1): void {
    for (const folder of foldersOf(path)) {
      const count = (this.#folders.get(folder) ?? 0) + by
      if (count === 0) this.#folders.delete(folder)
      else this.#folders.set(folder, count)
    }
  }
}

/** The entry of a file that was seen on disk, at its place. */
export function listed({ path, seen }: Drafted & { readonly kind: 'local' }): ListedFile {
  return { ...seen, path }
}

export function kindOf(drafted: Drafted): Entry['kind'] {
  return drafted.kind === 'local' ? 'file' : drafted.entry.kind
}

export function emptyDirectory(path: EntryPath): DirectoryEntry {
  return { kind: 'directory', path }
}

function* foldersOf(path: EntryPath): Generator<EntryPath> {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    yield path.slice(0, at) as EntryPath
  }
}

function clash(added: EntryPath, other: EntryPath): ArtifactsError {
  return new ArtifactsError(
    'ERR_INVALID_PATH',
    `path ${quotePath(added)} cannot be added: ${quotePath(other)} is an entry, and one would lie below the other`,
    { hint: `Remove ${quotePath(other)} first.`, data: { path: added, other } },
  )
}
