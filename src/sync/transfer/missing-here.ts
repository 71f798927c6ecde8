/**
 * What this store lacks of versions that are elsewhere, found and fetched in rounds: the nodes of a level, the recipes that
 * the leaves name, their parts, the chunks. Objects are asked for by ids that something verified has named, so whatever
 * comes is what it should be; the trees themselves are then gone through by all the rules of trees.
 */
import { ArtifactsError, isLoss } from '../../errors.ts'
import type { Reliance } from '../../store/commit/reliance.ts'
import type { Location } from '../../store/index/objects.ts'
import { IdSet } from '../../store/ingest/id-set.ts'
import { NODE, type ObjectKind, RECIPE, readId } from '../../store/object/id.ts'
import { decodePart, decodeRecipe, type Pieces } from '../../store/object/recipe.ts'
import { nodeReader, type OpenedStore, readObject } from '../../store/opened.ts'
import { nodeIds, TreeCursor } from '../../store/tree/cursor.ts'
import { decodeNode, isLeaf } from '../../store/tree/node.ts'
import type { EntryPath, FileEntry, ObjectId, OperationOptions } from '../../types.ts'
import { remoteDamaged } from './errors.ts'
import { breathe, checkLength, type Fetcher } from './fetcher.ts'
import type { Inbox } from './inbox.ts'
import type { WantedVersion } from './missing-there.ts'
import { UNKNOWN, Wanted } from './wanted.ts'

/** Which bytes of files come; trees always do. */
export type WantedContent = 'all' | 'none' | { readonly paths: readonly EntryPath[] }

/** A file whose recipe is looked at when all recipes are here. */
interface LargeFile {
  readonly id: ObjectId
  readonly size: number
}

const ENTRIES_AT_ONCE = 4096

export class MissingHere {
  /** Nodes, recipes. */
  readonly meta: Wanted = new Wanted()
  readonly chunks: Wanted = new Wanted()
  /** Versions that are whole when all of this is here. */
  readonly whole: Set<ObjectId> = new Set()
  readonly #store: OpenedStore
  readonly #reliance: Reliance
  readonly #inbox: Inbox
  readonly #fetcher: Fetcher
  readonly #options: OperationOptions
  /** Nodes of versions that are whole here: what is below them is too. */
  readonly #known = new IdSet(Number.POSITIVE_INFINITY)
  /** Nodes that were gone through. */
  readonly #passed = new IdSet(Number.POSITIVE_INFINITY)
  #files = 0
  /** What was wrong with an object of this store. */
  #ownDamage: unknown

  constructor(
    store: OpenedStore,
    reliance: Reliance,
    inbox: Inbox,
    fetcher: Fetcher,
    options: OperationOptions,
  ) {
    this.#store = store
    this.#reliance = reliance
    this.#inbox = inbox
    this.#fetcher = fetcher
    this.#options = options
  }

  /** Fetches all that is lacking of the versions; in the end it is in the store or in the inbox. */
  async fetch(versions: readonly WantedVersion[], content: WantedContent): Promise<void> {
    try {
      await this.#fetchAll(versions, content)
    } catch (error) {
      const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
      // The rules of trees and recipes do not know whose bytes they were.
      throw isDamage && error !== this.#ownDamage ? remoteDamaged(error.message, error) : error
    }
  }

  async #fetchAll(versions: readonly WantedVersion[], content: WantedContent): Promise<void> {
    this.#skipNeighbours(versions)
    await this.#fetchNodes(versions)
    const isWanted = selection(content)
    const large = new Map<ObjectId, number>()
    for (const version of versions) await this.#walk(version, isWanted, large)
    await this.#fetchRecipes([...large].map(([id, size]) => ({ id, size })))
    await this.#fetcher.fetch(this.chunks)
  }

  /** What a version has in common with one that is whole here need not be looked at. */
  #skipNeighbours(versions: readonly WantedVersion[]): void {
    const { state, objects } = this.#store.index
    const near = new Set(versions.flatMap((version) => this.#fetcher.neighbours(version)))
    for (const id of near) {
      const row = state.versionById(id)
      if (row === undefined || row.deleted !== undefined || row.partial === true) continue
      if (!objects.areComplete()) return
      this.#reliance.onVersion(id)
      try {
        for (const node of nodeIds(nodeReader(this.#store), row.object.root)) {
          this.#known.add(Buffer.from(node, 'hex'), 0)
        }
      } catch (error) {
        // Then more is looked up.
        if (!isLoss(error)) throw error
      }
    }
  }

  /** Level by level, so that a tree takes as many rounds as it is high. */
  async #fetchNodes(versions: readonly WantedVersion[]): Promise<void> {
    const met = new IdSet(Number.POSITIVE_INFINITY)
    let nodes: { readonly id: ObjectId; readonly level?: number }[] = []
    const add = (id: ObjectId, level?: number): void => {
      const bytes = Buffer.from(id, 'hex')
      if (this.#known.has(bytes, 0) || !met.add(bytes, 0)) return
      nodes.push(level === undefined ? { id } : { id, level })
      this.#want(bytes, this.meta, UNKNOWN)
    }
    for (const { object } of versions) add(object.root)
    for (let from = 0; nodes.length > 0; ) {
      await this.#fetcher.fetch(this.meta, from)
      from = this.meta.size
      const level = nodes
      nodes = []
      for (const { id, level: expected } of level) {
        const bytes = this.#read(NODE, id)
        if (expected !== undefined && bytes[0] !== expected) {
          throw remoteDamaged(`Node "${id}" is of level ${bytes[0]}, not ${expected}.`)
        }
        // Leaves are gone through later.
        if (bytes[0] === 0) continue
        const node = decodeNode(bytes, { last: true, id })
        if (!isLeaf(node)) for (const child of node.children) add(child.id, node.level - 1)
      }
      await breathe(this.#options)
    }
  }

  async #walk(
    { id, object }: WantedVersion,
    isWanted: (path: EntryPath) => boolean,
    large: Map<ObjectId, number>,
  ): Promise<void> {
    let isWhole = true
    const cursor = new TreeCursor((node) => this.#read(NODE, node), object.root)
    while (!cursor.done) {
      if (cursor.level === 0) {
        const { entry } = cursor
        if (entry.kind === 'file') {
          if (isWanted(entry.path)) this.#meetFile(entry, large)
          else isWhole &&= this.#isHere(entry)
        }
        cursor.next()
        if (++this.#files % ENTRIES_AT_ONCE === 0) await this.#breathe()
      } else if (this.#isPassed(cursor.child.id, isWanted === everything)) {
        cursor.next()
      } else {
        cursor.enter()
      }
    }
    if (isWhole) this.whole.add(id)
  }

  /** Whether what is below a node needs no look. Where only some is asked for, every version has to be looked at by itself. */
  #isPassed(id: ObjectId, isAll: boolean): boolean {
    const bytes = Buffer.from(id, 'hex')
    if (this.#known.has(bytes, 0)) return true
    return isAll && !this.#passed.add(bytes, 0)
  }

  #meetFile({ path, size, content }: FileEntry, large: Map<ObjectId, number>): void {
    if (content.kind === 'inline') return
    const id = Buffer.from(content.id, 'hex')
    if (content.kind === 'chunk') {
      this.#want(id, this.chunks, size)
      return
    }
    const other = large.get(content.id)
    if (other !== undefined && other !== size) {
      throw remoteDamaged(`"${path}" and another file have one recipe and two sizes.`)
    }
    large.set(content.id, size)
    this.#want(id, this.meta, UNKNOWN)
  }

  /** Whether all bytes of a file that nobody asked for are here. */
  #isHere({ content, size }: FileEntry): boolean {
    if (content.kind === 'inline') return true
    const id = Buffer.from(content.id, 'hex')
    if (!this.#reliance.has(id)) return false
    if (content.kind === 'chunk') return true
    const recipe = decodeRecipe(this.#readOwn(RECIPE, content.id), 'A recipe')
    if (recipe.of === 'part' || recipe.size !== size) return false
    if (!areAll(recipe.ids, this.#reliance)) return false
    if (recipe.of === 'chunks') return true
    for (let index = 0; index < recipe.lengths.length; index++) {
      const part = readId(recipe.ids, index * 32)
      const bytes = this.#readOwn(RECIPE, part)
      if (!areAll(decodePart(bytes, recipe, index, 'A recipe').ids, this.#reliance)) return false
    }
    return true
  }

  async #fetchRecipes(files: readonly LargeFile[]): Promise<void> {
    if (files.length === 0) return
    await this.#fetcher.fetch(this.meta)
    const from = this.meta.size
    const inParts: LargeFile[] = []
    for (const [n, file] of files.entries()) {
      const recipe = this.#recipe(file)
      if (recipe.of === 'chunks') this.#wantChunks(recipe)
      else {
        inParts.push(file)
        for (let at = 0; at < recipe.ids.length; at += 32) {
          this.#want(recipe.ids.subarray(at, at + 32), this.meta, UNKNOWN)
        }
      }
      if (n % 256 === 255) await this.#breathe()
    }
    await this.#fetcher.fetch(this.meta, from)
    for (const file of inParts) {
      const recipe = this.#recipe(file)
      if (recipe.of !== 'parts') throw new Error('A recipe is what it was.')
      for (let index = 0; index < recipe.lengths.length; index++) {
        const part = readId(recipe.ids, index * 32)
        const bytes = this.#read(RECIPE, part)
        this.#wantChunks(decodePart(bytes, recipe, index, `The recipe "${part}"`))
      }
      await this.#breathe()
    }
  }

  #recipe({ id, size }: LargeFile): ReturnType<typeof decodeRecipe> {
    const name = `The recipe "${id}"`
    const recipe = decodeRecipe(this.#read(RECIPE, id), name)
    if (recipe.of === 'part') throw remoteDamaged(`${name} is that of a part of a file.`)
    if (recipe.size !== size) throw remoteDamaged(`${name} is that of a file of another size.`)
    return recipe
  }

  #wantChunks({ ids, lengths }: Pieces): void {
    for (const [index, length] of lengths.entries()) {
      this.#want(ids.subarray(index * 32, index * 32 + 32), this.chunks, length)
    }
  }

  #want(id: Buffer, into: Wanted, length: number): void {
    if (!this.#reliance.has(id)) {
      into.add(id, length)
    } else if (length !== UNKNOWN) {
      const place = this.#store.index.objects.locate(id)
      if (place !== undefined) checkLength(place, length)
    }
  }

  /** An object of the store or of the inbox. */
  #read(kind: ObjectKind, id: ObjectId): Uint8Array {
    const bytes = Buffer.from(id, 'hex')
    if (!this.meta.ids.has(bytes, 0)) return this.#readOwn(kind, id)
    const places: Location[] = this.#fetcher.locations(bytes)
    return this.#inbox.read(kind, id, places)
  }

  #readOwn(kind: ObjectKind, id: ObjectId): Uint8Array {
    try {
      return readObject(this.#store, kind, id)
    } catch (error) {
      this.#ownDamage = error
      throw error
    }
  }

  async #breathe(): Promise<void> {
    this.#options.onProgress?.({ phase: 'mark', files: this.#files, bytes: 0 })
    await breathe(this.#options)
  }
}

const everything = (): boolean => true

/** Whether the bytes of a file are asked for. */
function selection(content: WantedContent): (path: EntryPath) => boolean {
  if (content === 'all') return everything
  if (content === 'none') return () => false
  const { paths } = content
  const exact = new Set<string>(paths)
  const folders = paths.map((path) => `${path}/`)
  return (path) => exact.has(path) || folders.some((folder) => path.startsWith(folder))
}

function areAll(ids: Buffer, reliance: Reliance): boolean {
  for (let at = 0; at < ids.length; at += 32) {
    if (!reliance.has(ids.subarray(at, at + 32))) return false
  }
  return true
}
