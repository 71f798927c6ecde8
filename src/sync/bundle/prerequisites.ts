/**
 * Who will apply a bundle, as a receiver of objects: it has whatever versions that it is taken to have consist of. Objects
 * are looked up by the version in which they were met first, so that what was relied on is a list of versions: the
 * prerequisites of the bundle.
 */
import type { VersionRow } from '../../store/index/state.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ObjectId, OperationOptions } from '../../types.ts'
import { MissingThere, type Receiver } from '../transfer/missing-there.ts'

export class KnownVersions implements Receiver {
  readonly #found: MissingThere
  readonly #versions: ObjectId[] = []
  readonly #ids = new Set<ObjectId>()
  /** For each version the index of the first object that only it and later ones have. */
  readonly #starts: number[] = []

  /**
   * Walks the trees of versions, of all together each subtree once.
   * @param versions whole here; of those that share an object the first one is relied on
   * @throws ArtifactsError ERR_DAMAGED
   */
  static async of(
    store: OpenedStore,
    versions: readonly VersionRow[],
    options: OperationOptions,
  ): Promise<KnownVersions> {
    const known = new KnownVersions(new MissingThere(store, NOBODY, options))
    for (const { id, object } of versions) {
      known.#starts.push(known.#found.needed.size)
      known.#versions.push(id)
      known.#ids.add(id)
      await known.#found.meet({ id, object })
    }
    return known
  }

  private constructor(found: MissingThere) {
    this.#found = found
  }

  /** The version that has the object. */
  packOf(id: Uint8Array): ObjectId | undefined {
    const index = this.#found.needed.ids.indexOf(id, 0)
    return index < 0 ? undefined : this.#versions[this.#versionAt(index)]
  }

  /** What the reader of a bundle has dropped nobody knows; it takes another name for the pack then. */
  isDropped(): boolean {
    return false
  }

  /** What is named like a version is no pack of the bundle. */
  isElsewhere(pack: ObjectId): boolean {
    return this.#ids.has(pack)
  }

  /** The last version that starts at or before an object. */
  #versionAt(index: number): number {
    let [low, high] = [0, this.#starts.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#starts[middle] as number) <= index) low = middle
      else high = middle - 1
    }
    return low
  }
}

const NOBODY: Receiver = { packOf: () => undefined, isDropped: () => false }
