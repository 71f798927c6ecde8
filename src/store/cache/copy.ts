/**
 * One copy: building it aside and giving it its name once, and finding out whether it is still what it was. Files that the
 * cache has are linked, others are written as a checkout writes them. A name is never given to another copy, so what is
 * being removed is never what is being made.
 */
import { createHash, randomBytes } from 'node:crypto'
import { lstatSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { damaged } from '../../errors.ts'
import type { Entry, FileEntry, OperationOptions } from '../../types.ts'
import type { Damage, Target } from '../checkout/extract.ts'
import { Folders, parentOf } from '../checkout/folders.ts'
import { writeFiles } from '../checkout/write-files.ts'
import type { Io } from '../io/io.ts'
import { temporaryName } from '../layout.ts'
import type { OpenedStore } from '../opened.ts'
import { contentKey, isIntact, linkContent, noteContent, TICK_MS } from './contents.ts'
import type { Ledger, Use } from './ledger.ts'

/** What a copy is to hold; of the same entries the same key. */
export interface Wanted extends Use {
  /** In path order; no references. Asked more than once. */
  readonly entries: () => Iterable<Entry>
}

export function copyKey(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

export function copyPath({ layout }: Ledger, name: string): string {
  return join(layout.copies, name)
}

/** Bytes that the cache would get by a copy. */
export function bytesMissing(ledger: Ledger, { entries }: Wanted): number {
  let bytes = 0
  for (const entry of entries()) {
    if (entry.kind !== 'file') continue
    const key = contentKey(entry)
    if (key === undefined || ledger.content(key) === undefined) bytes += entry.size
  }
  return bytes
}

/** Whether a copy holds exactly what it should. */
export function isWhole(
  store: OpenedStore,
  ledger: Ledger,
  name: string,
  { entries }: Wanted,
  { signal }: OperationOptions,
): boolean {
  const root = copyPath(ledger, name)
  if (lstatSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) return false
  const directories = new Set<string>([''])
  let others = 0
  for (const entry of entries()) {
    signal?.throwIfAborted()
    if (!isIntact(store, ledger, entry, `${root}/${entry.path}`)) return false
    if (entry.kind === 'directory') directories.add(entry.path)
    else others++
    for (let at = parentOf(entry.path); !directories.has(at); at = parentOf(at)) directories.add(at)
  }
  return countNames(root, '', directories) === others + directories.size - 1
}

/** How many names are below a directory; those in directories that should not be there are not counted. */
function countNames(root: string, path: string, expected: ReadonlySet<string>): number {
  let count = 0
  for (const each of readdirSync(`${root}/${path}`, { withFileTypes: true })) {
    count++
    const inner = path === '' ? each.name : `${path}/${each.name}`
    if (each.isDirectory() && expected.has(inner)) count += countNames(root, inner, expected)
  }
  return count
}

/** Builds a copy. Where another process has built the same meanwhile, that one stays. */
export async function buildCopy(
  store: OpenedStore,
  ledger: Ledger,
  wanted: Wanted,
  options: OperationOptions,
): Promise<void> {
  const { io } = store
  const staging = join(ledger.layout.tmp, temporaryName())
  const root = join(staging, 'copy')
  io.mkdir(staging)
  try {
    await writeCopy(store, ledger, wanted, root, options)
    // What anybody changes from here on gets another time than what is noted.
    await setTimeout(TICK_MS)
    const sums = register(store, ledger, wanted, root)
    protect(io, root)
    publish(io, ledger, wanted, root, sums)
  } finally {
    removeCopyTree(io, staging)
  }
}

async function writeCopy(
  store: OpenedStore,
  ledger: Ledger,
  { label, entries }: Wanted,
  root: string,
  options: OperationOptions,
): Promise<void> {
  const { io } = store
  const folders = new Folders(store, root)
  folders.make('')
  const links: { readonly path: string; readonly target: string }[] = []
  const targets = function* (): Generator<Target> {
    for (const entry of entries()) {
      folders.make(entry.kind === 'directory' ? entry.path : parentOf(entry.path))
      const file = `${root}/${entry.path}`
      if (entry.kind === 'symlink') links.push({ path: file, target: entry.target })
      if (entry.kind !== 'file' || linkContent(store, ledger, entry, file)) continue
      yield { entry, file }
    }
  }
  refuseDamage(label, await writeFiles(store, targets(), undefined, options))
  for (const { path, target } of links) io.symlink(target, path)
}

function refuseDamage(label: string, damage: Damage): void {
  if (damage.size === 0) return
  const list = Array.from(damage, ([path, reason]) => `  "${path}": ${reason}`)
  const more = list.length > 10 ? `\n  and ${list.length - 10} more` : ''
  throw damaged(
    `${damage.size} of the files of "${label}" can't be read back:\n${list.slice(0, 10).join('\n')}${more}`,
    { data: { paths: Array.from(damage.keys()) } },
  )
}

interface Sums {
  readonly files: number
  readonly bytes: number
  readonly own: number
}

/** How many files are registered under one lock. */
const BATCH = 1000

/** Makes files read-only, shares them, and notes what they are. */
function register(store: OpenedStore, ledger: Ledger, { entries }: Wanted, root: string): Sums {
  const sums = { files: 0, bytes: 0, own: 0 }
  let batch: FileEntry[] = []
  const flush = (): void => {
    const files = batch
    batch = []
    ledger.write(() => {
      for (const entry of files) {
        if (!registerFile(store, ledger, entry, `${root}/${entry.path}`)) sums.own += entry.size
      }
    })
  }
  for (const entry of entries()) {
    if (entry.kind !== 'directory') sums.files++
    if (entry.kind !== 'file') continue
    sums.bytes += entry.size
    batch.push(entry)
    if (batch.length === BATCH) flush()
  }
  flush()
  return sums
}

function registerFile(store: OpenedStore, ledger: Ledger, entry: FileEntry, path: string): boolean {
  const { mode } = statSync(path)
  if ((mode & 0o222) !== 0) store.io.chmod(path, mode & 0o7555)
  return noteContent(store, ledger, entry, path)
}

/** Directories that nobody writes in, the deepest first; the top one must still be moved. */
function protect(io: Io, root: string): void {
  for (const each of readdirSync(root, { withFileTypes: true })) {
    if (!each.isDirectory()) continue
    const path = join(root, each.name)
    protect(io, path)
    io.chmod(path, statSync(path).mode & 0o7555)
  }
}

function publish(io: Io, ledger: Ledger, { key, label }: Wanted, root: string, sums: Sums): void {
  ledger.write(() => {
    if (ledger.find(key) !== undefined) return
    const name = `${key}-${randomBytes(4).toString('hex')}`
    const path = copyPath(ledger, name)
    io.rename(root, path)
    io.chmod(path, statSync(path).mode & 0o7555)
    const now = Date.now()
    ledger.add({ name, key, label, ...sums, madeAt: now, usedAt: now, altered: 0 })
  })
}

/** Removes a directory that may be read-only, with all that is in it; returns the inodes of its files. */
export function removeCopyTree(io: Io, path: string): Set<string> {
  const inodes = new Set<string>()
  const remove = (at: string): void => {
    const stat = lstatSync(at, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined) return
    if (!stat.isDirectory()) {
      if (stat.isFile()) inodes.add(String(stat.ino))
      io.unlink(at)
      return
    }
    io.chmod(at, Number(stat.mode) | 0o700)
    for (const name of readdirSync(at)) remove(join(at, name))
    io.rmdir(at)
  }
  remove(path)
  return inodes
}

/** What a directory under `copies/` is a copy of; undefined for one of another name. */
export function copyKeyOf(name: string): string | undefined {
  return /^([0-9a-f]{32})-[0-9a-f]{8}$/.exec(name)?.[1]
}
