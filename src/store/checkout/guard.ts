/**
 * A last look at what stands where a checkout will write. Ignored files are in no walk, and a symlink on the way would
 * lead elsewhere; both are found here, before anything is written.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import type { Entry, EntryPath, FileEntry } from '../../types.ts'
import { chunkId } from '../object/id.ts'
import { nodeReader, type OpenedStore } from '../opened.ts'
import { readRecipe } from '../recipes.ts'
import { lookup } from '../tree/cursor.ts'
import type { CheckoutRequest } from './checkout.ts'
import { parentOf } from './folders.ts'
import type { CheckoutPlan } from './plan.ts'
import { holdsReference } from './references.ts'

/** Takes out of the plan what is there already; adds to `replaced`, `lost` and `blocked` what it did not know of. */
export function guardWrites(
  store: OpenedStore,
  request: CheckoutRequest,
  plan: CheckoutPlan,
): void {
  const goes = new Set<string>(plan.remove.map(({ path }) => path))
  const emptied = directoriesAbove(goes)
  const ways = new Map<string, Way>([['', 'there']])
  const blocked = new Set<EntryPath>()
  const wayTo = (path: string): Way => {
    const known = ways.get(path)
    if (known !== undefined) return known
    const above = wayTo(parentOf(path))
    const way = above === 'there' ? lookAt(request.dir, path, goes) : above
    if (way === 'taken' && above !== 'taken') blocked.add(path as EntryPath)
    ways.set(path, way)
    return way
  }
  plan.write = plan.write.filter((entry) => {
    const { path } = entry
    if (wayTo(parentOf(path)) !== 'there' || plan.replaced.has(path)) return true
    const file = join(request.dir, path)
    const stat = lstatSync(file, { throwIfNoEntry: false })
    if (stat === undefined) return true
    // A directory would go along with the last that is in it.
    if (isThere(store, request, entry, file, stat) && !emptied.has(path)) {
      plan.unchanged++
      return false
    }
    if (entry.kind === 'directory') {
      if (!stat.isDirectory() && !goes.has(path)) blocked.add(path)
      return true
    }
    if (stat.isDirectory()) {
      if (!isEmptiedBy(request.dir, path, goes)) blocked.add(path)
      return true
    }
    const before =
      request.bound === undefined ? undefined : lookup(nodeReader(store), request.bound, path)
    if (before === undefined || !isThere(store, request, before, file, stat)) plan.lost.push(path)
    plan.replaced.add(path)
    return true
  })
  plan.blocked.push(...blocked)
}

function directoriesAbove(paths: ReadonlySet<string>): ReadonlySet<string> {
  const above = new Set<string>()
  for (const path of paths) {
    for (let at = parentOf(path); at !== '' && !above.has(at); at = parentOf(at)) above.add(at)
  }
  return above
}

/** Whether the entry is what is there. */
function isThere(
  store: OpenedStore,
  { references }: CheckoutRequest,
  entry: Entry,
  file: string,
  stat: Stats,
): boolean {
  if (entry.kind === 'reference') return holdsReference(entry, file, stat, references)
  if (!holds(store, entry, file, stat)) return false
  return entry.kind !== 'file' || entry.executable === ((stat.mode & 0o100) !== 0)
}

/**
 * What a directory to be written in is now: one, for sure; nothing, or something that goes, so that nothing can be below
 * it, whatever a symlink there leads to; or something that stays.
 */
type Way = 'there' | 'free' | 'taken'

function lookAt(dir: string, path: string, goes: ReadonlySet<string>): Way {
  const stat = lstatSync(join(dir, path), { throwIfNoEntry: false })
  if (stat?.isDirectory() === true) return 'there'
  return stat === undefined || goes.has(path) ? 'free' : 'taken'
}

/** True when nothing stays in the directory that the checkout does not remove itself. */
function isEmptiedBy(dir: string, path: string, goes: ReadonlySet<string>): boolean {
  return readdirSync(join(dir, path), { withFileTypes: true }).every((each) => {
    const inside = `${path}/${each.name}`
    // One that looks empty to a walk can hold what is ignored.
    return each.isDirectory() ? isEmptiedBy(dir, inside, goes) : goes.has(inside)
  })
}

/** True when what is at `file` has the entry's content, by its bytes. */
export function holds(store: OpenedStore, entry: Entry, file: string, stat: Stats): boolean {
  switch (entry.kind) {
    case 'file':
      return stat.isFile() && stat.size === entry.size && holdsBytes(store, entry, file)
    case 'symlink':
      return stat.isSymbolicLink() && readlinkSync(file) === entry.target
    case 'directory':
      return stat.isDirectory()
    case 'reference':
      return holdsReference(entry, file, stat, undefined)
  }
}

function holdsBytes(store: OpenedStore, { content, size }: FileEntry, file: string): boolean {
  if (content.kind === 'inline') return readFileSync(file).equals(content.bytes)
  if (content.kind === 'chunk') return chunkId(readFileSync(file)) === content.id
  return sha256Of(file).equals(readRecipe(store, content.id, size).sha256)
}

function sha256Of(file: string): Buffer {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(1 << 20)
  const fd = openSync(file, 'r')
  try {
    for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, got))
    }
  } finally {
    closeSync(fd)
  }
  return hash.digest()
}
