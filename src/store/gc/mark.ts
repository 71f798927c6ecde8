/**
 * Meets everything that a version consists of: its object, the nodes of its tree, recipes, chunks. Whatever was met for
 * the same owner before is stepped over with all that is below it, so versions that share most of their content cost
 * what they do not share.
 */
import { damaged, isLoss } from '../../errors.ts'
import type { Entry, ObjectId, OperationOptions } from '../../types.ts'
import { RECIPE, readId } from '../object/id.ts'
import { decodePart, decodeRecipe } from '../object/recipe.ts'
import { nodeReader, type OpenedStore, readObject } from '../opened.ts'
import { type ReadNode, TreeCursor } from '../tree/cursor.ts'
import { type Census, LEAVING } from './census.ts'

/** A version, or a part of a draft, to be met. */
export interface Marked {
  /** Absent: a tree that is no version's. */
  readonly version?: ObjectId
  readonly root: ObjectId
  readonly owner: number
  /** What messages call it. */
  readonly ref: string
  /** It came without some of its bytes: what is nowhere was not fetched. */
  readonly partial?: boolean
}

/** Something that a version consists of and that cannot be found. */
export interface Missing {
  readonly ref: string
  /** Empty: a part of the tree itself. */
  readonly path: string
  readonly reason: string
}

const ENTRIES_AT_ONCE = 4096
const MOST_NAMED = 10

export class Marker {
  /** Of versions that stay; up to ten are named. */
  readonly missing: { count: number; readonly named: Missing[] } = { count: 0, named: [] }
  readonly #store: OpenedStore
  readonly #census: Census
  readonly #options: OperationOptions
  readonly #read: ReadNode
  #entries = 0
  #bytes = 0

  constructor(store: OpenedStore, census: Census, options: OperationOptions) {
    this.#store = store
    this.#census = census
    this.#options = options
    this.#read = nodeReader(store)
  }

  /** Meets all of a version, or as much as can be read; what cannot is in `missing`. */
  async mark(marked: Marked): Promise<void> {
    try {
      await this.#markTree(marked)
    } catch (error) {
      if (!isLoss(error)) throw error
      this.#note(marked, '', error)
    }
  }

  async #markTree(marked: Marked): Promise<void> {
    // The log has the version's object too: it is no loss if no pack has.
    const { version } = marked
    if (version !== undefined) this.#census.meet(Buffer.from(version, 'hex'), marked.owner)
    if (!this.#isNew(marked.root, marked, '')) return
    const cursor = new TreeCursor(this.#read, marked.root)
    while (!cursor.done) {
      if (cursor.level === 0) {
        this.#meetEntry(cursor.entry, marked)
        cursor.next()
        if (++this.#entries % ENTRIES_AT_ONCE === 0) await this.#breathe()
      } else if (this.#isNew(cursor.child.id, marked, '')) {
        cursor.enter()
      } else {
        cursor.next()
      }
    }
  }

  #meetEntry(entry: Entry, marked: Marked): void {
    if (entry.kind !== 'file' || entry.content.kind === 'inline') return
    const { content, path } = entry
    if (!this.#isNew(content.id, marked, path)) return
    this.#bytes += entry.size
    if (content.kind === 'chunk') return
    try {
      this.#meetRecipe(content.id, marked, path)
    } catch (error) {
      if (!isLoss(error)) throw error
      this.#note(marked, path, error)
    }
  }

  #meetRecipe(id: ObjectId, marked: Marked, path: string): void {
    const recipe = decodeRecipe(readObject(this.#store, RECIPE, id), `The recipe "${id}"`)
    if (recipe.of === 'part') throw damaged(`The recipe "${id}" is that of a part of a file.`)
    if (recipe.of === 'chunks') {
      this.#meetChunks(recipe.ids, marked, path)
      return
    }
    for (let index = 0; index < recipe.lengths.length; index++) {
      const part = readId(recipe.ids, index * 32)
      if (!this.#isNew(part, marked, path)) continue
      const bytes = readObject(this.#store, RECIPE, part)
      const { ids } = decodePart(bytes, recipe, index, `The recipe "${part}"`)
      this.#meetChunks(ids, marked, path)
    }
  }

  #meetChunks(ids: Buffer, marked: Marked, path: string): void {
    for (let at = 0; at < ids.length; at += 32) this.#meet(ids.subarray(at, at + 32), marked, path)
  }

  #isNew(id: ObjectId, marked: Marked, path: string): boolean {
    return this.#meet(Buffer.from(id, 'hex'), marked, path)
  }

  /** True for an object that was not met before, and is there. */
  #meet(id: Buffer, marked: Marked, path: string): boolean {
    const met = this.#census.meet(id, marked.owner)
    if (met === 'missing' && !this.#isUnfetched(marked)) {
      this.#note(marked, path, () => this.#store.index.objects.missing(readId(id)))
    }
    return met === 'new'
  }

  /** Where a pack can't be read, it may be that one which had it. */
  #isUnfetched({ partial = false }: Marked): boolean {
    return partial && !this.#census.hasUnreadable
  }

  #note({ ref, owner }: Marked, path: string, error: Error | (() => Error)): void {
    if (owner >= LEAVING) return
    const { named } = this.missing
    this.missing.count++
    if (named.length === MOST_NAMED) return
    const { message } = typeof error === 'function' ? error() : error
    named.push({ ref, path, reason: message })
  }

  /** Lets Ctrl-C in. */
  async #breathe(): Promise<void> {
    this.#options.onProgress?.({ phase: 'mark', files: this.#entries, bytes: this.#bytes })
    await new Promise((resolve) => setImmediate(resolve))
    this.#options.signal?.throwIfAborted()
  }
}
