/** Commit as a person asks for it: paths, URIs, names and refs become sources, entries, an artifact and a base. */
import { type Stats, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Binding, bindDirectory, bindingOf } from './bindings.ts'
import { newReferences, refuseResolveWith } from './commit-references.ts'
import { ArtifactsError, isSystemError } from './errors.ts'
import {
  checkAlias,
  checkName,
  checkProse,
  checkTag,
  checkText,
  checkType,
  parseRef,
} from './names.ts'
import { isUri, referenceName } from './references.ts'
import { resolveRun } from './run-search.ts'
import { sessionOfRun } from './runs.ts'
import { refOf, type Session, versionOf } from './session.ts'
import { spoolInput } from './standard-input.ts'
import { type CommitRequest, type CommitResult, commitVersion } from './store/commit/commit.ts'
import type { Source } from './store/ingest/scan.ts'
import { currentVersion } from './store/log/plan.ts'
import { checkPath } from './store/tree/paths.ts'
import type { Entry, Metadata, ObjectId, OperationOptions } from './types.ts'

export interface CommitOptions extends OperationOptions {
  /** `[project/]name`; default: what the directory is bound to, else the basename of the only path. */
  readonly name?: string
  readonly type?: string
  /** For one directory the path its content goes under, for one file its path; with `/` at the end a folder. */
  readonly as?: string
  /** Bytes for the path `-`. */
  readonly stdin?: AsyncIterable<Uint8Array>
  readonly aliases?: readonly string[]
  readonly tags?: readonly string[]
  readonly description?: string
  readonly metadata?: Metadata
  /** The version whose entries the new one starts from. */
  readonly base?: string
  /** `base` is the version that the artifact's name means, if there is one. */
  readonly incremental?: boolean
  readonly reuse?: 'latest' | 'any' | 'never'
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly allowSecrets?: boolean
  /** Paths are recorded as references and stay where they are. */
  readonly reference?: boolean
  /** Of references; see {@link ReferenceOptions}. */
  readonly checksum?: boolean
  readonly maxObjects?: number
  readonly offline?: boolean
  /** Instead of paths: the version to be stored again, with its unresolved references looked up. */
  readonly resolve?: string
  /** The run that logs it, as `store.run` takes it; a name without project means the run's project then. */
  readonly run?: string
  /** The name that the version has in the run; default: the artifact's. */
  readonly slot?: string
  readonly dryRun?: boolean
  /** Worker threads; 0 for none. */
  readonly jobs?: number
  /** What relative paths are relative to. */
  readonly cwd?: string
}

export interface CommitReport {
  readonly artifact: string
  readonly project: string
  readonly type: string
  /** `v4`; in a dry run, the number it would get. */
  readonly version: string
  /** `bike:v4`. */
  readonly ref: string
  readonly id: ObjectId
  readonly digest: ObjectId
  readonly files: number
  readonly bytes: number
  /** Length of the packs that were written. */
  readonly storedBytes: number
  /** Bytes of content that the store had already. */
  readonly reusedBytes: number
  /** False: the content was there. */
  readonly created: boolean
  /** Id of the run that logged it. */
  readonly run?: string
  readonly dryRun: boolean
  /** Entries, against the base or the version before. */
  readonly added: number
  readonly changed: number
  readonly removed: number
  readonly unchanged: number
  /** Symlinks that lead outside. */
  readonly outwardLinks: number
  /** Sockets, FIFOs and devices, which no version holds. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[]
  /** Aliases that moved. */
  readonly aliases: readonly string[]
  /** Labels that were given and not applied, because the version was there. */
  readonly ignoredLabels: readonly string[]
  /** Paths of references of this commit that nobody could look at, for want of a network. */
  readonly unresolved: readonly string[]
  /** Paths of a watched directory that are still changing: in the version they are as they were in the one before. */
  readonly changing?: readonly string[]
  /** The directory that is bound to the version now, and the artifact it was bound to before. */
  readonly bound?: { readonly path: string; readonly replaced?: string }
}

/**
 * Stores a version. Without paths, the bound directory.
 * @throws ArtifactsError ERR_USAGE, ERR_INVALID_NAME, ERR_INVALID_PATH, ERR_NOT_FOUND, ERR_TYPE_MISMATCH, ERR_SECRETS,
 * ERR_UNREADABLE, ERR_FILE_CHANGED: nothing is committed then.
 */
export async function commitPaths(
  session: Session,
  paths: readonly string[],
  options: CommitOptions = {},
): Promise<CommitReport> {
  const { opened } = session
  refuseResolveWith(paths, options)
  const inputs = await readInputs(session, paths, options)
  try {
    const run = options.run === undefined ? undefined : resolveRun(session, options.run).id
    const within = run === undefined ? session : sessionOfRun(session, run)
    const { project, name } = targetOf(within, inputs, options)
    refuseAmbiguity(inputs, options)
    const entries = await newReferences(session, inputs, options)
    const contents = { sources: sourcesOf(inputs, options), entries }
    const report = await commitContents(session, { project, name, run }, contents, options)
    const bound = options.dryRun === true ? undefined : bindInput(session, inputs, report, options)
    return bound === undefined ? report : { ...report, bound }
  } finally {
    for (const { spooled } of inputs) if (spooled !== undefined) opened.io.unlink(spooled)
  }
}

/** Which artifact gets a version, and the id of the run that logs it. */
export interface CommitTarget {
  readonly project: string
  readonly name: string
  readonly run: string | undefined
}

/** Commits contents with the labels that a person gave. */
export async function commitContents(
  session: Session,
  target: CommitTarget,
  contents: Pick<CommitRequest, 'sources' | 'entries' | 'packs'>,
  options: CommitOptions,
): Promise<CommitReport> {
  const result = await commitVersion(session.opened, {
    ...labelsOf(session, target, options),
    ...contents,
    include: options.include ?? [],
    exclude: options.exclude ?? [],
    allowSecrets: options.allowSecrets ?? false,
    dryRun: options.dryRun ?? false,
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
    signal: options.signal,
    onProgress: options.onProgress,
  })
  const ran = target.run === undefined ? options : { ...options, run: target.run }
  return reportOf(session, target, result, contents.entries ?? [], ran)
}

/**
 * What a commit says beside its contents.
 * @throws ArtifactsError ERR_INVALID_NAME, ERR_INVALID_VALUE for labels that nothing can have, ERR_NOT_FOUND for the base.
 */
export function labelsOf(
  session: Session,
  { project, name, run }: CommitTarget,
  options: CommitOptions,
): Omit<CommitRequest, 'sources' | 'include' | 'exclude' | 'allowSecrets' | 'dryRun'> {
  const within = run === undefined ? session : sessionOfRun(session, run)
  const { aliases = [], tags = [], type, description, metadata } = options
  return {
    project,
    name,
    ...(type === undefined ? {} : { type: checkType(type) }),
    ...baseOf(within, project, name, options),
    ...(run === undefined ? {} : { run: { id: run, ...slotOf(options) } }),
    aliases: aliases.map(checkAlias),
    tags: tags.map(checkTag),
    ...(description === undefined ? {} : { description: checkProse(description, 'description') }),
    ...(metadata === undefined ? {} : { metadata }),
    reuse: options.reuse ?? 'latest',
  }
}

/** One thing to be stored. */
interface Input {
  /** Absolute. */
  readonly path: string
  readonly isDirectory: boolean
  /** What it is called where no other name is given; none for standard input. */
  readonly name: string
  /** The temporary file that holds standard input. */
  readonly spooled?: string
  /** It is referred to and stays where it is. */
  readonly uri?: string
}

async function readInputs(
  session: Session,
  paths: readonly string[],
  options: CommitOptions,
): Promise<readonly Input[]> {
  if (options.resolve !== undefined) return []
  if (paths.length === 0) {
    const binding = boundAround(session, resolve(options.cwd ?? '.'))
    const path = resolve(session.opened.workspace, binding.path)
    return [{ path, isDirectory: true, name: basename(path) }]
  }
  if (paths.includes('-')) {
    const spooled = await spoolInput(session, paths, options)
    return [{ path: spooled, isDirectory: false, name: '', spooled }]
  }
  const inputs: Input[] = []
  for (const path of paths) {
    if (isUri(path)) {
      inputs.push({ path, isDirectory: false, name: await referenceName(path), uri: path })
      continue
    }
    // Without a `cwd` an absolute path needs no current directory, which may have been deleted.
    const absolute = options.cwd === undefined ? resolve(path) : resolve(options.cwd, path)
    inputs.push({
      path: absolute,
      isDirectory: isDirectory(absolute, path),
      name: basename(absolute),
      ...(options.reference === true ? { uri: pathToFileURL(absolute).href } : {}),
    })
  }
  return inputs
}

function boundAround(session: Session, cwd: string): Binding {
  const binding = bindingOf(session, cwd)
  if (binding !== undefined) return binding
  throw new ArtifactsError(
    'ERR_USAGE',
    'There is nothing to commit: no path is given and no directory is bound.',
    {
      hint: 'Name a path: `artifacts commit DIR -n NAME`.',
    },
  )
}

function isDirectory(path: string, given: string): boolean {
  let stat: Stats
  try {
    stat = statSync(path)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error
    throw new ArtifactsError('ERR_NOT_FOUND', `There is no file or directory "${given}".`, {
      hint: 'Check the path; it is relative to the current directory.',
      cause: error,
    })
  }
  if (stat.isDirectory()) return true
  if (stat.isFile()) return false
  throw new ArtifactsError('ERR_USAGE', `"${given}" is neither a file nor a directory.`, {
    hint: 'To store what a program writes, pipe it: `PROGRAM | artifacts commit - --as PATH -n NAME`.',
  })
}

function slotOf({ slot }: CommitOptions): { readonly slot?: string } {
  return slot === undefined ? {} : { slot: checkText(slot, 'slot') }
}

function targetOf(
  session: Session,
  inputs: readonly Input[],
  options: CommitOptions,
): { readonly project: string; readonly name: string } {
  if (options.name !== undefined) return parseName(session, options.name)
  if (options.resolve !== undefined) return versionOf(session, options.resolve).artifact
  const [input] = inputs
  if (input === undefined || inputs.length > 1 || input.spooled !== undefined) {
    throw new ArtifactsError('ERR_USAGE', 'The artifact needs a name.', {
      hint: 'Give one: `artifacts commit PATH... -n NAME`.',
    })
  }
  if (input.isDirectory && input.uri === undefined) return targetOfDirectory(session, input.path)
  return { project: session.defaults.project, name: checkName(input.name) }
}

/** What the directory is bound to, else its basename. */
export function targetOfDirectory(
  session: Session,
  path: string,
): { readonly project: string; readonly name: string } {
  const binding = bindingOf(session, path, { exactly: true })
  if (binding !== undefined) return { project: binding.project, name: binding.name }
  return { project: session.defaults.project, name: checkName(basename(path)) }
}

/** The project and name of an artifact, `[[entity/]project/]name`. */
export function parseName(
  session: Session,
  text: string,
): { readonly project: string; readonly name: string } {
  const ref = parseRef(text)
  if (ref.name === undefined || ref.selector !== undefined || ref.back !== 0) {
    throw new ArtifactsError('ERR_INVALID_NAME', `"${text}" is no name of an artifact.`, {
      hint: 'Give a name alone; versions get their numbers by themselves.',
    })
  }
  const { entity = session.defaults.entity, project = session.defaults.project, name } = ref
  if (entity !== session.defaults.entity) {
    throw new ArtifactsError(
      'ERR_INVALID_NAME',
      `"${text}" belongs to the entity "${entity}"; this store's is "${session.defaults.entity}".`,
      { hint: 'Leave the entity out, or set it: `artifacts config set entity NAME`.' },
    )
  }
  return { project, name: checkName(name) }
}

function refuseAmbiguity(inputs: readonly Input[], { as }: CommitOptions): void {
  if (as !== undefined && inputs.length > 1) {
    throw new ArtifactsError(
      'ERR_USAGE',
      '"--as" names the place of one path, and several are given.',
      {
        hint: 'Commit them one by one with `--incremental`.',
      },
    )
  }
  refuseSameNames(inputs)
}

function sourcesOf(inputs: readonly Input[], { as }: CommitOptions): Source[] {
  const local = inputs.filter(({ uri }) => uri === undefined)
  return local.map(({ path, isDirectory, name }) => {
    if (!isDirectory) return { kind: 'file', file: path, path: checkPath(filePath(name, as)) }
    const prefix = as === undefined ? (inputs.length > 1 ? name : '') : as.replace(/\/+$/, '')
    if (prefix !== '') checkPath(prefix)
    return { kind: 'directory', dir: path, prefix }
  })
}

function refuseSameNames(inputs: readonly Input[]): void {
  const paths = new Map<string, string>()
  for (const { name, path } of inputs) {
    const other = paths.get(name)
    if (other !== undefined) {
      throw new ArtifactsError(
        'ERR_INVALID_PATH',
        `"${other}" and "${path}" would both be "${name}" in the version.`,
        { hint: 'Commit one, then the other with `--incremental --as PATH`.' },
      )
    }
    paths.set(name, path)
  }
}

function filePath(name: string, as: string | undefined): string {
  if (as === undefined) return name
  return as.endsWith('/') ? `${as.replace(/\/+$/, '')}/${name}` : as
}

function baseOf(
  session: Session,
  project: string,
  name: string,
  options: CommitOptions,
): { readonly base?: { readonly version: ObjectId; readonly root: ObjectId } } {
  const from = options.base ?? options.resolve
  if (from !== undefined) {
    const { version } = versionOf(session, from)
    return { base: { version: version.id, root: version.object.root } }
  }
  if (options.incremental !== true) return {}
  const { state } = session.opened.index
  const artifact = state.artifactByName(project, name)
  const version = artifact === undefined ? undefined : currentVersion(state, artifact.id)
  return version === undefined ? {} : { base: { version: version.id, root: version.object.root } }
}

function reportOf(
  session: Session,
  { project, name }: { readonly project: string; readonly name: string },
  { outcome, object, scan, changes, storedBytes, reusedBytes }: CommitResult,
  entries: readonly Entry[],
  options: CommitOptions,
): CommitReport {
  if (outcome.kind === 'taken') throw new Error('A commit ended without a version.')
  const counts = changes ?? { added: 0, changed: 0, removed: 0, unchanged: 0 }
  const created = outcome.kind === 'created'
  const artifact = { id: outcome.artifact, project, name, type: outcome.type }
  return {
    artifact: name,
    project,
    type: outcome.type,
    version: `v${outcome.number}`,
    ref: refOf(session, { artifact, version: outcome }),
    id: outcome.version,
    digest: object.root,
    files: object.files,
    bytes: object.bytes,
    storedBytes,
    reusedBytes,
    created,
    ...(options.run === undefined ? {} : { run: options.run }),
    dryRun: options.dryRun ?? false,
    ...counts,
    outwardLinks: scan.outwardLinks,
    ...(scan.unsettled.size === 0 ? {} : { changing: Array.from(scan.unsettled) }),
    skipped: scan.skipped,
    aliases: outcome.moved.map(({ alias }) => alias),
    ignoredLabels: created ? [] : outcome.ignored,
    unresolved: entries.flatMap((entry) =>
      entry.kind === 'reference' && !entry.reference.resolved ? [entry.path] : [],
    ),
  }
}

/** A directory that was committed whole is bound; with a base or patterns it is not what the version holds. */
function bindInput(
  session: Session,
  inputs: readonly Input[],
  report: CommitReport,
  options: CommitOptions,
): CommitReport['bound'] {
  const [input] = inputs
  const isWhole =
    inputs.length === 1 &&
    input?.isDirectory === true &&
    input.uri === undefined &&
    options.as === undefined &&
    options.base === undefined &&
    options.incremental !== true &&
    (options.include ?? []).length === 0 &&
    (options.exclude ?? []).length === 0
  return isWhole ? bindDirectory(session, input.path, report.id) : undefined
}
