/** Trees in memory, and random entries whose trees have several levels although they are small. */

import fc from 'fast-check'
import { type BuiltTree, TreeBuilder } from '../../../src/store/tree/builder.ts'
import type { ReadNode } from '../../../src/store/tree/cursor.ts'
import { checkPath } from '../../../src/store/tree/paths.ts'
import type {
  DirectoryEntry,
  Entry,
  EntryPath,
  FileEntry,
  ObjectId,
  ReferenceEntry,
  SymlinkEntry,
} from '../../../src/types.ts'
import { findKey, sha256 } from './plain-tree.ts'

/** A place for nodes that counts how many are read. */
export class Nodes {
  readonly map = new Map<ObjectId, Uint8Array>()
  reads = 0

  readonly read: ReadNode = (id) => {
    this.reads++
    const bytes = this.map.get(id)
    if (bytes === undefined) throw new Error(`no node ${id}`)
    return bytes
  }

  /** Builds the tree of entries in ascending order. */
  build(entries: Iterable<Entry>): BuiltTree {
    const builder = new TreeBuilder((id, bytes) => this.map.set(id, bytes))
    for (const entry of entries) builder.add(entry)
    return builder.finish()
  }
}

/** A file that holds `text`, up to 64 characters of ASCII in its entry. */
export function file(path: string, text = 'text', executable = false): FileEntry {
  const bytes = new Uint8Array(Buffer.from(text))
  const content =
    bytes.length <= 64
      ? { kind: 'inline' as const, bytes }
      : { kind: 'chunk' as const, id: sha256(bytes) }
  return { kind: 'file', path: path as EntryPath, executable, size: bytes.length, content }
}

export function bigFile(path: string, size: number, text = path): FileEntry {
  const kind = size > 262_144 ? 'recipe' : 'chunk'
  const content = { kind, id: sha256(text) } as const
  return { kind: 'file', path: path as EntryPath, executable: false, size, content }
}

export function symlink(path: string, target: string): SymlinkEntry {
  return { kind: 'symlink', path: path as EntryPath, target }
}

export function directory(path: string): DirectoryEntry {
  return { kind: 'directory', path: path as EntryPath }
}

export function reference(path: string, uri: string): ReferenceEntry {
  const digest = { algo: 'etag', value: '"5"' }
  return { kind: 'reference', path: path as EntryPath, reference: { uri, digest, resolved: false } }
}

/** Orders entries by path and leaves out the later ones of equal paths, and those that lie below another. */
export function arrange(entries: readonly Entry[]): Entry[] {
  const byPath = new Map<string, Entry>()
  for (const entry of [...entries].sort(byBytes)) {
    const parts = entry.path.split('/')
    const above = parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'))
    if (![...above, entry.path].some((path) => byPath.has(path))) byPath.set(entry.path, entry)
  }
  return [...byPath.values()]
}

/** 31 entries of 4,096 plain bytes each and one of `last`, at none of which a node has a natural end. */
export function heavy(last: number): Entry[] {
  return [...Array(31).fill(4096), last].map((size, i) => {
    const path = findKey(`${String(i).padStart(2, '0')}.`, [])
    return symlink(path, 't'.repeat(size - 5 - path.length))
  })
}

function byBytes(a: Entry, b: Entry): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))
}

const plainNames = [
  'a',
  'a.b',
  'a-',
  'b',
  'é',
  '\uffee',
  '\u{10000}',
  'a b',
  'sub',
  'image-0001.jpg',
]
const endingNames = Array.from({ length: 40 }, (_, i) => findKey(`e${i}.`, [0]))
const doubleEndingNames = Array.from({ length: 8 }, (_, i) => findKey(`m${i}.`, [0, 1]))

const anyPath: fc.Arbitrary<EntryPath> = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.array(fc.constantFrom(...plainNames), { minLength: 1, maxLength: 4 }),
    },
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...endingNames)) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...doubleEndingNames)) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('n'), fc.nat(300).map(String)) },
  )
  .map((parts) => checkPath(parts.join('/')))

const anyText = fc.string({ maxLength: 12 })

export const anyEntry: fc.Arbitrary<Entry> = fc
  .tuple(anyPath, fc.nat(9), anyText, fc.boolean(), fc.nat(2 ** 40))
  .map(([path, kind, text, executable, number]): Entry => {
    if (kind < 4) return { ...file(path, text), executable }
    if (kind < 6) return { ...bigFile(path, 65 + (number % 262_080), text), executable }
    if (kind < 7) return { ...bigFile(path, 262_145 + number, text), executable }
    if (kind < 8) return symlink(path, `../${text.replaceAll('\0', '')}`)
    if (kind < 9) return directory(path)
    return reference(path, `s3://bucket/${text}`)
  })

/** Entries in ascending order, none below another. */
export const anyEntries: fc.Arbitrary<Entry[]> = fc
  .array(anyEntry, { maxLength: 120, size: 'max' })
  .map(arrange)
