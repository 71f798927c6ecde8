/**
 * What the version before holds, which need not be looked up object by object: most of a commit is in it. That version
 * is live, and the commit relies on it as a whole.
 */
import { isLoss } from '../../errors.ts'
import type { Content, FileEntry, ObjectId } from '../../types.ts'
import { leafIds, type ReadNode, TreeCursor } from '../tree/cursor.ts'

export class PreviousTree {
  #leaves: ReadonlySet<ObjectId> = new Set()
  #cursor: TreeCursor | undefined

  /** @param root undefined: there is no such version, and nothing is held. */
  constructor(read: ReadNode, root: ObjectId | undefined) {
    if (root === undefined) return
    this.#unlessDamaged(() => {
      this.#leaves = new Set(leafIds(read, root))
      this.#cursor = new TreeCursor(read, root)
    })
  }

  hasLeaf(id: ObjectId): boolean {
    return this.#leaves.has(id)
  }

  /** Whether it has the same content at the same path. To be asked in ascending order of paths. */
  hasFile({ path, content }: FileEntry): boolean {
    return this.#unlessDamaged(() => {
      const cursor = this.#cursor
      cursor?.seek(path)
      if (cursor === undefined || cursor.done) return false
      const { entry } = cursor
      return entry.path === path && entry.kind === 'file' && isSame(entry.content, content)
    })
  }

  /** A damaged version is nothing to build on, and no reason not to store a good one. */
  #unlessDamaged<T>(attempt: () => T): T | false {
    try {
      return attempt()
    } catch (error) {
      if (!isLoss(error)) throw error
      this.#cursor = undefined
      return false
    }
  }
}

function isSame(a: Content, b: Content): boolean {
  return a.kind !== 'inline' && b.kind === a.kind && b.id === a.id
}
