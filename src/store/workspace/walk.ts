/**
 * Walks a directory in the order of a version's entries: paths as UTF-8 bytes, so that the result can be merged with a
 * tree, with the stat cache, or with another walk. Hand-written over synchronous calls: `readdirSync` with `recursive`
 * is six times slower, promises are four times slower. One directory is in memory at a time, with the names of those
 * that it lies in.
 *
 * Symlinks are entries and are never followed, but the root is when it is one. Sockets, FIFOs and devices are not opened.
 */

import { isUtf8 } from 'node:buffer'
import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { BATCH_ENTRIES, BatchBuilder, type WalkBatch } from './batch.ts'
import { escapeBytes, type Findings, noFindings, systemCode } from './findings.ts'
import { rulesOf, wanted } from './ignore.ts'
import {
  followsNeighbour,
  isWantedDirectory,
  type Listing,
  listDirectory,
  type Scope,
} from './listing.ts'

export interface WalkOptions {
  /** Whether `.artifactsignore` files are obeyed. Default true. */
  readonly ignore?: boolean
  /** Patterns relative to the root: only what matches one, or lies in a directory that does, is an entry. */
  readonly include?: readonly string[]
  /** Patterns relative to the root, asked before the files: what matches is left out; with `!` it is kept. */
  readonly exclude?: readonly string[]
  /** The store's own directory, which is no entry. (What is called `.git` or `.artifacts` never is.) */
  readonly store?: string
}

export interface Walk extends Iterable<WalkBatch> {
  /** Grows while the walk is iterated. */
  readonly findings: Findings
}

/**
 * Walks `root`. Each batch holds neighbouring entries of one directory; what lies in its subdirectories comes between
 * batches, where it belongs. An entry that disappears meanwhile is left out. Iterate it once.
 *
 * @throws ArtifactsError `ERR_NOT_FOUND` or `ERR_INVALID_PATH` when the root is not there or no directory, `ERR_CONFIG`
 * (while iterating) for an ignore file of more than 4 MiB.
 */
export function walk(root: string, options: WalkOptions = {}): Walk {
  const location = realDirectory(root)
  const scope: Scope = {
    base: location.endsWith(sep) ? location : `${location}/`,
    ignore: options.ignore ?? true,
    include: wanted(options.include ?? []),
    store: options.store === undefined ? undefined : storeInside(location, options.store),
  }
  const findings = noFindings()
  return {
    findings,
    [Symbol.iterator]: () => batches(scope, options.exclude ?? [], findings),
  }
}

interface Frame extends Listing {
  readonly directory: string
  next: number
}

function* batches(
  scope: Scope,
  exclude: readonly string[],
  findings: Findings,
): Generator<WalkBatch, void, void> {
  const rows = new BatchBuilder()
  const stack: Frame[] = []
  const top = listDirectory(scope, '', rulesOf(exclude), findings)
  if (top !== undefined) stack.push({ ...top, directory: '', next: 0 })
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const { keys, directory, device } = frame
    const index = frame.next++
    const key = keys[index]
    let inner: Frame | undefined
    if (key === undefined) stack.pop()
    else if (key.endsWith('/')) {
      inner = enter(scope, frame, index, findings)
      if (inner?.keys.length === 0) {
        if (isEntry(scope, inner, keys, index)) rows.addDirectory(key.slice(0, -1))
        inner = undefined
      }
    } else if (key.endsWith('\0')) rows.addDirectory(key.slice(0, -1))
    else addFile(scope, directory, key, rows, findings)
    const isOver = key === undefined || inner !== undefined
    if (rows.length > 0 && (isOver || rows.length === BATCH_ENTRIES)) {
      yield rows.take(directory, device)
    }
    if (inner !== undefined) stack.push(inner)
  }
}

function enter(scope: Scope, frame: Frame, index: number, findings: Findings): Frame | undefined {
  const name = (frame.keys[index] as string).slice(0, -1)
  const directory = frame.directory === '' ? name : `${frame.directory}/${name}`
  const listing = listDirectory(scope, directory, frame.rules, findings)
  return listing === undefined ? undefined : { ...listing, directory, next: 0 }
}

/** One that has become empty since its parent was listed may stand too late for an entry: then it counts as gone. */
function isEntry(scope: Scope, empty: Frame, siblings: readonly string[], index: number): boolean {
  return !followsNeighbour(siblings, index) && isWantedDirectory(scope, empty.directory)
}

const FORMAT = 0o170000
const REGULAR = 0o100000
const LINK = 0o120000
const OWNER_EXECUTES = 0o100
const NO_THROW = { throwIfNoEntry: false } as const

function addFile(
  scope: Scope,
  directory: string,
  name: string,
  rows: BatchBuilder,
  findings: Findings,
): void {
  const path = directory === '' ? name : `${directory}/${name}`
  const location = `${scope.base}${path}`
  try {
    const stat = lstatSync(location, NO_THROW)
    if (stat === undefined) return
    const format = stat.mode & FORMAT
    if (format === REGULAR) rows.addFile(name, stat, (stat.mode & OWNER_EXECUTES) !== 0)
    else if (format === LINK) addLink(location, path, name, rows, findings)
    else findings.unreadable.add(path, 'it is no file any more')
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'ENOENT' && code !== 'ENOTDIR') findings.unreadable.add(path, code)
  }
}

function addLink(
  location: string,
  path: string,
  name: string,
  rows: BatchBuilder,
  findings: Findings,
): void {
  const target = readlinkSync(location, 'buffer')
  if (isUtf8(target)) rows.addSymlink(name, target.toString())
  else findings.refused.add(path, `its target "${escapeBytes(target)}" is not valid UTF-8`)
}

function realDirectory(root: string): string {
  try {
    const location = realpathSync.native(root)
    if (statSync(location).isDirectory()) return location
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) throw error
    const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR'
    throw new ArtifactsError(
      missing ? 'ERR_NOT_FOUND' : 'ERR_UNREADABLE',
      missing ? `"${root}" is not there` : `"${root}" can't be read (${error.code})`,
      { cause: error },
    )
  }
  throw new ArtifactsError('ERR_INVALID_PATH', `"${root}" is not a directory`)
}

/** The store's entry path when it lies in the root. */
function storeInside(root: string, store: string): string | undefined {
  const path = relative(root, realpathSync.native(store))
  if (path === '' || path.startsWith('..')) return undefined
  return sep === '/' ? path : path.replaceAll(sep, '/')
}
