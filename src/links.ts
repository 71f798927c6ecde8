/**
 * The files of a version as a program sees them that follows symbolic links: a link to a file is that file under
 * another path, one to a directory is all that is below it. Links are followed inside the version only.
 */
import { ArtifactsError } from './errors.ts'
import { entries, lookup, type ReadNode } from './store/tree/cursor.ts'
import { comparePaths } from './store/tree/paths.ts'
import type { FileEntry, ObjectId, ReferenceEntry, SymlinkEntry } from './types.ts'

/** A file or reference and the path that it is seen at. */
export interface SeenFile {
  readonly path: string
  readonly entry: FileEntry | ReferenceEntry
}

/**
 * Yields them in the order of their paths' bytes; empty directories are not among them.
 * @throws ArtifactsError ERR_UNSUPPORTED for a link that leads nowhere, outside the version, or round in circles.
 */
export function* followedEntries(read: ReadNode, root: ObjectId): Generator<SeenFile> {
  // What is below a link comes after the link, perhaps with other entries between; the next one is the last here.
  let below: SeenFile[] = []
  for (const entry of entries(read, root)) {
    for (let next = below.at(-1); next !== undefined; next = below.at(-1)) {
      if (comparePaths(next.path, entry.path) > 0) break
      yield next
      below.pop()
    }
    if (entry.kind === 'file' || entry.kind === 'reference') yield { path: entry.path, entry }
    if (entry.kind !== 'symlink') continue
    const found = follow({ read, root }, entry)
    if (typeof found !== 'string') yield { path: entry.path, entry: found }
    else below = [...below, ...listBelow({ read, root }, entry, found)].sort(backwards)
  }
  yield* below.reverse()
}

interface Tree {
  readonly read: ReadNode
  readonly root: ObjectId
}

/** Everything below the directory that a link leads to, under the link's path. */
function listBelow(tree: Tree, link: SymlinkEntry, directory: string): SeenFile[] {
  const found: SeenFile[] = []
  const list = (from: string, as: string, inside: readonly string[]): void => {
    // A link to a directory around itself has no end.
    if (inside.some((outer) => outer === from) || `${link.path}/`.startsWith(`${from}/`)) {
      throw unfollowed(link, 'leads round in circles')
    }
    for (const entry of entries(tree.read, tree.root, { prefix: `${from}/` })) {
      const path = `${as}${entry.path.slice(from.length)}`
      if (found.length === MAX_BELOW) throw unfollowed(link, `leads to over ${MAX_BELOW} entries`)
      if (entry.kind === 'file' || entry.kind === 'reference') found.push({ path, entry })
      if (entry.kind !== 'symlink') continue
      const target = follow(tree, entry)
      if (typeof target !== 'string') found.push({ path, entry: target })
      else list(target, path, [...inside, from])
    }
  }
  list(directory, link.path, [])
  return found
}

/** Links to directories of links multiply. */
const MAX_BELOW = 1_000_000

/** What a link leads to in the end: an entry, or the path of a directory. */
function follow(tree: Tree, link: SymlinkEntry): FileEntry | ReferenceEntry | string {
  const way = link.path.split('/').slice(0, -1)
  const ahead = link.target.split('/')
  if (link.target.startsWith('/')) throw unfollowed(link, 'leads outside the version')
  for (let hops = 0; ; ) {
    const part = ahead.shift()
    if (part === undefined) break
    if (part === '' || part === '.') continue
    if (part === '..') {
      if (way.pop() === undefined) throw unfollowed(link, 'leads outside the version')
      continue
    }
    way.push(part)
    const next = lookup(tree.read, tree.root, way.join('/'))
    if (next?.kind !== 'symlink') continue
    if (next.target.startsWith('/')) throw unfollowed(link, 'leads outside the version')
    if (++hops > MAX_HOPS) throw unfollowed(link, 'leads round in circles')
    way.pop()
    ahead.unshift(...next.target.split('/'))
  }
  const path = way.join('/')
  if (path === '') throw unfollowed(link, 'leads round in circles')
  const entry = lookup(tree.read, tree.root, path)
  if (entry?.kind === 'file' || entry?.kind === 'reference') return entry
  const first = entries(tree.read, tree.root, { prefix: `${path}/` }).next()
  if (entry === undefined && first.done === true) throw unfollowed(link, 'leads to nothing')
  return path
}

const MAX_HOPS = 40

function backwards(a: SeenFile, b: SeenFile): number {
  return comparePaths(b.path, a.path)
}

function unfollowed({ path, target }: SymlinkEntry, why: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_UNSUPPORTED',
    `The symbolic link "${path}" to "${target}" ${why}, so W&B has no entry for it.`,
    { hint: 'Replace the link by a file, or leave it out: `artifacts commit --exclude PATTERN`.' },
  )
}
