/** What a run logs, uses and links: drafts, versions, and what a program has at hand: paths, URIs and values. */
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { Artifact, contentsOf } from './artifact.ts'
import { ArtifactVersion } from './artifact-version.ts'
import { type LogOptions, prepareLog } from './commit-artifact.ts'
import { ArtifactsError, isSystemError } from './errors.ts'
import { write } from './labels.ts'
import { checkMetadata } from './metadata.ts'
import { checkAlias, checkProse, checkTag, checkText, isName } from './names.ts'
import { linkVersion } from './portfolios.ts'
import { isUri } from './references.ts'
import { runRow, sessionOfRun, type UseOptions, useVersions } from './runs.ts'
import { type Session, versionOf } from './session.ts'
import { addToDraft, draftTarget, finishSharedDraft, newestOf } from './shared-drafts.ts'
import type { DraftTarget } from './store/log/plan-draft.ts'
import { planLogAgain } from './store/log/plan-log-again.ts'
import type { Metadata, OperationOptions } from './types.ts'
import type { TypedValue } from './values/values.ts'
import { expectedType } from './version-search.ts'

export interface RunLogOptions extends LogOptions {
  /** The name that the version has in the run, any text; default: the artifact's. */
  readonly slot?: string
}

/** Of what is logged by its path, its URI or itself. */
export interface LogObjectOptions extends RunLogOptions {
  /** Default: the artifact's, else `dataset`. */
  readonly type?: string
  /** Its path in the version. */
  readonly as?: string
  readonly description?: string
  readonly metadata?: Metadata
}

/** Who asks: a run, and what names mean in its project. */
export interface RunContext {
  readonly id: string
  /** Asked anew for each question. */
  readonly session: () => Session
}

/**
 * Logs a draft; a version that is there is recorded as logged by the run as well.
 * @param added what is still being added to the draft
 */
export async function logIn(
  run: RunContext,
  what: Artifact | ArtifactVersion,
  options: RunLogOptions = {},
  added: Promise<unknown> = Promise.resolve(),
): Promise<ArtifactVersion> {
  const { slot, ...rest } = options
  const session = run.session()
  const edge = { id: run.id, ...(slot === undefined ? {} : { slot: checkText(slot, 'slot') }) }
  if (!(what instanceof Artifact)) return logAgain(run, what, edge.slot, rest)
  const { project } = runRow(session, run.id)
  const log = prepareLog(session, what, rest, { project, run: edge, added })
  const id = await session.queue.run(log)
  return new ArtifactVersion(run.session, versionOf(run.session(), `@${id}`))
}

async function logAgain(
  run: RunContext,
  { id, name }: ArtifactVersion,
  slot: string | undefined,
  { aliases = [] }: LogOptions,
): Promise<ArtifactVersion> {
  const session = run.session()
  const intent = {
    run: run.id,
    slot: slot ?? name,
    version: id,
    name,
    aliases: aliases.map(checkAlias),
  }
  await session.queue.run(() => write(session, (state) => planLogAgain(state, intent)))
  return new ArtifactVersion(run.session, versionOf(run.session(), `@${id}`))
}

/** Uses a version; a draft is made one first, unless there is one with the same content. */
export async function useIn(
  run: RunContext,
  what: string | Artifact | ArtifactVersion,
  options: UseOptions = {},
): Promise<ArtifactVersion> {
  const ref = typeof what === 'string' ? what : `@${await idOf(run, what)}`
  const session = run.session()
  const found = await session.queue.run(() => useVersions(session, run.id, [ref], options))
  const [resolved] = found
  if (resolved === undefined) throw new Error('Nothing was used.')
  return new ArtifactVersion(run.session, resolved)
}

async function idOf(run: RunContext, what: Artifact | ArtifactVersion): Promise<string> {
  if (what instanceof ArtifactVersion) return what.id
  const session = run.session()
  const { project } = runRow(session, run.id)
  return session.queue.run(prepareLog(session, what, { reuse: 'any' }, { project }))
}

/** Links a version into a portfolio; a draft is logged by the run first. */
export async function linkIn(
  run: RunContext,
  what: string | Artifact | ArtifactVersion,
  target: string,
  options: { readonly aliases?: readonly string[] } = {},
): Promise<ArtifactVersion> {
  const version = what instanceof Artifact ? await logIn(run, what) : what
  const ref = typeof version === 'string' ? version : `@${version.id}`
  const session = run.session()
  const within = sessionOfRun(session, run.id)
  const link = await session.queue.run(() => linkVersion(within, ref, target, options))
  return new ArtifactVersion(run.session, versionOf(within, link.ref))
}

/** How a draft is known to those who build it. */
export interface UpsertOptions extends OperationOptions {
  /** Default: the group of the run. */
  readonly distributedId?: string
  /** What is added takes the place of what others have added. */
  readonly overwrite?: boolean
  readonly allowSecrets?: boolean
}

export interface FinishArtifactOptions extends UpsertOptions {
  readonly aliases?: readonly string[]
  readonly tags?: readonly string[]
  readonly slot?: string
}

/** Adds what a draft holds to the one that all runs of a group build together. */
export async function upsertIn(
  run: RunContext,
  artifact: Artifact,
  options: UpsertOptions = {},
): Promise<void> {
  const session = run.session()
  const { signal, onProgress, overwrite = false, allowSecrets = false } = options
  const target = sharedDraft(run, artifact, options)
  const contents = contentsOf(artifact)
  contents.requireOpen()
  await session.queue.run(() =>
    addToDraft(session, contents, target, {
      run: run.id,
      overwrite,
      allowSecrets,
      signal,
      onProgress,
    }),
  )
}

/** Makes a version of what all have added, and of what the draft that is given holds. */
export async function finishIn(
  run: RunContext,
  artifact: Artifact,
  options: FinishArtifactOptions = {},
): Promise<ArtifactVersion> {
  const session = run.session()
  const { signal, onProgress, slot, aliases = [], tags = [] } = options
  const { project, name, key } = sharedDraft(run, artifact, options)
  aliases.map(checkAlias)
  tags.map(checkTag)
  const edge = { id: run.id, ...(slot === undefined ? {} : { slot: checkText(slot, 'slot') }) }
  const { description } = artifact
  const metadata = checkMetadata(artifact.metadata)
  const contents = contentsOf(artifact)
  const adds = !contents.isHandedOver && !contents.tree.isEmpty
  const added = adds ? upsertIn(run, artifact, options) : Promise.resolve()
  const { version } = await session.queue.run(async () => {
    await added
    const draft = run.session().state.openDraft(project, name, key)
    if (draft === undefined) {
      throw new ArtifactsError(
        'ERR_NOT_FOUND',
        `Nobody has added to the draft "${key}" of "${name}".`,
        {
          hint: 'Add to it with `run.upsertArtifact`, or log the artifact: `run.logArtifact`.',
        },
      )
    }
    return finishSharedDraft(session, draft.id, {
      type: artifact.type,
      aliases,
      tags,
      ...(description === undefined ? {} : { description: checkProse(description, 'description') }),
      ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
      run: edge,
      signal,
      onProgress,
    })
  })
  contents.finalize()
  return new ArtifactVersion(run.session, versionOf(run.session(), `@${version}`))
}

function sharedDraft(
  run: RunContext,
  artifact: Artifact,
  { distributedId }: UpsertOptions,
): DraftTarget {
  const session = run.session()
  const { group, project: own } = runRow(session, run.id)
  const key = distributedId ?? group
  if (key === undefined) {
    throw new ArtifactsError(
      'ERR_USAGE',
      `Run "${run.id}" is in no group: nothing tells which draft of "${artifact.name}" is meant.`,
      { hint: 'Start the runs with the same `group`, or pass the same `distributedId`.' },
    )
  }
  const { name, type, project = own } = artifact
  const base = artifact.incremental ? newestOf(session, project, name) : undefined
  return draftTarget({ project, name, type, key }, base)
}

/**
 * Logs an object under a name of any text: a path, a URI, or a value. A text is a path or a URI, never a value: one that
 * leads nowhere is an error, not a text to be kept.
 */
export async function logObject(
  run: RunContext,
  name: string,
  object: string | URL | TypedValue,
  options: LogObjectOptions = {},
): Promise<ArtifactVersion> {
  const { type, as, description, metadata, slot, ...rest } = options
  const within = sessionOfRun(run.session(), run.id)
  const artifact = new Artifact(nameFor(name), {
    type: type ?? expectedType(within, nameFor(name)) ?? 'dataset',
    ...(description === undefined ? {} : { description }),
    ...(metadata === undefined ? {} : { metadata }),
  })
  // Not awaited here: the numbers of versions follow the order of the calls.
  const added = addObject(artifact, object, as)
  added.catch(() => {
    // Logging fails with it.
  })
  return logIn(run, artifact, { slot: slot ?? name, ...rest }, added)
}

/** The name that a path or URI is logged under which is given none. */
export function nameOfPath(run: string, path: string | URL): string {
  const name = basename(path instanceof URL ? path.pathname : path.replace(/[?#].*$/, ''))
  return nameFor(`run-${run}-${name}`)
}

/** A text as the name of an artifact: what a name can't hold becomes a dash. */
function nameFor(text: string): string {
  const name = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^-+|-+$/g, '')
    .slice(0, 128)
  if (isName(name)) return name
  throw new ArtifactsError('ERR_INVALID_NAME', `"${text}" makes no name of an artifact.`, {
    hint: 'Log an `Artifact` with a name of its own, and give this one as its `slot`.',
  })
}

async function addObject(
  artifact: Artifact,
  object: string | URL | TypedValue,
  as: string | undefined,
): Promise<void> {
  const place = as === undefined ? {} : { as }
  if (object instanceof URL || (typeof object === 'string' && isUri(object))) {
    await artifact.addReference(object, place)
  } else if (typeof object !== 'string') {
    await artifact.add(as ?? artifact.name, object)
  } else if (isDirectory(object)) {
    await artifact.addDir(object, place)
  } else {
    await artifact.addFile(object, place)
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false
    throw error
  }
}
