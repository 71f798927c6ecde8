/**
 * Nodes as they are read (docs/format.md section 5). A node has exactly one spelling: every freedom that the encoding
 * would leave (prefixes, integers, order, where it ends) is refused, so that equal entries always have equal ids.
 */

import type { Entry, EntryPath, ObjectId } from '../../types.ts'
import { endsNaturally, MAX_LEVELS, PLAIN_LIMIT } from './boundary.ts'
import { ByteReader, varintLength } from './bytes.ts'
import { readContent, takeId } from './entry.ts'
import { BELOW_ENTRY, KeyChain } from './key-chain.ts'
import { decodePath, MAX_PATH } from './paths.ts'

export type TreeNode = LeafNode | InnerNode

export interface LeafNode {
  readonly level: 0
  readonly entries: readonly Entry[]
}

export interface InnerNode {
  /** 1 to 11; its children are of the level below. */
  readonly level: number
  readonly children: readonly Child[]
}

/** One node of the level below. */
export interface Child {
  /** The last key of everything below it. */
  readonly key: EntryPath
  readonly id: ObjectId
}

export interface DecodeOptions {
  /** Whether the node is the last of its level: only that one may end anywhere. */
  readonly last: boolean
  /** Whether it is the root: only that one may be empty, and it must not have a single child. */
  readonly root?: boolean
  /** Keys that came before the node; the node's keys are added. */
  readonly keys?: KeyChain
  /** For messages. */
  readonly id?: ObjectId
}

/** Bytes of the shortest possible item of a leaf and of an inner node. */
const SHORTEST_ENTRY = 4
const SHORTEST_CHILD = 35

/**
 * Decodes a node.
 * @throws ArtifactsError `ERR_DAMAGED` when the bytes are anything but the one encoding of a valid node.
 */
export function decodeNode(bytes: Uint8Array, options: DecodeOptions): TreeNode {
  const reader = new ByteReader(bytes, options.id === undefined ? 'node' : `node "${options.id}"`)
  const level = reader.byte()
  if (level >= MAX_LEVELS) reader.refuse(`its level is ${level}`)
  const count = reader.varint()
  checkCount(reader, level, count, options.root === true)
  const keys = options.keys ?? new KeyChain()
  const items: (Entry | Child)[] = []
  let plain = 0
  let ended = false
  for (let i = 0; i < count; i++) {
    if (ended) reader.refuse('it should have ended before its last item')
    const path = readKey(reader, keys, i === 0)
    const from = reader.at
    items.push(level === 0 ? readContent(reader, path) : { key: path, id: takeId(reader) })
    plain += plainLength(keys.length, reader.at - from)
    ended = plain >= PLAIN_LIMIT || endsNaturally(keys.key, keys.length, level)
  }
  if (reader.rest > 0) reader.refuse(`${reader.rest} bytes are left over`)
  if (!ended && !options.last) reader.refuse('it ends where it should not')
  return level === 0 ? { level, entries: items as Entry[] } : { level, children: items as Child[] }
}

export function isLeaf(node: TreeNode): node is LeafNode {
  return node.level === 0
}

/** Returns the encoded length that an item would have with its whole key: what the sizes of nodes are counted in. */
export function plainLength(keyLength: number, contentLength: number): number {
  return 1 + varintLength(keyLength) + keyLength + contentLength
}

function checkCount(reader: ByteReader, level: number, count: number, root: boolean): void {
  if (count > reader.rest / (level === 0 ? SHORTEST_ENTRY : SHORTEST_CHILD)) {
    reader.refuse(`it is too short for ${count} items`)
  }
  if (count === 0 && (level > 0 || !root)) reader.refuse('it is empty')
  if (count === 1 && level > 0 && root) reader.refuse('it is a root with a single child')
}

function readKey(reader: ByteReader, keys: KeyChain, first: boolean): EntryPath {
  const shared = reader.varint()
  const length = reader.varint()
  if (shared > (first ? 0 : keys.length)) reader.refuse('a key shares more than there is')
  if (length > MAX_PATH - shared) reader.refuse('a key is too long')
  const at = reader.skip(length)
  const same = keys.next(reader.bytes, at, length, shared)
  if (same === BELOW_ENTRY) reader.refuse('a path lies below another entry')
  if (same < 0) reader.refuse('its keys do not grow')
  if (same !== shared && !first) reader.refuse('a key shares less than it could')
  const decoded = decodePath(keys.key, keys.length, same)
  if ('fault' in decoded) reader.refuse(`a path cannot be: ${decoded.fault}`)
  return decoded.path
}
