/**
 * Walks the trees of versions by all the rules of docs/format.md section 5 and looks up everything they name. Versions
 * share most of their nodes: one that was found whole is stepped over wherever it comes again in the same place, which
 * is: behind the same keys, as the last of its level or not. So ten thousand versions cost what differs between them.
 */
import { ArtifactsError } from '../../errors.ts'
import type { Entry, FileEntry, ObjectId } from '../../types.ts'
import { CHUNK, ID_BYTES, NODE, type ObjectKind, RECIPE } from '../object/id.ts'
import { kindOf } from '../object/pack.ts'
import { decodePart, decodeRecipe, type Pieces } from '../object/recipe.ts'
import { entrySize } from '../tree/entry.ts'
import { KeyChain } from '../tree/key-chain.ts'
import { type Child, decodeNode, isLeaf, type TreeNode } from '../tree/node.ts'
import { encodePath, MAX_PATH } from '../tree/paths.ts'

/** Where the objects come from. */
export interface ObjectSource {
  /** Bytes that hash to the id, or why there are none. */
  read(kind: ObjectKind, id: ObjectId): Uint8Array | string
  /** What is known of an object without reading it; undefined: it is nowhere. */
  find(id: Buffer): { readonly raw: number; readonly type: number } | undefined
}

/** Something that a version needs and does not have. */
export interface Loss {
  /** One path, or a range of them (`after "a" up to "z"`); empty: all. */
  readonly path: string
  /** Files that are affected, as far as is known. */
  readonly files: number
  readonly kind: ObjectKind
  readonly id: ObjectId
  /** For a chunk: the recipe it stands in, if it is not the whole file. */
  readonly recipe?: ObjectId
  readonly reason: string
}

export interface TreeTotals {
  readonly files: number
  readonly bytes: number
  /** Not all of the tree is there, which is excused: there is more than was counted. */
  readonly isCut?: boolean
}

interface Passed extends TreeTotals {
  readonly keys: string
}

/** Bytes for what was found whole; beyond that, everything is forgotten and found out anew. */
const MOST_REMEMBERED = 64 << 20
/** What a row costs beside its texts. */
const ROW_BYTES = 200

export class TreeCheck {
  nodes = 0
  objects = 0
  /** How often something was nowhere, and excused; once for each node that names it. */
  excused = 0
  readonly #isExcused: (id: Buffer) => boolean
  readonly #source: ObjectSource
  readonly #passed = new Map<string, Passed>()
  readonly #recipes = new Set<string>()
  #remembered = 0
  #onLoss: (loss: Loss) => void = () => {}
  #losses = 0
  #keys = new KeyChain()

  /** @param isExcused whether it is no loss that an object is nowhere: then it was not fetched */
  constructor(source: ObjectSource, isExcused: (id: Buffer) => boolean = () => false) {
    this.#source = source
    this.#isExcused = isExcused
  }

  /** Checks one tree. Returns its totals where it is whole, else undefined: what is amiss goes to `onLoss`. */
  check(root: ObjectId, onLoss: (loss: Loss) => void): TreeTotals | undefined {
    this.#onLoss = onLoss
    this.#losses = 0
    this.#keys = new KeyChain()
    const totals = this.#walk(root, { last: true, root: true })
    return this.#losses === 0 ? totals : undefined
  }

  #walk(id: ObjectId, place: Place): TreeTotals {
    const before = this.#keys.save()
    const key = `${id}${place.last ? 'l' : ''}${place.root ? 'r' : place.level} ${before}`
    const known = this.#passed.get(key)
    if (known !== undefined) {
      this.#keys.restore(known.keys)
      return known
    }
    const losses = this.#losses
    const totals = this.#enter(id, place)
    if (this.#losses === losses) this.#remember(key, { ...totals, keys: this.#keys.save() })
    return totals
  }

  #enter(id: ObjectId, place: Place): TreeTotals {
    const after = this.#keys.key.toString('utf8', 0, this.#keys.length)
    const node = this.#node(id, place)
    if (typeof node === 'string' && this.#excuse(Buffer.from(id, 'hex'))) {
      if (place.key !== undefined) this.#stepTo(place.key)
      return CUT
    }
    if (typeof node === 'string') {
      this.#lose({ path: rangeOf(after, place), files: 1, kind: NODE, id, reason: node })
      if (place.key !== undefined) this.#stepTo(place.key)
      return NOTHING
    }
    return isLeaf(node)
      ? this.#checkEntries(node.entries)
      : this.#checkChildren(node.children, node.level, place)
  }

  #node(id: ObjectId, { last, root = false, level }: Place): TreeNode | string {
    const bytes = this.#source.read(NODE, id)
    if (typeof bytes === 'string') return bytes
    this.nodes++
    const before = this.#keys.copy()
    const keys = bytes[0] === 0 ? this.#keys : this.#keys.copy()
    try {
      const node = decodeNode(bytes, { last, root, keys, id })
      if (level === undefined || node.level === level) return node
      this.#keys = before
      return `node "${id}" is of level ${node.level}, not ${level}`
    } catch (error) {
      if (!(error instanceof ArtifactsError) || error.code !== 'ERR_DAMAGED') throw error
      this.#keys = before
      return error.message
    }
  }

  #checkChildren(children: readonly Child[], level: number, place: Place): TreeTotals {
    let files = 0
    let bytes = 0
    let isCut = false
    for (const [index, { id, key }] of children.entries()) {
      const last = place.last && index === children.length - 1
      const losses = this.#losses
      const totals = this.#walk(id, { last, level: level - 1, key })
      files += totals.files
      bytes += totals.bytes
      isCut ||= totals.isCut === true
      if (this.#losses > losses || this.#endsWith(key)) continue
      const reason = `node "${id}" ends with another key than the one above it says`
      this.#lose({ path: key, files: 1, kind: NODE, id, reason })
      this.#stepTo(key)
    }
    return isCut ? { files, bytes, isCut } : { files, bytes }
  }

  #checkEntries(entries: readonly Entry[]): TreeTotals {
    let files = 0
    let bytes = 0
    for (const entry of entries) {
      if (entry.kind !== 'directory') files++
      bytes += entrySize(entry)
      if (entry.kind === 'file') this.#checkFile(entry)
    }
    return { files, bytes }
  }

  #checkFile({ path, size, content }: FileEntry): void {
    if (content.kind === 'inline') return
    const reason =
      content.kind === 'chunk'
        ? this.#missing(Buffer.from(content.id, 'hex'), size)
        : this.#checkRecipe(path, content.id, size)
    if (reason !== undefined) {
      const kind = content.kind === 'chunk' ? CHUNK : RECIPE
      this.#lose({ path, files: 1, kind, id: content.id, reason })
    }
  }

  /** Why the chunk can't be had; undefined where it can. */
  #missing(id: Buffer, size: number): string | undefined {
    this.objects++
    const found = this.#source.find(id)
    const name = (): string => `chunk "${id.toString('hex')}"`
    if (found === undefined && this.#excuse(id)) return undefined
    if (found === undefined) return `${name()} is in no pack that can be read`
    if (kindOf(found.type) === CHUNK) {
      return found.raw === size ? undefined : `${name()} has ${found.raw} bytes, not ${size}`
    }
    // A file can hold the very bytes of a node with its prefix: then the node's record stands for the file's chunk.
    const bytes = this.#source.read(CHUNK, id.toString('hex') as ObjectId)
    return typeof bytes === 'string' || bytes.length === size ? undefined : `${name()} is no chunk`
  }

  /** Reports what is lost of a recipe's chunks; returns why the recipe itself can't be had. */
  #checkRecipe(path: string, id: ObjectId, size: number): string | undefined {
    const key = `${id}${size}`
    if (this.#recipes.has(key)) return undefined
    const recipe = this.#recipe(id)
    if (typeof recipe === 'string') return this.#excuse(Buffer.from(id, 'hex')) ? undefined : recipe
    if (recipe.size !== size) return `recipe "${id}" is that of ${recipe.size} bytes, not ${size}`
    const losses = this.#losses
    for (const pieces of recipe.pieces) {
      for (const [index, length] of pieces.lengths.entries()) {
        const chunk = pieces.ids.subarray(index * ID_BYTES, (index + 1) * ID_BYTES)
        const reason = this.#missing(chunk, length)
        if (reason === undefined) continue
        const files = this.#losses === losses ? 1 : 0
        this.#lose({ path, files, kind: CHUNK, id: hex(chunk), recipe: id, reason })
      }
    }
    if (this.#losses === losses) this.#rememberRecipe(key)
    return undefined
  }

  /** A recipe's chunks, part by part; or why they can't be known. */
  #recipe(id: ObjectId): { size: number; pieces: readonly Pieces[] } | string {
    const name = `recipe "${id}"`
    try {
      const bytes = this.#source.read(RECIPE, id)
      if (typeof bytes === 'string') return bytes
      this.objects++
      const recipe = decodeRecipe(bytes, name)
      if (recipe.of === 'part') return `${name} is that of a part of a file`
      if (recipe.of === 'chunks') return { size: recipe.size, pieces: [recipe] }
      const pieces: Pieces[] = []
      for (let index = 0; index < recipe.lengths.length; index++) {
        const partId = hex(recipe.ids.subarray(index * ID_BYTES, (index + 1) * ID_BYTES))
        const part = this.#source.read(RECIPE, partId)
        if (typeof part === 'string' && this.#excuse(Buffer.from(partId, 'hex'))) continue
        if (typeof part === 'string') return part
        this.objects++
        pieces.push(decodePart(part, recipe, index, `recipe "${partId}"`))
      }
      return { size: recipe.size, pieces }
    } catch (error) {
      if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return error.message
      throw error
    }
  }

  #excuse(id: Buffer): boolean {
    if (!this.#isExcused(id)) return false
    this.excused++
    return true
  }

  #lose(loss: Loss): void {
    this.#losses++
    this.#onLoss(loss)
  }

  #endsWith(key: string): boolean {
    return this.#keys.equals(scratch, encodePath(key, scratch))
  }

  /** Goes on behind a key whose node can't be read. */
  #stepTo(key: string): void {
    const length = encodePath(key, scratch)
    if (!this.#keys.equals(scratch, length)) this.#keys.next(scratch, 0, length, 0)
  }

  #remember(key: string, passed: Passed): void {
    this.#makeRoom(key.length + passed.keys.length)
    this.#passed.set(key, passed)
  }

  #rememberRecipe(key: string): void {
    this.#makeRoom(key.length)
    this.#recipes.add(key)
  }

  #makeRoom(bytes: number): void {
    this.#remembered += bytes + ROW_BYTES
    if (this.#remembered < MOST_REMEMBERED) return
    this.#passed.clear()
    this.#recipes.clear()
    this.#remembered = bytes + ROW_BYTES
  }
}

interface Place {
  /** Whether the node is the last of its level. */
  readonly last: boolean
  readonly root?: boolean
  /** What the node above says; nothing for a root. */
  readonly level?: number
  readonly key?: string
}

const NOTHING: TreeTotals = { files: 0, bytes: 0 }
const CUT: TreeTotals = { files: 0, bytes: 0, isCut: true }
const scratch = Buffer.allocUnsafe(MAX_PATH)

function rangeOf(after: string, { root, last, key }: Place): string {
  if (root === true) return ''
  const end = last || key === undefined ? 'on' : `up to ${JSON.stringify(key)}`
  return after === '' ? `(everything ${end})` : `(behind ${JSON.stringify(after)} ${end})`
}

function hex(id: Buffer): ObjectId {
  return id.toString('hex') as ObjectId
}
