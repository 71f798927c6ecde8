/**
 * The tree of docs/format.md section 5 once more, written the slow and obvious way: what the real one is compared
 * with, and what hostile nodes are made with.
 */

import { createHash } from 'node:crypto'
import xxhash from 'xxhash-wasm'
import type { Entry, ObjectId } from '../../../src/types.ts'

export interface Item {
  readonly key: string | Buffer
  readonly content: Buffer
  /** Instead of what the key before gives. */
  readonly shared?: number
}

const { h32Raw } = await xxhash()

export function sha256(text: string | Uint8Array): ObjectId {
  return createHash('sha256').update(text).digest('hex') as ObjectId
}

export function nodeId(bytes: Uint8Array): ObjectId {
  return sha256(Buffer.concat([Buffer.from('artifacts.node\0'), bytes]))
}

export function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest >= 128n; rest /= 128n) bytes.push(Number(rest % 128n) + 128)
  return Buffer.from([...bytes, Number(rest)])
}

export function naturalEnd(key: string | Buffer, level: number): boolean {
  return h32Raw(Buffer.from(key as string), level) % 512 === 0
}

/** Returns a key that begins with `start` and at which nodes of exactly the `wanted` levels (of 0 and 1) end. */
export function findKey(start: string, wanted: readonly number[]): string {
  for (let i = 0; ; i++) {
    const key = `${start}${i.toString(36)}`
    if ([0, 1].every((level) => naturalEnd(key, level) === wanted.includes(level))) return key
  }
}

export function encodeNode(level: number, items: readonly Item[], count = items.length): Buffer {
  let before = Buffer.alloc(0)
  const parts = [Buffer.from([level]), varint(count)]
  for (const item of items) {
    const key = Buffer.from(item.key as string)
    const shared = item.shared ?? commonPrefix(before, key)
    const suffix = key.subarray(shared)
    parts.push(varint(shared), varint(suffix.length), suffix, item.content)
    before = key
  }
  return Buffer.concat(parts)
}

export function itemOf(entry: Entry): Item {
  return { key: entry.path, content: contentOf(entry) }
}

/** Returns the root and every node of the tree of these entries. */
export function plainTree(entries: readonly Entry[]): {
  root: ObjectId
  nodes: Map<ObjectId, Buffer>
} {
  const nodes = new Map<ObjectId, Buffer>()
  let items = entries
    .map(itemOf)
    .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  for (let level = 0; ; level++) {
    const above: Item[] = []
    for (const node of cut(items, level)) {
      const bytes = encodeNode(level, node)
      nodes.set(nodeId(bytes), bytes)
      above.push({ key: node.at(-1)?.key ?? '', content: Buffer.from(nodeId(bytes), 'hex') })
    }
    items = above
    if (items.length === 1) return { root: [...nodes.keys()].at(-1) as ObjectId, nodes }
  }
}

function cut(items: readonly Item[], level: number): Item[][] {
  const nodes: Item[][] = [[]]
  let plain = 0
  for (const [i, item] of items.entries()) {
    const length = Buffer.byteLength(item.key)
    plain += 1 + varint(length).length + length + item.content.length
    nodes.at(-1)?.push(item)
    if ((plain >= 131_072 || naturalEnd(item.key, level)) && i < items.length - 1) {
      nodes.push([])
      plain = 0
    }
  }
  return nodes
}

function contentOf(entry: Entry): Buffer {
  if (entry.kind === 'directory') return Buffer.from([4])
  if (entry.kind === 'symlink') return Buffer.concat([Buffer.from([3]), text(entry.target)])
  if (entry.kind === 'reference') {
    const { digest, etag, resolved, size, uri, versionId } = entry.reference
    const { algo, value } = digest
    const json = JSON.stringify({ digest: { algo, value }, etag, resolved, size, uri, versionId })
    return Buffer.concat([Buffer.from([5]), text(json)])
  }
  const { content, size } = entry
  const kind = ['inline', 'chunk', 'recipe'].indexOf(content.kind) + (entry.executable ? 128 : 0)
  const rest = content.kind === 'inline' ? content.bytes : Buffer.from(content.id, 'hex')
  return Buffer.concat([Buffer.from([kind]), varint(size), rest])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([varint(bytes.length), bytes])
}

function commonPrefix(a: Buffer, b: Buffer): number {
  let same = 0
  while (same < Math.min(a.length, b.length) && a[same] === b[same]) same++
  return same
}
