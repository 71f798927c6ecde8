/**
 * Carries out a plan in a directory that exists: what stands in the way goes first, then files are renamed into place,
 * then symlinks, and the rest is removed last. Killed at any point, every file is the old or the new one, and the same
 * checkout can be run again.
 */
import { lstatSync, readdirSync } from 'node:fs'
import { isSystemError } from '../../errors.ts'
import type { Entry, EntryPath } from '../../types.ts'
import type { Io } from '../io/io.ts'
import type { OpenedStore } from '../opened.ts'
import type { CheckoutRequest, CheckoutResult } from './checkout.ts'
import { refuseDamage, type Target } from './extract.ts'
import { Folders, parentOf } from './folders.ts'
import type { CheckoutPlan } from './plan.ts'
import { bytesToWrite, moveReference } from './references.ts'
import { openStaging } from './staging.ts'
import { writeFiles } from './write-files.ts'

export async function applyPlan(
  store: OpenedStore,
  request: CheckoutRequest,
  plan: CheckoutPlan,
): Promise<CheckoutResult> {
  const { io } = store
  const { dir } = request
  const result = resultOf(request, plan)
  if (request.dryRun || (plan.write.length === 0 && plan.remove.length === 0)) return result
  using staging = openStaging(store, dir)
  const { early, late } = splitRemovals(plan)
  const stays = new Set<string>()
  for (const { path, kind } of plan.write) if (kind === 'directory') stays.add(path)
  for (const entry of early) remove(io, dir, entry, stays)
  const folders = new Folders(store, dir)
  clearDirectories(io, dir, plan.write)
  const damage = await writeFiles(store, fileTargets(dir, plan.write, folders), staging, request)
  for (const entry of plan.write) {
    if (entry.kind === 'directory') folders.make(entry.path)
    if (entry.kind === 'reference') {
      folders.make(parentOf(entry.path))
      moveReference(store, request, entry, `${dir}/${entry.path}`)
    }
    if (entry.kind !== 'symlink') continue
    folders.make(parentOf(entry.path))
    const name = staging.nextName()
    io.symlink(entry.target, name)
    io.rename(name, `${dir}/${entry.path}`)
  }
  for (const entry of late) remove(io, dir, entry, stays)
  refuseDamage(request.ref, damage)
  return result
}

function resultOf(request: CheckoutRequest, plan: CheckoutPlan): CheckoutResult {
  let bytes = 0
  for (const entry of plan.write) bytes += bytesToWrite(request, entry)
  const changed = plan.write.filter(({ path }) => plan.replaced.has(path)).length
  const { unchanged } = plan
  return {
    added: plan.write.length - changed,
    changed,
    deleted: plan.remove.length,
    unchanged,
    bytes,
  }
}

/** Deepest first; `early` stands where something is written, or above it. */
function splitRemovals(plan: CheckoutPlan): { early: Entry[]; late: Entry[] } {
  const written = new Set<string>()
  /** Where a directory has to be. */
  const above = new Set<string>()
  for (const { path, kind } of plan.write) {
    if (kind === 'directory') above.add(path)
    else written.add(path)
    for (
      let parent = parentOf(path);
      parent !== '' && !above.has(parent);
      parent = parentOf(parent)
    ) {
      above.add(parent)
    }
  }
  const isInTheWay = (path: string): boolean => {
    if (above.has(path)) return true
    for (let at: string = path; at !== ''; at = parentOf(at)) if (written.has(at)) return true
    return false
  }
  const reversed = plan.remove.toReversed()
  return {
    early: reversed.filter(({ path }) => isInTheWay(path)),
    late: reversed.filter(({ path }) => !isInTheWay(path)),
  }
}

/** Removes an entry, and the directories above that are empty then and need not stay. */
function remove(io: Io, dir: string, entry: Entry, stays: ReadonlySet<string>): void {
  const path = `${dir}/${entry.path}`
  if (entry.kind === 'directory') {
    removeEmpty(io, path)
  } else {
    ignoreMissing(() => io.unlink(path))
  }
  for (let parent = parentOf(entry.path); parent !== ''; parent = parentOf(parent)) {
    if (stays.has(parent) || !removeEmpty(io, `${dir}/${parent}`)) return
  }
}

/** Where a file or link goes to the place of a directory, that is empty by now but for empty directories. */
function clearDirectories(io: Io, dir: string, write: readonly Entry[]): void {
  for (const { path, kind } of write) {
    if (kind === 'directory') continue
    const there = `${dir}/${path}`
    // Not what a symlink leads to: that is elsewhere, and the link is replaced.
    if (lstatSync(there, { throwIfNoEntry: false })?.isDirectory()) removeEmptyTree(io, there)
  }
}

function removeEmptyTree(io: Io, path: string): void {
  for (const each of readdirSync(path, { withFileTypes: true })) {
    if (each.isDirectory()) removeEmptyTree(io, `${path}/${each.name}`)
  }
  removeEmpty(io, path)
}

/** False when it is not empty, or not there. Ignored files keep their directory. */
function removeEmpty(io: Io, path: string): boolean {
  try {
    io.rmdir(path)
    return true
  } catch (error) {
    if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

function ignoreMissing(call: () => void): void {
  try {
    call()
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}

function* fileTargets(dir: string, write: readonly Entry[], folders: Folders): Generator<Target> {
  for (const entry of write) {
    if (entry.kind !== 'file') continue
    folders.make(parentOf(entry.path as EntryPath))
    yield { entry, file: `${dir}/${entry.path}` }
  }
}
