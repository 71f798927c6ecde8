/** Differences between versions and directories, as plain data. */
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Binding, bindingOf, listBindings } from './bindings.ts'
import {
  type ChangeWithContents,
  type ContentsOptions,
  contentDifferences,
} from './content-differences.ts'
import { ArtifactsError } from './errors.ts'
import { fetchAbsent, refuseNotFetched } from './not-fetched.ts'
import { contentOf, refOf, type Session } from './session.ts'
import { compare, type Side } from './store/compare.ts'
import type { Resolved } from './store/index/resolve.ts'
import type { VersionRow } from './store/index/state.ts'
import { currentVersion } from './store/log/plan.ts'
import type { Difference } from './store/tree/classify.ts'
import { entrySize } from './store/tree/entry.ts'
import type { ArtifactId, Entry, ObjectId, OperationOptions } from './types.ts'

/** A version, or a directory as it is now. */
export type DiffSide = { readonly ref: string } | { readonly dir: string }

export interface DiffOptions extends OperationOptions {
  /** Whether an entry that was removed here and added there is one rename. Default true. */
  readonly renames?: boolean
  /** Only these paths and what is below them. */
  readonly paths?: readonly string[]
}

export interface EntrySummary {
  readonly kind: Entry['kind']
  /** Bytes. */
  readonly size: number
  readonly executable: boolean
  /** Id of the content, or of inline bytes none; a symlink's target. */
  readonly digest?: string
}

/** `modified` is content; `mode` the executable bit alone; `type` another kind of entry. */
export interface Change {
  readonly kind: Difference['kind']
  readonly path: string
  /** Where a renamed entry was. */
  readonly from?: string
  readonly before?: EntrySummary
  readonly after?: EntrySummary
}

export interface DiffReport {
  readonly from: string
  readonly to: string
  /** In path order. */
  readonly changes: readonly Change[]
  readonly added: number
  readonly removed: number
  readonly modified: number
  readonly renamed: number
  readonly mode: number
  readonly type: number
  /** Sizes of what was added or changed, after; and of what was removed or changed, before. */
  readonly bytesAdded: number
  readonly bytesRemoved: number
}

/** What differs between two sides; as JSON and as a copy, the report alone. */
export interface Diff extends DiffReport {
  /**
   * Each change, in path order, and what differs inside files whose content changed: lines, values, rows, tensors,
   * pixels or bytes. Files are read as they come, one pair at a time.
   *
   * @throws ArtifactsError ERR_DAMAGED, ERR_FILE_CHANGED.
   * @example
   * const diff = await store.diff({ ref: 'bike:v0' }, { ref: 'bike:v1' })
   * for await (const { path, contents } of diff.contents({ keys: ['id'] })) console.log(path, contents)
   */
  readonly contents: (options?: ContentsOptions) => AsyncIterable<ChangeWithContents>
}

export interface DirectoryStatus {
  /** Relative to the workspace, or absolute outside of it. */
  readonly path: string
  /** What it was committed as or checked out from. */
  readonly ref: string
  readonly artifact: string
  readonly version: string
  /** What the artifact's name means now. */
  readonly latest: string
  /** `missing`: the directory. `unknown`: what it held was removed by gc. */
  readonly state: 'clean' | 'changed' | 'missing' | 'unknown'
  /** The version is deleted, or even removed by gc. */
  readonly gone?: 'deleted' | 'removed'
  readonly changes: readonly Change[]
  readonly added: number
  readonly modified: number
  readonly removed: number
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_DAMAGED, ERR_UNREADABLE. */
export async function diffSides(
  session: Session,
  from: DiffSide,
  to: DiffSide,
  options: DiffOptions = {},
): Promise<Diff> {
  const a = sideOf(session, from)
  const b = sideOf(session, to)
  const differences = await compare(session.opened, a.side, b.side, options)
  const changes = differences.map(changeOf)
  const count = (kind: Change['kind']): number =>
    changes.filter((change) => change.kind === kind).length
  let bytesAdded = 0
  let bytesRemoved = 0
  for (const { kind, before, after } of changes) {
    if (kind === 'renamed' || kind === 'mode') continue
    bytesAdded += after?.size ?? 0
    bytesRemoved += before?.size ?? 0
  }
  const report: DiffReport = {
    from: a.name,
    to: b.name,
    changes,
    added: count('added'),
    removed: count('removed'),
    modified: count('modified'),
    renamed: count('renamed'),
    mode: count('mode'),
    type: count('type'),
    bytesAdded,
    bytesRemoved,
  }
  const modified = new Set(changes.flatMap(({ kind, path }) => (kind === 'modified' ? [path] : [])))
  const contents = async function* (asked?: ContentsOptions): AsyncGenerator<ChangeWithContents> {
    for (const { resolved } of [a, b]) {
      const ask = { isWanted: (path: string) => modified.has(path) }
      if (resolved !== undefined) await fetchAbsent(session, resolved, ask, asked)
    }
    yield* contentDifferences(session, a.side, b.side, changes, differences, asked)
  }
  return Object.defineProperty(report, 'contents', { value: contents }) as Diff
}

/** Compares one bound directory, or all of them, with the version it holds. */
export async function directoryStatus(
  session: Session,
  dir: string | undefined,
  options: OperationOptions = {},
): Promise<DirectoryStatus[]> {
  const bindings = dir === undefined ? listBindings(session) : [boundAt(session, dir)]
  const all: DirectoryStatus[] = []
  for (const binding of bindings) all.push(await statusOf(session, binding, options))
  return all
}

function boundAt(session: Session, dir: string): Binding {
  const binding = bindingOf(session, dir, { exactly: true })
  if (binding !== undefined) return binding
  throw new ArtifactsError('ERR_NOT_FOUND', `"${dir}" is not bound to an artifact.`, {
    hint: `Commit it: \`artifacts commit ${dir} -n NAME\`.`,
  })
}

async function statusOf(
  session: Session,
  binding: Binding,
  options: OperationOptions,
): Promise<DirectoryStatus> {
  const { state } = session.opened.index
  const dir = resolve(session.opened.workspace, binding.path)
  const latest = currentVersion(state, binding.artifact as ArtifactId)
  const version = state.versionById(binding.version as ObjectId)
  // A pull may have given it another number since.
  const { number } = version ?? binding
  const facts = {
    path: binding.path,
    ref: refOf(session, { artifact: binding, version: { number } }),
    artifact: binding.name,
    version: `v${number}`,
    latest: latest === undefined ? '' : `v${latest.number}`,
    ...goneness(version),
  }
  const none = { changes: [], added: 0, modified: 0, removed: 0 }
  if (!existsSync(dir)) return { ...facts, state: 'missing', ...none }
  if (version === undefined || version.purged !== undefined)
    return { ...facts, state: 'unknown', ...none }
  const found = await compare(session.opened, { root: version.object.root }, { dir }, options)
  const changes = found.map(changeOf)
  const added = changes.filter(({ kind }) => kind === 'added').length
  const removed = changes.filter(({ kind }) => kind === 'removed').length
  return {
    ...facts,
    state: changes.length === 0 ? 'clean' : 'changed',
    changes,
    added,
    modified: changes.length - added - removed,
    removed,
  }
}

function goneness(version: VersionRow | undefined): Pick<DirectoryStatus, 'gone'> {
  if (version === undefined || version.purged !== undefined) return { gone: 'removed' }
  return version.deleted === undefined ? {} : { gone: 'deleted' }
}

interface NamedSide {
  readonly side: Side
  readonly name: string
  /** Absent for a directory. */
  readonly resolved?: Resolved
}

function sideOf(session: Session, side: DiffSide): NamedSide {
  if ('ref' in side) {
    const resolved = contentOf(session, side.ref)
    refuseNotFetched(session, resolved, { content: false })
    const { root } = resolved.version.object
    return { side: { root }, name: refOf(session, resolved), resolved }
  }
  const dir = resolve(side.dir)
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new ArtifactsError('ERR_NOT_FOUND', `There is no directory "${side.dir}".`, {
      hint: 'Check the path; it is relative to the current directory.',
    })
  }
  return { side: { dir }, name: dir }
}

function changeOf(difference: Difference): Change {
  const { kind, path } = difference
  return {
    kind,
    path,
    ...('from' in difference ? { from: difference.from } : {}),
    ...('before' in difference ? { before: summaryOf(difference.before) } : {}),
    ...('after' in difference ? { after: summaryOf(difference.after) } : {}),
  }
}

function summaryOf(entry: Entry): EntrySummary {
  const digest = digestOf(entry)
  return {
    kind: entry.kind,
    size: entrySize(entry),
    executable: entry.kind === 'file' && entry.executable,
    ...(digest === undefined ? {} : { digest }),
  }
}

function digestOf(entry: Entry): string | undefined {
  if (entry.kind === 'symlink') return entry.target
  if (entry.kind === 'reference')
    return `${entry.reference.digest.algo}:${entry.reference.digest.value}`
  return entry.kind === 'file' && entry.content.kind !== 'inline' ? entry.content.id : undefined
}
