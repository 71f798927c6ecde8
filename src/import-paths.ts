/** The paths of a tar's entries as they come: each once, none below a file or a symbolic link. */
import { ArtifactsError } from './errors.ts'
import { checkPath, quotePath } from './store/tree/paths.ts'
import type { EntryPath } from './types.ts'

/** Entries are kept in memory until the last one has come: so many take about 1 GB. */
const MOST_PATHS = 2_000_000
const MOST_PATH_BYTES = 2 ** 28

export class ImportPaths {
  readonly #name: string
  readonly #files = new Set<string>()
  /** Those with something in them, and those that are entries. */
  readonly #parents = new Set<string>()
  readonly #directories = new Set<EntryPath>()
  #bytes = 0

  /** @param name what errors call the tar */
  constructor(name: string) {
    this.#name = name
  }

  /** @throws ArtifactsError ERR_INVALID_PATH, ERR_UNSUPPORTED where the tar has too many entries. */
  addFile(text: string): EntryPath {
    const path = this.#add(text)
    if (this.#files.has(path) || this.#parents.has(path) || this.#directories.has(path)) {
      throw this.#refused(path, 'is there twice')
    }
    this.#files.add(path)
    return path
  }

  /** A directory may be named again; it is the same. */
  addDirectory(text: string): void {
    const path = this.#add(text)
    if (this.#files.has(path)) throw this.#refused(path, 'is there twice')
    this.#directories.add(path)
  }

  /** Directories in which nothing is. */
  *emptyDirectories(): Generator<EntryPath> {
    for (const path of this.#directories) if (!this.#parents.has(path)) yield path
  }

  #add(text: string): EntryPath {
    const path = this.#checked(text)
    // Where a directory is known those around it are too.
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end)
      if (this.#parents.has(parent)) break
      if (this.#files.has(parent)) {
        throw this.#refused(path, `lies below ${quotePath(parent)}, which is no directory`)
      }
      this.#parents.add(parent)
      this.#count(0)
    }
    this.#count(path.length)
    return path
  }

  #checked(text: string): EntryPath {
    try {
      return checkPath(text)
    } catch (error) {
      if (!(error instanceof ArtifactsError) || error.code !== 'ERR_INVALID_PATH') throw error
      const { code, message, data } = error
      throw new ArtifactsError(code, `The tar ${this.#name} is refused: ${message}.`, {
        hint: 'Pack it again from within the directory: `tar -C DIR -cf FILE .`',
        data,
        cause: error,
      })
    }
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    const paths = this.#files.size + this.#parents.size + this.#directories.size
    if (paths < MOST_PATHS && this.#bytes < MOST_PATH_BYTES) return
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `The tar ${this.#name} holds more entries than can be imported at once, ${MOST_PATHS}.`,
      { hint: 'Extract it, then commit the directory: `artifacts commit DIR -n NAME`.' },
    )
  }

  #refused(path: string, why: string): ArtifactsError {
    return new ArtifactsError(
      'ERR_INVALID_PATH',
      `The tar ${this.#name} is refused: ${quotePath(path)} ${why}.`,
      { hint: 'Extract it, look at what it holds, then `artifacts commit DIR -n NAME`.' },
    )
  }
}
