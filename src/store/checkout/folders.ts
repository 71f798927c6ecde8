/** Makes directories once each, and never through a symlink. */
import { lstatSync } from 'node:fs'
import { ArtifactsError } from '../../errors.ts'
import type { OpenedStore } from '../opened.ts'

export class Folders {
  readonly #store: OpenedStore
  readonly #root: string
  readonly #made = new Set<string>()

  /** @param root absolute; `make('')` makes it. */
  constructor(store: OpenedStore, root: string) {
    this.#store = store
    this.#root = root
  }

  /**
   * Makes the directory `path` below the root, and those above it.
   * @throws ArtifactsError ERR_WOULD_OVERWRITE when something else has a name on the way.
   */
  make(path: string): void {
    if (this.#made.has(path)) return
    if (path !== '') this.make(parentOf(path))
    const directory = path === '' ? this.#root : `${this.#root}/${path}`
    const stat = lstatSync(directory, { throwIfNoEntry: false })
    if (stat === undefined) {
      this.#store.io.mkdir(directory, { recursive: path === '' })
    } else if (!stat.isDirectory() && path !== '') {
      throw new ArtifactsError(
        'ERR_WOULD_OVERWRITE',
        `"${directory}" is in the way: a directory has to be there.`,
        {
          hint: `Move it away: \`mv '${directory}' '${directory}.old'\``,
        },
      )
    }
    this.#made.add(path)
  }
}

/** The directory that a path lies in; empty for the top. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}
