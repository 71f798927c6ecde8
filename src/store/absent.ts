/**
 * What of a partial version is not here (docs/format.md section 6). Whoever reads such a version asks before, so that all that
 * is to be fetched is told at once, and nothing is written by halves.
 */
import { ArtifactsError } from '../errors.ts'
import type { Entry, FileEntry, ObjectId } from '../types.ts'
import { IdSet } from './ingest/id-set.ts'
import { RECIPE } from './object/id.ts'
import { decodePart, decodeRecipe } from './object/recipe.ts'
import { nodeReader, type OpenedStore, readObject } from './opened.ts'
import { entries } from './tree/cursor.ts'

/** A version, as messages call it, and what it says of itself. */
export interface PartialVersion {
  readonly ref: string
  readonly root: ObjectId
  readonly files: number
  readonly bytes: number
}

/** What is to be read. */
export interface Ask {
  /** Default true; false: only what the tree says, no bytes. */
  readonly content?: boolean
  /** Only paths that begin with this text. */
  readonly prefix?: string
  readonly isWanted?: (path: string) => boolean
  /** Paths as `artifacts fetch` takes them, for the hint. */
  readonly paths?: readonly string[]
}

export interface Absence {
  readonly objects: number
  /** Of content, before compression. */
  readonly bytes: number
  /** Not even all entries are known: then `bytes` are those of the whole version. */
  readonly isListed: boolean
  /** The files that lack some, where they are known and not too many to be named one by one. */
  readonly paths?: readonly string[]
}

const MOST_PATHS = 1000

/** @throws ArtifactsError ERR_NOT_FETCHED when something that is asked for is not here */
export function refuseAbsent(store: OpenedStore, version: PartialVersion, ask: Ask = {}): void {
  const absence = absenceOf(store, version, ask)
  if (absence.objects > 0) throw notFetched(version, absence, ask.paths)
}

/** Counts what is not here of what is asked for, each object once. */
export function absenceOf(store: OpenedStore, version: PartialVersion, ask: Ask): Absence {
  for (;;) {
    const { seen } = store.index
    const absence = new Search(store).count(version, ask)
    // gc moves objects while others look for them.
    if (absence.objects === 0 || !store.index.hasMovedOn(seen)) return absence
  }
}

export function notFetched(
  { ref, files, bytes: all }: PartialVersion,
  { objects, bytes, isListed }: Absence,
  paths: readonly string[] = [],
): ArtifactsError {
  const what = isListed
    ? `${objects} ${objects === 1 ? 'object' : 'objects'} of "${ref}" (${bytes} bytes) ${objects === 1 ? 'was' : 'were'} not fetched`
    : `The list of the files of "${ref}" (${files} ${files === 1 ? 'file' : 'files'}, ${all} bytes) was not fetched`
  const only = paths.length === 0 ? '' : ` -- ${paths.map(quoted).join(' ')}`
  return new ArtifactsError('ERR_NOT_FETCHED', `${what}: only a remote has them.`, {
    hint: `Fetch them: \`artifacts fetch ${ref}${only}\`.`,
    data: { ref, objects, bytes },
  })
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}

/** A node that is not here: what lies below it is not known. */
class AbsentNodeError extends Error {
  static {
    this.prototype.name = 'AbsentNodeError'
  }
}

class Search {
  readonly #store: OpenedStore
  readonly #counted = new IdSet(Number.POSITIVE_INFINITY)
  #objects = 0
  #bytes = 0

  constructor(store: OpenedStore) {
    this.#store = store
  }

  count({ root, bytes }: PartialVersion, ask: Ask): Absence {
    const { content = true, prefix = '', isWanted = () => true } = ask
    const paths: string[] = []
    try {
      for (const entry of entries(this.#reader(), root, { prefix })) {
        if (!content || !isWanted(entry.path)) continue
        const before = this.#objects
        this.#countEntry(entry)
        if (this.#objects > before && paths.length <= MOST_PATHS) paths.push(entry.path)
      }
    } catch (error) {
      if (!(error instanceof AbsentNodeError)) throw error
      return { objects: this.#objects + 1, bytes, isListed: false }
    }
    const counted = { objects: this.#objects, bytes: this.#bytes, isListed: true }
    return paths.length > MOST_PATHS ? counted : { ...counted, paths }
  }

  #reader(): (id: ObjectId) => Uint8Array {
    const read = nodeReader(this.#store)
    return (id) => {
      if (!this.#has(Buffer.from(id, 'hex'))) throw new AbsentNodeError(id)
      return read(id)
    }
  }

  #countEntry(entry: Entry): void {
    if (entry.kind !== 'file' || entry.content.kind === 'inline') return
    if (entry.content.kind === 'chunk')
      this.#lookUp(Buffer.from(entry.content.id, 'hex'), entry.size)
    else this.#countFile(entry, entry.content.id)
  }

  #countFile({ size }: FileEntry, id: ObjectId): void {
    if (!this.#lookUp(Buffer.from(id, 'hex'), size)) return
    try {
      const name = `The recipe "${id}"`
      const recipe = decodeRecipe(readObject(this.#store, RECIPE, id), name)
      if (recipe.of === 'chunks') this.#countChunks(recipe.ids, recipe.lengths)
      if (recipe.of !== 'parts') return
      for (const [index, length] of recipe.lengths.entries()) {
        const part = recipe.ids.subarray(index * 32, index * 32 + 32)
        if (!this.#lookUp(part, length)) continue
        const bytes = readObject(this.#store, RECIPE, part.toString('hex') as ObjectId)
        const { ids, lengths } = decodePart(bytes, recipe, index, name)
        this.#countChunks(ids, lengths)
      }
    } catch (error) {
      // Whoever reads it says what is wrong with it.
      if (!(error instanceof ArtifactsError) || error.code !== 'ERR_DAMAGED') throw error
    }
  }

  #countChunks(ids: Buffer, lengths: readonly number[]): void {
    for (const [index, length] of lengths.entries()) {
      this.#lookUp(ids.subarray(index * 32, index * 32 + 32), length)
    }
  }

  /** Whether the object is here; else it is counted, with the bytes that it stands for. */
  #lookUp(id: Buffer, bytes: number): boolean {
    if (this.#has(id)) return true
    if (this.#counted.add(id, 0)) {
      this.#objects++
      this.#bytes += bytes
    }
    return false
  }

  #has(id: Buffer): boolean {
    return this.#store.index.objects.has(id)
  }
}
