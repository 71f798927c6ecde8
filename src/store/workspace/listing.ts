/**
 * One directory as a walk sees it: what is neither ignored nor nameless, in the order in which its entries stand in a
 * version. That order is the order of whole paths as bytes, so a directory stands where `name/` does, but an empty one,
 * which is an entry itself, where `name` does. Whether it is empty must therefore be known early when a sibling lies
 * between the two, as `run-1` does between `run` and `run/`.
 */
import { lstatSync, type Stats } from 'node:fs'
import { comparePaths } from '../tree/paths.ts'
import { readNames, refuseNames } from './directory-names.ts'
import { type Findings, noFindings, systemCode } from './findings.ts'
import {
  IGNORE_FILE,
  isExcluded,
  type PatternList,
  type Rules,
  readPatterns,
  rulesInside,
  withPatterns,
} from './ignore.ts'

/** What holds for a whole walk. */
export interface Scope {
  /** The walk's root, without symlinks in it, and a separator. */
  readonly base: string
  /** Whether `.artifactsignore` is obeyed. */
  readonly ignore: boolean
  readonly include: PatternList | undefined
  /** Entry path of the store's own directory, if that lies in the root under another name than `.artifacts`. */
  readonly store: string | undefined
}

export interface Listing {
  /** In order: `name` of a file or symlink, `name/` of a directory, `name` and a NUL of one known to be empty. */
  readonly keys: readonly string[]
  /** Rules for what is in here. */
  readonly rules: Rules | undefined
  readonly device: number
}

/**
 * Lists a directory that is not left out. Returns undefined when it is gone or can't be read, which goes to `findings`.
 *
 * @param directory entry path; empty for the root.
 * @param outer rules of the directory that it lies in.
 */
export function listDirectory(
  scope: Scope,
  directory: string,
  outer: Rules | undefined,
  findings: Findings,
): Listing | undefined {
  const listing = collect(scope, directory, outer, findings)
  return listing === undefined
    ? undefined
    : { ...listing, keys: inOrder(scope, directory, listing) }
}

/** Whether an empty directory at this path is an entry. */
export function isWantedDirectory(scope: Scope, path: string): boolean {
  return scope.include === undefined || scope.include.test(`${path}/`) === true
}

/** Whether the key before `keys[index]`, a directory's, would stand after the same directory if that were empty. */
export function followsNeighbour(keys: readonly string[], index: number): boolean {
  return index > 0 && (keys[index - 1] as string).startsWith((keys[index] as string).slice(0, -1))
}

function collect(
  scope: Scope,
  directory: string,
  outer: Rules | undefined,
  findings: Findings,
): Listing | undefined {
  const location = `${scope.base}${directory}`
  try {
    const stat = lstatSync(location)
    if (stat.isDirectory()) return select(scope, directory, stat, outer, findings)
    findings.unreadable.add(directory || '.', 'it is no directory any more')
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'ENOENT' || isThere(location)) {
      const path = (error as NodeJS.ErrnoException).path?.slice(scope.base.length)
      findings.unreadable.add(path || directory || '.', code)
    }
  }
  return undefined
}

function select(
  scope: Scope,
  directory: string,
  stat: Stats,
  outer: Rules | undefined,
  findings: Findings,
): Listing {
  const prefix = directory === '' ? '' : `${directory}/`
  const location = `${scope.base}${directory}`
  const raw = readNames(location, stat.size, IGNORE_FILE)
  let rules = outer
  if (rules !== undefined && directory !== '') rules = rulesInside(rules, prefix)
  if (scope.ignore && raw.hasFile) {
    const patterns = readPatterns(`${scope.base}${prefix}${IGNORE_FILE}`)
    rules = withPatterns(rules, directory, patterns)
  }
  const keeps = (path: string): boolean =>
    (rules === undefined || !isExcluded(rules, path)) &&
    (scope.include === undefined || path.endsWith('/') || scope.include.test(path) === true)
  let keys: readonly string[] = raw.keys
  if (rules !== undefined || scope.include !== undefined) {
    keys = keys.filter((key) => keeps(prefix + key))
  }
  if (scope.store?.startsWith(prefix)) {
    keys = keys.filter((key) => `${prefix}${key}` !== `${scope.store}/`)
  }
  for (const [name, reason] of raw.specials) {
    if (keeps(prefix + name)) findings.skipped.add(prefix + name, reason)
  }
  keys = refuseNames(location, prefix, keys, raw.isUnusual, findings)
  return { keys, rules, device: stat.dev }
}

function inOrder(scope: Scope, directory: string, { keys, rules }: Listing): string[] {
  const sorted = sort([...keys])
  let moved = false
  for (let index = sorted.length - 1; index > 0; index--) {
    const key = sorted[index] as string
    if (!key.endsWith('/') || !followsNeighbour(sorted, index)) continue
    const name = key.slice(0, -1)
    const path = directory === '' ? name : `${directory}/${name}`
    if (!isWantedDirectory(scope, path)) continue
    if (collect(scope, path, rules, noFindings())?.keys.length === 0) {
      sorted[index] = `${name}\0`
      moved = true
    }
  }
  return moved ? sort(sorted) : sorted
}

function sort(keys: string[]): string[] {
  return keys.some((key) => SURROGATE.test(key)) ? keys.sort(comparePaths) : keys.sort()
}

const SURROGATE = /[\ud800-\udfff]/

function isThere(location: string): boolean {
  return lstatSync(location, { throwIfNoEntry: false }) !== undefined
}
