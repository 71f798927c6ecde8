/** Small trees in which everything gets in the way of everything: few names, files where others have directories. */
import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Item, Tree } from '../../support/files.ts'
import type { Random } from '../../support/random.ts'

export const IGNORE = '.artifactsignore'
export const PATTERNS = '*.ign\nign/\n'

const PATHS: readonly string[] = [
  'a',
  'a/b',
  'a/b/c',
  'a/b/x.ign',
  'a/f',
  'a/x.ign',
  'b',
  'b/f',
  'b/ign/f',
  'c',
  'c/d/e/f',
  'ign',
  'ign/f',
  'x.ign',
  'x.ign/f',
]

export function randomItem(random: Random): Item {
  const kind = random.integer(0, 9)
  if (kind === 0) return null
  if (kind === 1) return { symlink: random.pick(['a', 'b/f', '..', 'missing']) }
  const content = random.pick(['', 'one', 'two', 'x'.repeat(100), 'y'.repeat(100)])
  return kind === 2 ? { content, mode: 0o755 } : content
}

/** Without an entry below another; with or without the file that says what is ignored. */
export function randomTree(random: Random, withIgnore: boolean): Tree {
  const tree: Record<string, Item> = withIgnore ? { [IGNORE]: PATTERNS } : {}
  for (const path of random.shuffle(PATHS).slice(0, random.integer(0, 9))) {
    const isFree = Object.keys(tree).every(
      (other) => !other.startsWith(`${path}/`) && !path.startsWith(`${other}/`),
    )
    if (isFree) tree[path] = randomItem(random)
  }
  return tree
}

/** Changes a few things as a person would: edits, adds, deletes, replaces one kind by another. */
export function randomEdits(random: Random, directory: string): void {
  for (let left = random.integer(0, 3); left > 0; left--) {
    const path = random.pick(PATHS)
    const file = join(directory, path)
    clearWay(directory, path)
    const action = random.integer(0, 5)
    if (action === 0) rmSync(file, { recursive: true, force: true })
    else if (action === 1 && isFile(file)) chmodSync(file, 0o755)
    else put(file, randomItem(random))
  }
}

/** Whether the patterns hide what is at a path. */
export function isIgnored(path: string): boolean {
  return path.split('/').some((part, index, { length }) => {
    return part.endsWith('.ign') || (part === 'ign' && index < length - 1)
  })
}

function clearWay(directory: string, path: string): void {
  const parts = path.split('/').slice(0, -1)
  for (let depth = 1; depth <= parts.length; depth++) {
    const above = join(directory, ...parts.slice(0, depth))
    const stat = lstatSync(above, { throwIfNoEntry: false })
    if (stat !== undefined && !stat.isDirectory()) rmSync(above)
  }
}

function put(file: string, item: Item): void {
  rmSync(file, { recursive: true, force: true })
  mkdirSync(dirname(file), { recursive: true })
  if (item === null) mkdirSync(file)
  else if (typeof item === 'string') writeFileSync(file, item)
  else if ('symlink' in item) symlinkSync(item.symlink, file)
  else if ('content' in item) writeFileSync(file, item.content, { mode: item.mode })
}

function isFile(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isFile() ?? false
}
