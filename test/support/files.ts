import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * What is at a path: a file by its content, with `mode` if that matters; a symlink; null for a directory with nothing
 * in it.
 */
export type Item =
  | string
  | Uint8Array
  | { readonly content: string | Uint8Array; readonly mode: number }
  | { readonly symlink: string }
  | null

/** Paths with `/`, relative to some directory. */
export type Tree = Readonly<Record<string, Item>>

/** Makes these files in `directory`, which is made if missing; files that exist are replaced. */
export function writeTree(directory: string, tree: Tree): void {
  fs.mkdirSync(directory, { recursive: true })
  for (const [path, item] of Object.entries(tree)) writeItem(join(directory, path), item)
}

function writeItem(path: string, item: Item): void {
  if (item === null) {
    fs.mkdirSync(path, { recursive: true })
    return
  }
  fs.mkdirSync(dirname(path), { recursive: true })
  if (isContent(item)) fs.writeFileSync(path, item)
  else if ('symlink' in item) fs.symlinkSync(item.symlink, path)
  else {
    fs.writeFileSync(path, item.content)
    fs.chmodSync(path, item.mode)
  }
}

/**
 * What is below `directory`, by path in byte order, to be compared by one `assert.equal`: text as it is, other or longer
 * content as hash and size, executable files as `{ content, mode: 0o755 }`. Takes no notice of `.artifacts` at the top.
 */
export function readTree(directory: string): Record<string, Item> {
  const tree: Record<string, Item> = {}
  for (const name of fs.readdirSync(directory)) {
    if (name !== '.artifacts') readInto(tree, join(directory, name), name)
  }
  return sorted(tree)
}

function readInto(tree: Record<string, Item>, file: string, path: string): void {
  const stat = fs.lstatSync(file)
  if (stat.isSymbolicLink()) tree[path] = { symlink: fs.readlinkSync(file) }
  else if (stat.isDirectory()) {
    const names = fs.readdirSync(file)
    if (names.length === 0) tree[path] = null
    for (const name of names) readInto(tree, join(file, name), `${path}/${name}`)
  } else if (stat.isFile()) {
    const content = shown(fs.readFileSync(file))
    tree[path] = (stat.mode & 0o100) === 0 ? content : { content, mode: 0o755 }
  } else throw new Error(`"${file}" is neither file, symlink nor directory`)
}

/** How `readTree` shows a tree that was written by `writeTree`. */
export function shownTree(tree: Tree): Record<string, Item> {
  const all: Record<string, Item> = {}
  for (const [path, item] of Object.entries(tree)) {
    if (item === null || (!isContent(item) && 'symlink' in item)) all[path] = item
    else if (isContent(item)) all[path] = shown(Buffer.from(item))
    else {
      const content = shown(Buffer.from(item.content))
      all[path] = (item.mode & 0o100) === 0 ? content : { content, mode: 0o755 }
    }
  }
  return sorted(all)
}

function isContent(item: Item): item is string | Uint8Array {
  return typeof item === 'string' || item instanceof Uint8Array
}

/** A failed comparison prints both sides. */
const SHOWN_BYTES = 4096

function shown(content: Buffer): string {
  if (content.length <= SHOWN_BYTES) {
    const text = content.toString('utf8')
    if (Buffer.from(text).equals(content)) return text
  }
  return `sha256:${createHash('sha256').update(content).digest('hex')} (${content.length} bytes)`
}

function sorted(tree: Record<string, Item>): Record<string, Item> {
  const byBytes = ([a]: [string, Item], [b]: [string, Item]): number =>
    Buffer.compare(Buffer.from(a), Buffer.from(b))
  return Object.fromEntries(Object.entries(tree).sort(byBytes))
}
