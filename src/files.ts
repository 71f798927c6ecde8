/** A version's files: on disk, as bytes, and whether they are what they should be. */
import { resolve } from 'node:path'
import { bindDirectory, bindingOf, listBindings } from './bindings.ts'
import { checkReferences } from './checked-references.ts'
import { diffSides } from './differences.ts'
import { ArtifactsError } from './errors.ts'
import { type Fetched, fetchReferences } from './fetched-references.ts'
import { fetchAbsent, refuseNotFetched } from './not-fetched.ts'
import { contentOf, refOf, type Session } from './session.ts'
import { type CheckoutResult, checkoutVersion, downloadVersion } from './store/checkout/checkout.ts'
import { openStaging } from './store/checkout/staging.ts'
import { ignore } from './store/commonjs.ts'
import { pathFilter } from './store/compare.ts'
import type { VersionRow } from './store/index/state.ts'
import { nodeReader, type OpenedStore } from './store/opened.ts'
import { fileBytes } from './store/read-file.ts'
import { entries, lookup } from './store/tree/cursor.ts'
import { verifyStored } from './store/verify.ts'
import type { Entry, FileEntry, ObjectId, OperationOptions, ReferenceEntry } from './types.ts'

export interface CheckoutOptions extends OperationOptions {
  /** Lose files that are in neither version. */
  readonly force?: boolean
  readonly dryRun?: boolean
  /** Only these paths and what is below them; the directory is not bound then. */
  readonly paths?: readonly string[]
  /** Leave out references whose bytes can't be had, instead of failing. */
  readonly allowMissingReferences?: boolean
  readonly jobs?: number
}

export interface CheckoutReport extends CheckoutResult {
  readonly ref: string
  /** Absolute. */
  readonly dir: string
  readonly dryRun: boolean
  /** References that were left out. */
  readonly missingReferences: readonly string[]
  readonly bound?: { readonly path: string; readonly replaced?: string }
}

export interface DownloadOptions extends OperationOptions {
  /** Only paths that begin with one of these. */
  readonly prefix?: readonly string[]
  /** gitignore patterns: only what matches one. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Leave out references whose bytes can't be had, instead of failing. */
  readonly allowMissingReferences?: boolean
  readonly jobs?: number
}

export interface DownloadReport {
  readonly ref: string
  /** Absolute. */
  readonly dir: string
  readonly files: number
  readonly bytes: number
  readonly written: number
  readonly unchanged: number
  readonly missingReferences: readonly string[]
}

export interface VerifyOptions extends OperationOptions {
  /** Compare this directory with the version. */
  readonly dir?: string
  /** Look whether what references lead to is still what was recorded; this asks over networks. */
  readonly references?: boolean
}

export interface VerifyReport {
  readonly ref: string
  readonly dir?: string
  readonly ok: boolean
  readonly files: number
  readonly bytes: number
  /** Entries whose bytes stay elsewhere: counted, and checked when that is asked for. */
  readonly references: number
  /** Entries of which bytes are still with a remote: these were not checked. */
  readonly notFetched: number
  /** References of which nothing could be found out, and why. */
  readonly unchecked: readonly { readonly path: string; readonly reason: string }[]
  readonly missing: readonly string[]
  readonly changed: readonly string[]
  readonly extra: readonly string[]
  /** Stored bytes that are not what they should be. */
  readonly damaged: readonly { readonly path: string; readonly reason: string }[]
}

/**
 * Makes `dir` equal to the version; without `dir`, the one directory bound to its artifact.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_USAGE, ERR_WOULD_OVERWRITE, ERR_DAMAGED.
 */
export async function checkout(
  session: Session,
  ref: string,
  dir: string | undefined,
  options: CheckoutOptions = {},
): Promise<CheckoutReport> {
  const { opened } = session
  const resolved = contentOf(session, ref)
  const target = dir === undefined ? boundTo(session, resolved.artifact.id) : resolve(dir)
  const { paths = [], force = false, dryRun = false } = options
  const name = refOf(session, resolved)
  const isAsked = pathFilter(paths)
  const ask = { content: !dryRun, isWanted: isAsked, paths }
  await fetchAbsent(session, resolved, ask, options)
  const before = versionIn(session, target)
  const { root } = resolved.version.object
  const referred = dryRun ? [] : referencesIn(opened, root, isAsked)
  using fetched = await fetchInto(session, name, target, referred, options)
  const result = await checkoutVersion(opened, {
    ref: name,
    root,
    dir: target,
    references: fetched.atHand,
    ...(before === undefined ? {} : { bound: before.object.root }),
    force,
    dryRun,
    paths,
    jobs: options.jobs,
    signal: options.signal,
    onProgress: options.onProgress,
  })
  const missingReferences = fetched.missing
  const report = { ref: name, dir: target, dryRun, ...result, missingReferences }
  if (dryRun || paths.length > 0) return report
  const bound = bindDirectory(session, target, resolved.version.id)
  return bound === undefined ? report : { ...report, bound }
}

/** Adds the version's files to `dir`, by default `./artifacts/NAME-vN`. */
export async function download(
  session: Session,
  ref: string,
  dir: string | undefined,
  options: DownloadOptions = {},
): Promise<DownloadReport> {
  const { opened } = session
  const resolved = contentOf(session, ref)
  const { artifact, version } = resolved
  const target = resolve(dir ?? `artifacts/${artifact.name}-v${version.number}`)
  const name = refOf(session, resolved)
  const isWanted = wantedPaths(options)
  await fetchAbsent(session, resolved, { isWanted }, options)
  const found = summarize(entries(nodeReader(opened), version.object.root), isWanted)
  using fetched = await fetchInto(session, name, target, found.references, options)
  const request = {
    references: fetched.atHand,
    ref: name,
    root: version.object.root,
    dir: target,
    force: false,
    dryRun: false,
    paths: [],
    jobs: options.jobs,
    signal: options.signal,
    onProgress: options.onProgress,
  }
  const { added, changed, unchanged } = await downloadVersion(opened, request, isWanted)
  return {
    ref: name,
    dir: target,
    files: found.files + fetched.atHand.size,
    bytes: found.bytes + fetched.bytes,
    written: added + changed,
    unchanged,
    missingReferences: fetched.missing,
  }
}

interface FetchedAside extends Disposable, Fetched {
  readonly bytes: number
}

/** Fetches references for a directory; what is not moved into it goes when this is disposed of. */
async function fetchInto(
  session: Session,
  ref: string,
  dir: string,
  references: readonly ReferenceEntry[],
  options: OperationOptions & { readonly allowMissingReferences?: boolean },
): Promise<FetchedAside> {
  if (references.length === 0) {
    return { atHand: new Map(), missing: [], bytes: 0, [Symbol.dispose]: () => {} }
  }
  const staging = openStaging(session.opened, dir)
  try {
    const { allowMissingReferences: allowMissing = false, signal, onProgress } = options
    const request = { ref, dir, entries: references, staging, allowMissing, signal, onProgress }
    const fetched = await fetchReferences(session, request)
    let bytes = 0
    for (const { path, reference } of references) {
      const one = fetched.atHand.get(path)
      bytes += one === undefined ? 0 : one === 'there' ? (reference.size ?? 0) : one.size
    }
    return { ...fetched, bytes, [Symbol.dispose]: () => staging[Symbol.dispose]() }
  } catch (error) {
    staging[Symbol.dispose]()
    throw error
  }
}

function referencesIn(
  opened: OpenedStore,
  root: ObjectId,
  isWanted: (path: string) => boolean,
): readonly ReferenceEntry[] {
  return summarize(entries(nodeReader(opened), root), isWanted).references
}

/** Downloads a version of one file; returns the file's path. @throws ArtifactsError ERR_USAGE when it has more. */
export async function downloadFile(
  session: Session,
  ref: string,
  dir: string | undefined,
  options: OperationOptions = {},
): Promise<string> {
  const resolved = contentOf(session, ref)
  await fetchAbsent(session, resolved, {}, options)
  const { files, root } = resolved.version.object
  const only = files === 1 ? firstFile(entries(nodeReader(session.opened), root)) : undefined
  if (only?.kind !== 'file') {
    const what = only === undefined ? `has ${files} files, not one` : `is one ${only.kind}, no file`
    throw new ArtifactsError('ERR_USAGE', `"${ref}" ${what}.`, {
      hint: `Download all of it: \`artifacts download ${ref}\`.`,
    })
  }
  const report = await download(session, ref, dir, options)
  return resolve(report.dir, only.path)
}

/** Empty directories are no files, and may come first. */
function firstFile(all: Iterable<Entry>): Entry | undefined {
  for (const entry of all) if (entry.kind !== 'directory') return entry
  return undefined
}

/** A version's entries in ascending path order; only those whose path begins with `prefix`. */
export function* listEntries(
  session: Session,
  ref: string,
  options: { readonly prefix?: string } = {},
): Generator<Entry> {
  const resolved = contentOf(session, ref)
  refuseNotFetched(session, resolved, { ...options, content: false })
  yield* entries(nodeReader(session.opened), resolved.version.object.root, options)
}

/**
 * The bytes of one file, piece by piece, each verified before it is handed out.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_DAMAGED, ERR_UNSUPPORTED for an entry that is no file.
 */
export function* readFile(
  session: Session,
  ref: string,
  path: string,
  options: OperationOptions = {},
): Generator<Uint8Array> {
  yield* fileBytes(session.opened, fileAt(session, ref, path), options.signal)
}

/** Checks a version's stored bytes, and its references; with `dir`, that directory against the version. */
export async function verify(
  session: Session,
  ref: string,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const resolved = contentOf(session, ref)
  const name = refOf(session, resolved)
  const { root, files, bytes } = resolved.version.object
  if (options.dir === undefined) {
    refuseNotFetched(session, resolved, { content: false })
    const isPartial = session.opened.index.state.isPartial(resolved.version.id)
    const checked = await verifyStored(session.opened, root, { ...options, isPartial })
    const { damage, references, notFetched } = checked
    const damaged = Array.from(damage, ([path, reason]) => ({ path, reason }))
    const report = { ...NOTHING, ref: name, files, bytes, references, damaged, notFetched }
    if (options.references !== true) return { ...report, ok: damaged.length === 0 }
    const all = referencesIn(session.opened, root, () => true)
    const { missing, changed, unchecked, complete } = await checkReferences(session, all, options)
    const ok = complete && damaged.length + missing.length + changed.length === 0
    return { ...report, ok, missing, changed, unchecked }
  }
  if (options.references === true) {
    throw new ArtifactsError(
      'ERR_USAGE',
      'References are checked where they lead to, not in a directory.',
      {
        hint: `Leave one of them out: \`artifacts verify ${ref} --references\`.`,
      },
    )
  }
  const dir = resolve(options.dir)
  const { changes } = await diffSides(session, { ref }, { dir }, { renames: false, ...options })
  const paths = (...kinds: readonly string[]): string[] =>
    changes.filter(({ kind }) => kinds.includes(kind)).map(({ path }) => path)
  const report = {
    ...NOTHING,
    missing: paths('removed'),
    changed: paths('modified', 'mode', 'type'),
    extra: paths('added'),
  }
  return { ...report, ref: name, dir, ok: changes.length === 0, files, bytes, references: 0 }
}

const NOTHING = {
  missing: [],
  changed: [],
  extra: [],
  damaged: [],
  unchecked: [],
  notFetched: 0,
} as const

/** The version that a directory held last. A note that is damaged says no more than one that is lost. */
function versionIn(session: Session, dir: string): VersionRow | undefined {
  try {
    const binding = bindingOf(session, dir, { exactly: true })
    const version = binding && session.opened.index.state.versionById(binding.version)
    // What gc has removed can't be compared with.
    return version?.purged === undefined ? version : undefined
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return undefined
    throw error
  }
}

function boundTo(session: Session, artifact: string): string {
  const dirs = listBindings(session).filter((binding) => binding.artifact === artifact)
  const [only] = dirs
  if (only !== undefined && dirs.length === 1) return resolve(session.opened.workspace, only.path)
  throw new ArtifactsError(
    'ERR_USAGE',
    dirs.length === 0
      ? 'No directory is bound to the artifact.'
      : 'Several directories are bound to the artifact.',
    { hint: 'Name the directory: `artifacts checkout REF DIR`.' },
  )
}

function wantedPaths({ prefix, include, exclude }: DownloadOptions): (path: string) => boolean {
  const included =
    include === undefined || include.length === 0 ? undefined : ignore().add([...include])
  const excluded =
    exclude === undefined || exclude.length === 0 ? undefined : ignore().add([...exclude])
  return (path) =>
    (prefix === undefined || prefix.length === 0 || prefix.some((each) => path.startsWith(each))) &&
    (included === undefined || included.ignores(path)) &&
    excluded?.ignores(path) !== true
}

function summarize(
  all: Iterable<Entry>,
  isWanted: (path: string) => boolean,
): {
  readonly files: number
  readonly bytes: number
  readonly references: readonly ReferenceEntry[]
} {
  let files = 0
  let bytes = 0
  const references: ReferenceEntry[] = []
  for (const entry of all) {
    if (!isWanted(entry.path)) continue
    if (entry.kind === 'reference') references.push(entry)
    if (entry.kind === 'file' || entry.kind === 'symlink') files++
    if (entry.kind === 'file') bytes += entry.size
  }
  return { files, bytes, references }
}

function fileAt(session: Session, ref: string, path: string): FileEntry {
  const resolved = contentOf(session, ref)
  const isWanted = (each: string): boolean => each === path
  refuseNotFetched(session, resolved, { prefix: path, isWanted, paths: [path] })
  const entry = lookup(nodeReader(session.opened), resolved.version.object.root, path)
  if (entry?.kind === 'file') return entry
  if (entry !== undefined) {
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `"${path}" of "${ref}" is a ${entry.kind}, not a file.`,
    )
  }
  throw new ArtifactsError('ERR_NOT_FOUND', `"${ref}" has no entry "${path}".`, {
    hint: `Run \`artifacts ls ${ref.includes(':') || ref.includes('@') ? ref : `${ref}:`}\` to see its entries.`,
  })
}
