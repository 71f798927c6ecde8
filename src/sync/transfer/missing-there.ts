/**
 * What a receiver lacks of versions (docs/remote.md section 5): one walk over their trees, each subtree once, each object
 * looked up in the receiver's tables. The same walk notes for each subtree in which packs it lies, there or here, so that
 * the `closure` of every version is exact, however much the versions share.
 */
import { damaged, isLoss } from '../../errors.ts'
import { refuseAbsent } from '../../store/absent.ts'
import { encodeVersionObject } from '../../store/log/version-object.ts'
import { Codec } from '../../store/object/compression.ts'
import { RECIPE, readId, VERSION } from '../../store/object/id.ts'
import { recordType } from '../../store/object/pack.ts'
import { decodePart, decodeRecipe } from '../../store/object/recipe.ts'
import { nodeReader, type OpenedStore, readObject } from '../../store/opened.ts'
import type { ReadNode } from '../../store/tree/cursor.ts'
import { decodeNode, isLeaf } from '../../store/tree/node.ts'
import type { FileEntry, ObjectId, OperationOptions, VersionObject } from '../../types.ts'
import { Needed, type Place } from './needed.ts'

/** Who gets objects: a remote, or a bundle with what its reader must have. */
export interface Receiver {
  /** The receiver's pack that has an object (32 bytes); undefined: none. */
  packOf(id: Uint8Array): ObjectId | undefined
  /**
   * In which packs of the receiver a leaf of a tree lies (its id: 32 bytes) with all that its entries name, where that was
   * noted at an earlier push (`leaves`) and none of them is dropped: then it is not looked through.
   */
  leaf?(id: Uint8Array): readonly ObjectId[] | undefined
  /** Whether the receiver has dropped a pack of this id: then none may bear it again. */
  isDropped(pack: ObjectId): boolean
  /** Packs that no closure names, although objects were found in them: the receiver has what is in them otherwise. */
  isElsewhere?(pack: ObjectId): boolean
}

export interface WantedVersion {
  readonly id: ObjectId
  readonly object: VersionObject
}

/** Where a version, a subtree or a file lies. */
export interface Subtree {
  /** Packs of the receiver, as `MissingThere.relied` numbers them. */
  readonly there: Set<number>
  /** Objects that it lacks: indexes from the first up to the second, and so on. */
  readonly ranges: number[]
  /** Single ones, met before. */
  readonly others: number[]
  readonly below: Subtree[]
}

const LEAVES_AT_ONCE = 16

export class MissingThere {
  readonly needed: Needed = new Needed()
  /** The receiver's packs in which something was found. */
  readonly relied: ObjectId[] = []
  /** Objects that no pack here has, although the log has what they are made from. */
  readonly made: Map<number, { readonly id: ObjectId; readonly bytes: Buffer }> = new Map()
  readonly #store: OpenedStore
  readonly #receiver: Receiver
  readonly #options: OperationOptions
  readonly #read: ReadNode
  readonly #numbers = new Map<ObjectId, number>()
  readonly #nodes = new Map<ObjectId, Subtree>()
  /** Leaves that were looked through. */
  readonly leaves: Map<ObjectId, Subtree> = new Map()
  readonly #recipes = new Map<ObjectId, Subtree>()
  #version: ObjectId | undefined
  #lookedThrough = 0
  #files = 0

  constructor(store: OpenedStore, receiver: Receiver, options: OperationOptions) {
    this.#store = store
    this.#receiver = receiver
    this.#options = options
    this.#read = nodeReader(store)
  }

  /**
   * Meets all of a version and returns where it lies.
   * @throws ArtifactsError ERR_NOT_FETCHED when bytes of it are elsewhere, ERR_DAMAGED when they are lost
   */
  async meet({ id, object }: WantedVersion): Promise<Subtree> {
    this.#version = id
    const subtree = this.#subtree()
    const bytes = encodeVersionObject(object)
    this.#meetObject(Buffer.from(id, 'hex'), subtree, () => {
      this.made.set(this.needed.size, { id, bytes })
      return { stored: bytes.length, type: recordType(VERSION, Codec.none) }
    })
    this.#end(subtree)
    subtree.below.push(await this.#meetNode(object.root, true, true))
    return subtree
  }

  async #meetNode(id: ObjectId, last: boolean, root: boolean): Promise<Subtree> {
    const known = this.#nodes.get(id)
    if (known !== undefined) return known
    const subtree = this.#subtree()
    this.#meetObject(Buffer.from(id, 'hex'), subtree)
    const node = this.#reading(() => decodeNode(this.#read(id), { last, root, id }))
    if (isLeaf(node)) {
      for (const entry of node.entries) {
        if (entry.kind === 'file') this.#meetFile(entry, subtree)
      }
      this.#end(subtree)
      this.#files += node.entries.length
      this.leaves.set(id, subtree)
      if (++this.#lookedThrough % LEAVES_AT_ONCE === 0) await this.#breathe()
    } else {
      this.#end(subtree)
      const most = node.children.length - 1
      for (const [index, child] of node.children.entries()) {
        const below =
          (node.level === 1 ? this.#knownLeaf(child.id) : undefined) ??
          (await this.#meetNode(child.id, last && index === most, false))
        subtree.below.push(below)
      }
    }
    this.#nodes.set(id, subtree)
    return subtree
  }

  /** A leaf of which the receiver has all, as an earlier walk has found. */
  #knownLeaf(id: ObjectId): Subtree | undefined {
    if (this.#nodes.has(id)) return undefined
    const packs = this.#receiver.leaf?.(Buffer.from(id, 'hex'))
    if (packs === undefined) return undefined
    const subtree = this.#subtree()
    for (const pack of packs) subtree.there.add(this.#numberOf(pack))
    this.#nodes.set(id, subtree)
    return subtree
  }

  #meetFile({ content }: FileEntry, subtree: Subtree): void {
    if (content.kind === 'inline') return
    if (content.kind === 'chunk') {
      this.#meetObject(Buffer.from(content.id, 'hex'), subtree)
      return
    }
    let file = this.#recipes.get(content.id)
    if (file === undefined) {
      file = this.#meetRecipe(content.id)
      this.#recipes.set(content.id, file)
    } else {
      subtree.ranges.push(...file.ranges)
    }
    for (const pack of file.there) subtree.there.add(pack)
    for (const other of file.others) subtree.others.push(other)
  }

  #meetRecipe(id: ObjectId): Subtree {
    const subtree = this.#subtree()
    this.#meetObject(Buffer.from(id, 'hex'), subtree)
    const recipe = this.#reading(() =>
      decodeRecipe(readObject(this.#store, RECIPE, id), `The recipe "${id}"`),
    )
    if (recipe.of === 'part') throw damaged(`The recipe "${id}" is that of a part of a file.`)
    this.#meetObjects(recipe.ids, subtree)
    if (recipe.of === 'parts') {
      for (let index = 0; index < recipe.lengths.length; index++) {
        const part = readId(recipe.ids, index * 32)
        const { ids } = this.#reading(() => {
          const bytes = readObject(this.#store, RECIPE, part)
          return decodePart(bytes, recipe, index, `The recipe "${part}"`)
        })
        this.#meetObjects(ids, subtree)
      }
    }
    this.#end(subtree)
    return subtree
  }

  #meetObjects(ids: Buffer, subtree: Subtree): void {
    for (let at = 0; at < ids.length; at += 32) this.#meetObject(ids.subarray(at, at + 32), subtree)
  }

  /** @param make says how long an object is that no pack here has, where it can be made. */
  #meetObject(id: Buffer, subtree: Subtree, make?: () => Place): void {
    const index = this.needed.ids.indexOf(id, 0)
    if (index >= 0) {
      if (index < (subtree.ranges[0] as number)) subtree.others.push(index)
      return
    }
    const pack = this.#receiver.packOf(id)
    if (pack !== undefined) {
      subtree.there.add(this.#numberOf(pack))
      return
    }
    this.needed.add(id, this.#locate(id) ?? make?.() ?? this.#absent(readId(id)))
  }

  #locate(id: Buffer): Place | undefined {
    const { index } = this.#store
    for (;;) {
      const { seen } = index
      const found = index.objects.locate(id)
      if (found !== undefined || !index.hasMovedOn(seen)) return found
    }
  }

  /** Runs what reads objects of the version. */
  #reading<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      if (isLoss(error)) this.#refusePartial()
      throw error
    }
  }

  #absent(id: ObjectId): never {
    const missing = this.#store.index.objects.missing(id)
    this.#refusePartial()
    throw missing
  }

  /** Says what a partial version lacks, instead of what was found out about one object. */
  #refusePartial(): void {
    const { state } = this.#store.index
    const row = state.versionById(this.#version as ObjectId)
    if (row?.partial !== true) return
    const artifact = state.artifactById(row.artifact)
    const ref =
      artifact === undefined ? `@${row.id}` : `${artifact.project}/${artifact.name}:v${row.number}`
    refuseAbsent(this.#store, { ref, ...row.object })
  }

  #subtree(): Subtree {
    const from = this.needed.size
    return { there: new Set(), ranges: [from, from], others: [], below: [] }
  }

  /** What was met since the subtree began is its own. */
  #end(subtree: Subtree): void {
    subtree.ranges[1] = this.needed.size
  }

  #numberOf(pack: ObjectId): number {
    let number = this.#numbers.get(pack)
    if (number === undefined) {
      number = this.relied.push(pack) - 1
      this.#numbers.set(pack, number)
    }
    return number
  }

  /** Lets Ctrl-C in. */
  async #breathe(): Promise<void> {
    this.#options.onProgress?.({ phase: 'mark', files: this.#files, bytes: this.needed.bytes })
    await new Promise((resolve) => setImmediate(resolve))
    this.#options.signal?.throwIfAborted()
  }
}
