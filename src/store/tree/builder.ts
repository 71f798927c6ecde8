/**
 * Builds a tree in one pass over entries in ascending order. Each level has one node in memory; a level comes into
 * being with the second node of the level below, because a level of one node is the root and has none above it.
 */

import { ArtifactsError } from '../../errors.ts'
import type { Entry, EntryPath, ObjectId } from '../../types.ts'
import { NODE, objectId } from '../object/id.ts'
import { MAX_LEVELS } from './boundary.ts'
import { entrySize } from './entry.ts'
import type { Child } from './node.ts'
import { NodeWriter } from './node-writer.ts'

/** Receives every node as it ends, children before parents; a leaf together with its entries. */
export type EmitNode = (
  id: ObjectId,
  bytes: Buffer,
  level: number,
  entries: readonly Entry[] | undefined,
) => void

export interface BuiltTree {
  readonly root: ObjectId
  /** Entries other than directories. */
  readonly files: number
  /** Sum of the sizes of all entries. */
  readonly bytes: number
  /** Nodes emitted. */
  readonly nodes: number
}

interface Level {
  readonly writer: NodeWriter
  /** Nodes that have ended. */
  nodes: number
  /** The first of them, held back until there is a second. */
  first: Child | undefined
  lastKey: EntryPath | undefined
}

export class TreeBuilder {
  readonly #emit: EmitNode
  readonly #levels: Level[] = [newLevel(0)]
  #entries: Entry[] = []
  #files = 0
  #bytes = 0
  #nodes = 0

  constructor(emit: EmitNode) {
    this.#emit = emit
  }

  /**
   * Adds the next entry. After an error the builder is of no more use.
   * @throws ArtifactsError `ERR_INVALID_PATH` when the path breaks a rule or lies below an earlier entry,
   * `ERR_UNSUPPORTED` when no node can hold the entry. One that does not come after the one before is an `Error`.
   */
  add(entry: Entry): void {
    const level = this.#level(0)
    const ended = level.writer.addEntry(entry)
    level.lastKey = entry.path
    this.#entries.push(entry)
    this.#bytes += entrySize(entry)
    if (entry.kind !== 'directory') this.#files++
    if (ended) this.#endNode(0)
  }

  /** Ends the last node of every level and returns what was built. Nothing can be added after this. */
  finish(): BuiltTree {
    return {
      root: this.#finishLevels(),
      files: this.#files,
      bytes: this.#bytes,
      nodes: this.#nodes,
    }
  }

  #finishLevels(): ObjectId {
    if (this.#level(0).lastKey === undefined) return this.#write(0)
    for (let n = 0; ; n++) {
      const level = this.#level(n)
      if (level.writer.count > 0) this.#endNode(n)
      if (level.nodes === 1 && level.first !== undefined) return level.first.id
    }
  }

  #endNode(n: number): void {
    const level = this.#level(n)
    const child = { key: level.lastKey as EntryPath, id: this.#write(n) }
    level.nodes++
    if (level.first === undefined) {
      level.first = child
      return
    }
    if (level.nodes === 2) this.#addChild(n + 1, level.first)
    this.#addChild(n + 1, child)
  }

  #addChild(n: number, child: Child): void {
    const level = this.#level(n)
    const ended = level.writer.addChild(child.key, child.id)
    level.lastKey = child.key
    if (ended) this.#endNode(n)
  }

  #write(n: number): ObjectId {
    const bytes = this.#level(n).writer.take()
    const id = objectId(NODE, bytes)
    this.#nodes++
    this.#emit(id, bytes, n, n === 0 ? this.#entries : undefined)
    if (n === 0) this.#entries = []
    return id
  }

  #level(n: number): Level {
    if (n >= MAX_LEVELS) {
      throw new ArtifactsError(
        'ERR_UNSUPPORTED',
        `these paths need a tree of more than ${MAX_LEVELS} levels`,
      )
    }
    const level = this.#levels[n] ?? newLevel(n)
    this.#levels[n] = level
    return level
  }
}

function newLevel(n: number): Level {
  return { writer: new NodeWriter(n), nodes: 0, first: undefined, lastKey: undefined }
}
