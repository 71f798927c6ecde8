/** Writes the nodes of one level, item by item, into one buffer, and knows where each of them has to end. */

import { ArtifactsError } from '../../errors.ts'
import type { Entry, ObjectId } from '../../types.ts'
import { endsNaturally, PLAIN_LIMIT } from './boundary.ts'
import { varintLength, writeVarint } from './bytes.ts'
import { MAX_CONTENT, putId, writeContent } from './entry.ts'
import { BELOW_ENTRY, KeyChain } from './key-chain.ts'
import { plainLength } from './node.ts'
import { encodePath, MAX_PATH, quotePath } from './paths.ts'

/** Room for the level and the longest count. */
const HEADER = 4
/** A node stops growing with the item that crosses the limit; no item is longer than its plain length. */
const CAPACITY = HEADER + PLAIN_LIMIT + plainLength(MAX_PATH, MAX_CONTENT)

export class NodeWriter {
  readonly #level: number
  readonly #buffer: Buffer = Buffer.allocUnsafe(CAPACITY)
  readonly #keys = new KeyChain()
  #end = HEADER
  #count = 0
  #plain = 0

  constructor(level: number) {
    this.#level = level
  }

  /** Items in the node that is being written. */
  get count(): number {
    return this.#count
  }

  /** Adds an entry to a node of level 0; true when the node ends with it. */
  addEntry(entry: Entry): boolean {
    const at = this.#addKey(entry.path)
    return this.#finishItem(at, writeContent(entry, this.#buffer, at))
  }

  /** Adds a node of the level below, with its last key; true when the node ends with it. */
  addChild(key: string, id: ObjectId): boolean {
    const at = this.#addKey(key)
    return this.#finishItem(at, putId(id, this.#buffer, at))
  }

  /** Ends the node and returns its bytes in a buffer of their own. */
  take(): Buffer {
    const start = HEADER - 1 - varintLength(this.#count)
    this.#buffer[start] = this.#level
    writeVarint(this.#buffer, start + 1, this.#count)
    const bytes = Buffer.from(this.#buffer.subarray(start, this.#end))
    this.#end = HEADER
    this.#count = 0
    this.#plain = 0
    return bytes
  }

  #addKey(path: string): number {
    const length = encodePath(path, scratch)
    const same = this.#keys.next(scratch, 0, length, 0)
    if (same < 0) throw this.#misplaced(path, same)
    const shared = this.#count === 0 ? 0 : same
    let at = writeVarint(this.#buffer, this.#end, shared)
    at = writeVarint(this.#buffer, at, length - shared)
    scratch.copy(this.#buffer, at, shared, length)
    return at + length - shared
  }

  #finishItem(contentAt: number, end: number): boolean {
    this.#end = end
    this.#count++
    this.#plain += plainLength(this.#keys.length, end - contentAt)
    return (
      this.#plain >= PLAIN_LIMIT || endsNaturally(this.#keys.key, this.#keys.length, this.#level)
    )
  }

  #misplaced(path: string, fault: number): Error {
    const keys = this.#keys
    if (fault === BELOW_ENTRY) {
      const above = quotePath(keys.key.toString('utf8', 0, keys.entryLength))
      return new ArtifactsError(
        'ERR_INVALID_PATH',
        `path ${quotePath(path)} cannot be stored: it lies below ${above}, which is an entry itself`,
        { data: { path, rule: 'it lies below another entry' } },
      )
    }
    const before = quotePath(keys.key.toString('utf8', 0, keys.length))
    return new Error(`entries must ascend: ${quotePath(path)} was added after ${before}`)
  }
}

/** Keys are written here first; nothing else runs between writing and use. */
const scratch = Buffer.allocUnsafe(MAX_PATH)
