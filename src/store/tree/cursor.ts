/**
 * Reads trees. A cursor stands before one item of one node: an entry, or a node of a lower level that it can enter or
 * step over unread. Nodes come from `read`, which vouches for their ids and for nothing else: the cursor checks that
 * levels fall by one, that a child's last key is the one its parent gives, that keys grow from node to node, and that
 * only the last node of a level ends early. What it cannot see are the insides of nodes that it steps over.
 */

import { damaged } from '../../errors.ts'
import type { Entry, EntryPath, ObjectId } from '../../types.ts'
import { KeyChain } from './key-chain.ts'
import { type Child, decodeNode, isLeaf, type TreeNode } from './node.ts'
import { comparePaths, encodePath, MAX_PATH } from './paths.ts'

/** Returns the bytes of the node with this id, verified. */
export type ReadNode = (id: ObjectId) => Uint8Array

export interface EntryRange {
  /** Only paths that begin with this text; `data/` gives everything below `data`. */
  readonly prefix?: string
  /** Only paths behind this one. */
  readonly after?: string
}

/** Returns the entries of a tree in path order. Nodes outside the range are not read. */
export function* entries(read: ReadNode, root: ObjectId, range: EntryRange = {}): Generator<Entry> {
  const { prefix = '', after = '' } = range
  const cursor = new TreeCursor(read, root)
  cursor.seek(comparePaths(prefix, after) > 0 ? prefix : after)
  while (!cursor.done) {
    if (cursor.level > 0) {
      cursor.enter()
      continue
    }
    const entry = cursor.entry
    if (!entry.path.startsWith(prefix)) return
    if (entry.path !== after) yield entry
    cursor.next()
  }
}

/** Returns the entry at exactly this path. */
export function lookup(read: ReadNode, root: ObjectId, path: string): Entry | undefined {
  const cursor = new TreeCursor(read, root)
  cursor.seek(path)
  return !cursor.done && cursor.entry.path === path ? cursor.entry : undefined
}

/** Returns the ids of all leaves in path order, reading only what lies above them. */
export function* leafIds(read: ReadNode, root: ObjectId): Generator<ObjectId> {
  const cursor = new TreeCursor(read, root)
  if (cursor.rootLevel === 0) yield root
  while (cursor.level > 0) {
    if (cursor.level > 1) {
      cursor.enter()
      continue
    }
    yield cursor.child.id
    cursor.next()
  }
}

/** Returns the ids of all nodes, parents before children, reading only what lies above the leaves. */
export function* nodeIds(read: ReadNode, root: ObjectId): Generator<ObjectId> {
  const cursor = new TreeCursor(read, root)
  yield root
  while (cursor.level > 0) {
    yield cursor.child.id
    if (cursor.level > 1) cursor.enter()
    else cursor.next()
  }
}

interface Frame {
  readonly id: ObjectId
  /** What came before it, where places are kept. */
  readonly before: string
  readonly node: TreeNode
  readonly items: readonly (Entry | Child)[]
  /** Whether the node is the last of its level. */
  readonly last: boolean
  index: number
}

export class TreeCursor {
  readonly rootLevel: number
  readonly #read: ReadNode
  /** Everything up to the newest leaf that was read or the newest node that was stepped over. */
  readonly #keys = new KeyChain()
  readonly #keepsPlaces: boolean
  readonly #frames: Frame[] = []
  #top: Frame | undefined

  /** @param options `places`: whether `placeOf` will be asked. */
  constructor(read: ReadNode, root: ObjectId, options: { readonly places?: boolean } = {}) {
    this.#read = read
    this.#keepsPlaces = options.places ?? false
    this.rootLevel = this.#open(root, true).node.level
    this.#leaveEnded()
  }

  get done(): boolean {
    return this.#top === undefined
  }

  /** Level of the node that the cursor stands in: 0 before an entry, more before a node, −1 when done. */
  get level(): number {
    return this.#top === undefined ? -1 : this.#top.node.level
  }

  /** The entry it stands before, at level 0. */
  get entry(): Entry {
    return this.#item() as Entry
  }

  /** The node it stands before, above level 0. */
  get child(): Child {
    return this.#item() as Child
  }

  /** Steps into the node it stands before. */
  enter(): void {
    const above = this.#frame()
    const child = this.child
    const last = above.last && above.index === above.items.length - 1
    const { node, items } = this.#open(child.id, last)
    if (node.level !== above.node.level - 1) throw misfit(child.id, 'it is of another level')
    if (keyOf(items[items.length - 1]) !== child.key)
      throw misfit(child.id, 'its last key is another')
  }

  /** Steps over what it stands before. */
  next(): void {
    const top = this.#frame()
    if (top.node.level > 0) this.#pass(this.child)
    top.index++
    this.#leaveEnded()
  }

  /** Steps forward to the first entry whose path is not before `path`. */
  seek(path: string): void {
    while (!this.done) {
      const before = comparePaths(keyOf(this.#item()) ?? '', path) < 0
      if (before) this.next()
      else if (this.level > 0) this.enter()
      else return
    }
  }

  /** Whether `starts` has anything to return. */
  get atStart(): boolean {
    return this.#top !== undefined && (this.#top.index === 0 || this.#top.node.level > 0)
  }

  /** Ids of the nodes at whose very beginning the cursor stands, entered or not, from the top down. */
  starts(): ObjectId[] {
    const ids = this.level > 0 ? [this.child.id] : []
    for (let n = this.#frames.length - 1; this.#frames[n]?.index === 0; n--) {
      ids.unshift((this.#frames[n] as Frame).id)
    }
    return ids
  }

  /**
   * All that decides whether one of the nodes that `starts` returned may stand where it does, apart from its bytes: its
   * level, whether it is the last one, with which key it ends, and what came before.
   */
  placeOf(id: ObjectId): string {
    const top = this.#frame()
    if (this.level > 0 && this.child.id === id) {
      const last = top.last && top.index === top.items.length - 1
      return `${top.node.level - 1} ${last} ${this.#keys.save()} ${this.child.key}`
    }
    const { node, last, before, items } = this.#frames.find((frame) => frame.id === id) ?? top
    return `${node.level} ${last} ${before} ${keyOf(items.at(-1)) ?? ''}`
  }

  /** Steps over one of the nodes that `starts` returned. */
  stepOver(id: ObjectId): void {
    while (this.level <= 0 || this.child.id !== id) {
      this.#frames.pop()
      this.#top = this.#frames.at(-1)
      if (this.#top === undefined) return
    }
    this.next()
  }

  #open(id: ObjectId, last: boolean): Frame {
    const bytes = this.#read(id)
    const before = this.#keepsPlaces ? this.#keys.save() : ''
    const keys = bytes[0] === 0 ? this.#keys : this.#keys.copy()
    const node = decodeNode(bytes, { last, root: this.#frames.length === 0, keys, id })
    const items = isLeaf(node) ? node.entries : node.children
    const frame = { id, before, node, items, last, index: 0 }
    this.#frames.push(frame)
    this.#top = frame
    return frame
  }

  #pass(child: Child): void {
    const length = encodePath(child.key, scratch)
    if (this.#keys.equals(scratch, length)) return
    if (this.#keys.next(scratch, 0, length, 0) < 0) {
      throw misfit(child.id, 'its last key lies before or below another that came before')
    }
  }

  #leaveEnded(): void {
    while (this.#top !== undefined && this.#top.index === this.#top.items.length) {
      this.#frames.pop()
      this.#top = this.#frames.at(-1)
      if (this.#top !== undefined) this.#top.index++
    }
  }

  #item(): Entry | Child {
    const { items, index } = this.#frame()
    return items[index] as Entry | Child
  }

  #frame(): Frame {
    if (this.#top === undefined) throw new Error('the cursor is behind the last entry')
    return this.#top
  }
}

const scratch = Buffer.allocUnsafe(MAX_PATH)

function keyOf(item: Entry | Child | undefined): EntryPath | undefined {
  return item === undefined ? undefined : 'path' in item ? item.path : item.key
}

function misfit(id: ObjectId, reason: string): Error {
  return damaged(`node "${id}" does not belong where it stands: ${reason}`)
}
