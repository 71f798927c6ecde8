/**
 * Making room in a cache: copies go that were used least recently, long ago enough, and by no run that still runs, then the files that only they had.
 * A copy leaves the ledger before its files go, so nobody is given what is being removed; files that two copies share
 * are counted by their links.
 */
import { lstatSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import type { Io } from '../io/io.ts'
import { isAbandoned } from '../layout.ts'
import { isCrashed } from '../live.ts'
import type { OpenedStore } from '../opened.ts'
import { contentPath, rowOf, statFile } from './contents.ts'
import { copyKeyOf, copyPath, removeCopyTree } from './copy.ts'
import type { Ledger } from './ledger.ts'

export interface Room {
  /** Bytes that the cache may hold. */
  readonly most: number
  /** Milliseconds since 1970: what was used since then stays. */
  readonly before: number
}

export interface Evicted {
  readonly copies: number
  readonly freedBytes: number
  /** What the cache holds now; more than it should where what stays is so much. */
  readonly bytes: number
}

/** Removes what may go until the cache holds at most `most` bytes. */
export function makeRoom(store: OpenedStore, ledger: Ledger, { most, before }: Room): Evicted {
  const { io } = store
  const atFirst = ledger.bytes()
  let bytes = atFirst
  let copies = 0
  let isSwept = false
  const held = bytes > most ? digestsInUse(store) : []
  while (bytes > most) {
    const name = ledger.giveUp(before, held)
    if (name !== undefined) {
      copies++
      dropContents(io, ledger, removeCopyTree(io, copyPath(ledger, name)))
    } else if (!isSwept) {
      sweep(io, ledger)
      isSwept = true
    } else {
      break
    }
    bytes = ledger.bytes()
  }
  return { copies, freedBytes: atFirst - bytes, bytes }
}

/** Of the versions that running runs have used or logged. */
function digestsInUse({ index, layout }: OpenedStore): string[] {
  const { state } = index
  const now = Date.now()
  const running = state.runs({ state: 'running' }, Number.MAX_SAFE_INTEGER)
  return running
    .filter(({ id }) => !isCrashed(layout, id, now))
    .flatMap(({ id }) => state.edgesOfRun(id))
    .flatMap(({ version }) => state.versionById(version)?.object.root ?? [])
}

/** Removes those of the files with these inodes that no copy has. */
function dropContents(io: Io, ledger: Ledger, inodes: Iterable<string>): void {
  ledger.write(() => {
    for (const inode of inodes) {
      const row = ledger.contentOf(inode)
      if (row !== undefined) dropIfUnused(io, ledger, row.key)
    }
  })
}

/** The cache is locked: nobody can link the file, and then count on the row. */
function dropIfUnused(io: Io, ledger: Ledger, key: string): void {
  const path = contentPath(ledger, key)
  const stat = statFile(path)
  if (stat !== undefined && stat.nlink > 1n) return
  if (stat !== undefined) io.unlink(path)
  ledger.removeContent(key)
}

/** Removes what no process can be using and no ledger knows: what was left behind by a crash. */
export function sweep(io: Io, ledger: Ledger): void {
  const { copies, contents, tmp } = ledger.layout
  const now = Date.now()
  for (const name of readdirSync(tmp)) {
    const path = join(tmp, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat !== undefined && isAbandoned(name, now, stat.mtimeMs)) removeQuietly(io, path)
  }
  // A name comes and goes with its row.
  const strays = ledger.write(() => readdirSync(copies).filter((name) => !ledger.has(name)))
  for (const name of strays) removeQuietly(io, join(copies, name))
  ledger.write(() => {
    for (const key of contentNames(contents)) dropIfUnused(io, ledger, key)
    for (const key of ledger.contentKeys()) dropIfUnused(io, ledger, key)
  })
}

/** Another process may be removing the same. */
function removeQuietly(io: Io, path: string): void {
  try {
    removeCopyTree(io, path)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY', 'ENOTDIR')) throw error
  }
}

/**
 * Takes up a cache whose ledger is lost: every copy as if it had been handed out just now, and no file as known to be what
 * it was.
 */
export function adopt(ledger: Ledger): void {
  const { copies, contents } = ledger.layout
  const shared = new Set<string>()
  for (const key of contentNames(contents)) {
    const stat = statFile(contentPath(ledger, key))
    if (stat === undefined) continue
    shared.add(String(stat.ino))
    ledger.setContent({ ...rowOf(key, stat), stamp: '' })
  }
  const now = Date.now()
  for (const name of readdirSync(copies)) {
    const key = copyKeyOf(name)
    if (key === undefined) continue
    const path = copyPath(ledger, name)
    const madeAt = Math.round(statSync(path).mtimeMs)
    ledger.add({ name, key, label: '', ...measure(path, shared), madeAt, usedAt: now, altered: 0 })
  }
}

function* contentNames(contents: string): Generator<string> {
  for (const directory of readdirSync(contents, { withFileTypes: true })) {
    if (directory.isDirectory()) yield* readdirSync(join(contents, directory.name))
  }
}

function measure(
  path: string,
  shared: ReadonlySet<string>,
): { files: number; bytes: number; own: number } {
  const sums = { files: 0, bytes: 0, own: 0 }
  const visit = (at: string): void => {
    const stat = lstatSync(at, { bigint: true })
    if (stat.isDirectory()) {
      for (const name of readdirSync(at)) visit(join(at, name))
      return
    }
    sums.files++
    if (!stat.isFile()) return
    sums.bytes += Number(stat.size)
    if (!shared.has(String(stat.ino))) sums.own += Number(stat.size)
  }
  visit(path)
  return sums
}
