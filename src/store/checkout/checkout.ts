/**
 * Makes a directory equal to a version (checkout), or adds a version's files to one (download).
 *
 * A directory that does not exist is built beside and renamed once. In one that exists every file is written elsewhere
 * and renamed over, so that each is always the old or the new one; what goes is removed last. Nothing is written
 * through a symlink or a hard link. Users' files are not synced.
 */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { Entry, ObjectId, OperationOptions } from '../../types.ts'
import { pathFilter } from '../compare.ts'
import { directoryEntries } from '../ingest/directory-entries.ts'
import { loadHashes } from '../object/checksum.ts'
import { nodeReader, type OpenedStore } from '../opened.ts'
import { entries } from '../tree/cursor.ts'
import { applyPlan } from './apply.ts'
import { refuseDamage, type Target } from './extract.ts'
import { Folders, parentOf } from './folders.ts'
import { guardWrites } from './guard.ts'
import { emptyPlan, planCheckout } from './plan.ts'
import { refuseUnportable } from './portable.ts'
import {
  bytesToWrite,
  holdsReferenceAt,
  moveReference,
  type ReferencesAtHand,
} from './references.ts'
import { openStaging } from './staging.ts'
import { writeFiles } from './write-files.ts'

export interface CheckoutRequest extends OperationOptions {
  /** What messages call the version. */
  readonly ref: string
  readonly root: ObjectId
  /** Absolute. */
  readonly dir: string
  /** Digest of the version that the directory held last. */
  readonly bound?: ObjectId
  readonly force: boolean
  readonly dryRun: boolean
  /** Only these paths and what is below them; none: everything. */
  readonly paths: readonly string[]
  readonly jobs?: number | undefined
  /** Bytes of references; those that are not in it are left out. */
  readonly references?: ReferencesAtHand | undefined
}

export interface CheckoutResult {
  readonly added: number
  readonly changed: number
  readonly deleted: number
  readonly unchanged: number
  /** Bytes written. */
  readonly bytes: number
}

/**
 * Makes `dir` equal to the version.
 * @throws ArtifactsError ERR_WOULD_OVERWRITE, before anything is written, when files would be lost; ERR_DAMAGED, after
 * everything else was written, for files that can't be read back.
 */
export async function checkoutVersion(
  store: OpenedStore,
  request: CheckoutRequest,
): Promise<CheckoutResult> {
  await loadHashes()
  if (isVacant(request.dir)) return buildDirectory(store, request, pathFilter(request.paths))
  const read = nodeReader(store)
  const plan = await planCheckout({
    dir: request.dir,
    current: directoryEntries(store, request.dir, request),
    bound: request.bound === undefined ? [] : entries(read, request.bound),
    wanted: entries(read, request.root),
    paths: request.paths,
    canWrite: (entry) => isAtHand(request, entry),
    holds: (entry) => holdsReferenceAt(entry, join(request.dir, entry.path), request.references),
  })
  guardWrites(store, request, plan)
  refuseBlocked(request, plan.blocked)
  if (!request.force) refuseLoss(request, plan.lost)
  refuseUnportable(request, () => entries(read, request.root))
  return applyPlan(store, request, plan)
}

/**
 * Adds the version's files to `dir`. What is there and equal stays; nothing is deleted.
 * @throws ArtifactsError ERR_WOULD_OVERWRITE when a file that is there differs, ERR_DAMAGED as `checkoutVersion`.
 */
export async function downloadVersion(
  store: OpenedStore,
  request: CheckoutRequest,
  isWanted: (path: string) => boolean,
): Promise<CheckoutResult> {
  await loadHashes()
  if (isVacant(request.dir)) return buildDirectory(store, request, isWanted)
  const plan = emptyPlan()
  for (const entry of entries(nodeReader(store), request.root)) {
    if (isWanted(entry.path) && isAtHand(request, entry)) plan.write.push(entry)
  }
  guardWrites(store, request, plan)
  refuseBlocked(request, plan.blocked)
  if (!request.force) refuseLoss(request, plan.lost)
  refuseUnportable(request, () => plan.write)
  return applyPlan(store, request, plan)
}

/** Nothing is there, or an empty directory. */
function isVacant(dir: string): boolean {
  try {
    return readdirSync(dir).length === 0
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return true
    if (!isSystemError(error, 'ENOTDIR')) throw error
    throw new ArtifactsError('ERR_WOULD_OVERWRITE', `"${dir}" is a file, not a directory.`, {
      hint: 'Check out into another directory.',
    })
  }
}

/** Builds the whole tree aside, then gives it its name. */
async function buildDirectory(
  store: OpenedStore,
  request: CheckoutRequest,
  isWanted: (path: string) => boolean,
): Promise<CheckoutResult> {
  const result = { added: 0, changed: 0, deleted: 0, unchanged: 0, bytes: 0 }
  const links: { readonly path: string; readonly target: string }[] = []
  const count = (entry: Entry): void => {
    result.added++
    result.bytes += bytesToWrite(request, entry)
  }
  const source = function* (): Generator<Entry> {
    for (const entry of entries(nodeReader(store), request.root)) {
      if (isWanted(entry.path) && isAtHand(request, entry)) yield entry
    }
  }
  refuseUnportable(request, source)
  if (request.dryRun) {
    for (const entry of source()) count(entry)
    return result
  }
  using staging = openStaging(store, request.dir)
  const root = join(staging.path, 'tree')
  const folders = new Folders(store, root)
  folders.make('')
  const targets = function* (): Generator<Target> {
    for (const entry of source()) {
      count(entry)
      if (entry.kind === 'directory') {
        folders.make(entry.path)
        continue
      }
      folders.make(parentOf(entry.path))
      const file = `${root}/${entry.path}`
      if (entry.kind === 'symlink') links.push({ path: file, target: entry.target })
      else if (entry.kind === 'file') yield { entry, file }
      else moveReference(store, request, entry, file)
    }
  }
  const damage = await writeFiles(store, targets(), undefined, request)
  for (const { path, target } of links) store.io.symlink(target, path)
  publishDirectory(store, root, request.dir)
  refuseDamage(request.ref, damage)
  return result
}

function publishDirectory({ io }: OpenedStore, from: string, dir: string): void {
  io.mkdir(dirname(dir), { recursive: true })
  if (!existsSync(dir)) {
    io.rename(from, dir)
    return
  }
  // An empty directory that is there stays the same directory: somebody may stand in it, or have mounted it.
  for (const name of readdirSync(from)) io.rename(join(from, name), join(dir, name))
}

/** False for a reference whose bytes were not fetched. */
function isAtHand({ references, dryRun }: CheckoutRequest, entry: Entry): boolean {
  return entry.kind !== 'reference' || dryRun || references?.has(entry.path) === true
}

function refuseBlocked({ ref, dir }: CheckoutRequest, blocked: readonly string[]): void {
  if (blocked.length === 0) return
  throw new ArtifactsError(
    'ERR_WOULD_OVERWRITE',
    `In "${dir}", what is never deleted is in the way of files of "${ref}":\n${listed(blocked)}`,
    { hint: 'Move it away, or take another directory.', data: { paths: blocked } },
  )
}

function refuseLoss({ ref, dir }: CheckoutRequest, lost: readonly string[]): void {
  if (lost.length === 0) return
  throw new ArtifactsError(
    'ERR_WOULD_OVERWRITE',
    `Making "${dir}" equal to "${ref}" would lose files that are in neither version:\n${listed(lost)}`,
    {
      hint: `Commit them first (\`artifacts commit ${dir}\`), or pass \`--force\` to lose them.`,
      data: { paths: lost },
    },
  )
}

function listed(paths: readonly string[]): string {
  const named = paths.slice(0, 10).map((path) => `  "${path}"`)
  if (paths.length > named.length) named.push(`  and ${paths.length - named.length} more`)
  return named.join('\n')
}
