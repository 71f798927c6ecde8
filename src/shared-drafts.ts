/**
 * Versions that several processes build together: each adds parts to a draft in the store, which is known by a key that
 * all of them have, and one of them finishes it.
 */
import { randomBytes } from 'node:crypto'
import type { DraftContents } from './draft-contents.ts'
import { refuseOtherStores } from './draft-origin.ts'
import { ArtifactsError } from './errors.ts'
import { write } from './labels.ts'
import { checkAlias, checkTag, checkText, checkType } from './names.ts'
import type { Session } from './session.ts'
import { addPart, type PartRequest, type PartResult } from './store/commit/draft-part.ts'
import { finishDraft, type MergedParts, mergeParts } from './store/commit/finish-draft.ts'
import type { DraftRow } from './store/index/state.ts'
import { currentVersion } from './store/log/plan.ts'
import { type DraftTarget, planAbort, planOpen } from './store/log/plan-draft.ts'
import { nodeReader } from './store/opened.ts'
import { entries } from './store/tree/cursor.ts'
import type { Metadata, ObjectId, OperationOptions } from './types.ts'

/** A draft that is open. */
export interface DraftSummary {
  /** 32 hex digits. */
  readonly id: string
  readonly artifact: string
  readonly project: string
  readonly type?: string
  /** What those who build it call it. */
  readonly key: string
  /** Id of the version that it starts from. */
  readonly base?: ObjectId
  readonly startedAt: string
  readonly parts: readonly DraftPartSummary[]
}

export interface DraftPartSummary {
  readonly part: number
  /** A run, or a process as `user@host:pid`. */
  readonly writer: string
  readonly files: number
  readonly bytes: number
  readonly removed: readonly string[]
  readonly at: string
}

interface AddOptions
  extends Pick<PartRequest, 'overwrite' | 'allowSecrets' | 'signal' | 'onProgress'> {
  readonly run: string | undefined
}

export interface FinishDraftOptions extends OperationOptions {
  readonly type?: string
  readonly aliases?: readonly string[]
  readonly tags?: readonly string[]
  readonly description?: string
  readonly metadata?: Metadata
  readonly reuse?: 'latest' | 'any' | 'never'
  readonly run?: { readonly id: string; readonly slot?: string }
  readonly jobs?: number
}

/** The draft of an artifact that a key means, be it open or not begun yet. */
export function draftTarget(
  { project, name, type, key }: { project: string; name: string; type?: string; key: string },
  base?: ObjectId,
): DraftTarget {
  return {
    project,
    name,
    key: checkText(key, 'key of a draft'),
    ...(type === undefined ? {} : { type: checkType(type) }),
    newDraft: randomBytes(16).toString('hex'),
    ...(base === undefined ? {} : { base }),
  }
}

/** Begins a draft. @throws ArtifactsError ERR_EXISTS, ERR_TYPE_MISMATCH, ERR_INVALID_NAME. */
export async function openDraft(session: Session, target: DraftTarget): Promise<DraftSummary> {
  const { outcome } = await write(session, (state) => planOpen(state, target))
  return draftById(session, outcome)
}

/**
 * Adds what was added to an `Artifact` as a part; nothing can be added to that afterwards. The first part begins the draft.
 * @throws ArtifactsError as `store.commit`
 */
export async function addToDraft(
  session: Session,
  contents: DraftContents,
  target: DraftTarget,
  { run, ...options }: AddOptions,
): Promise<PartResult> {
  const { opened } = session
  const end = contents.begin()
  try {
    return await contents.run(async () => {
      contents.requireWritten()
      refuseOtherStores(session, contents)
      const { base, removed } = contents.tree
      const start = base?.isParent === true ? { base: base.version } : {}
      const result = await addPart(opened, {
        ...options,
        target: { ...start, ...target },
        writer: run === undefined ? processName(opened.by) : `run ${run}`,
        ...(run === undefined ? {} : { run }),
        sources: contents.sources(),
        entries: contents.entries(),
        removed,
        include: [],
        exclude: [],
      })
      contents.handOver()
      return result
    })
  } finally {
    end()
  }
}

/** Takes entries away, from earlier parts and from what the draft starts from. @throws ArtifactsError ERR_NOT_FOUND. */
export async function removeFromDraft(
  session: Session,
  draft: DraftSummary,
  paths: readonly string[],
): Promise<PartResult> {
  const { opened, state } = session
  const read = nodeReader(opened)
  const base = draft.base === undefined ? undefined : state.versionById(draft.base)?.object.root
  const { entries: added } = mergeParts(read, state.draftParts(draft.id))
  const places = paths.map((path) => path.replace(/\/+$/, ''))
  for (const path of places) {
    const isThere = (each: string): boolean => each === path || each.startsWith(`${path}/`)
    if (added.some((entry) => isThere(entry.path))) continue
    const inherited = base === undefined ? [] : entries(read, base, { prefix: path })
    if ([...inherited].some((entry) => isThere(entry.path))) continue
    throw new ArtifactsError('ERR_NOT_FOUND', `The draft "${draft.key}" has no entry "${path}".`, {
      hint: `See what it has: \`artifacts draft show --id ${draft.id.slice(0, 12)}\`.`,
    })
  }
  return addPart(opened, {
    target: { ...targetOf(draft), only: draft.id },
    writer: processName(opened.by),
    sources: [],
    removed: places,
    overwrite: false,
    allowSecrets: false,
    include: [],
    exclude: [],
  })
}

/**
 * Makes a version of a draft; the next part with its key begins another.
 * @throws ArtifactsError ERR_NOT_FOUND when it has ended, ERR_CONFLICT naming the writers that disagree, and as a commit.
 */
export async function finishSharedDraft(
  { opened }: Session,
  draft: string,
  options: FinishDraftOptions = {},
): Promise<{ readonly version: ObjectId; readonly created: boolean }> {
  const { aliases = [], tags = [], type, reuse = 'latest', ...rest } = options
  const { outcome } = await finishDraft(opened, {
    ...rest,
    draft,
    ...(type === undefined ? {} : { type: checkType(type) }),
    aliases: aliases.map(checkAlias),
    tags: tags.map(checkTag),
    reuse,
  })
  if (outcome.kind === 'taken') throw new Error('A commit ended without a version.')
  return { version: outcome.version, created: outcome.kind === 'created' }
}

/** Gives a draft up; gc removes what was added to it. @throws ArtifactsError ERR_NOT_FOUND. */
export async function abortDraft(session: Session, draft: string): Promise<void> {
  await write(session, (state) => planAbort(state, draft))
}

/** All that are open, the oldest first. */
export function listDrafts(session: Session): DraftSummary[] {
  return session.state.openDrafts().map((row) => summaryOf(session, row))
}

/**
 * The open draft that an id, its beginning or a key means; without one, the only draft that is open.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_USAGE.
 */
export function resolveDraft(session: Session, text?: string): DraftSummary {
  const open = session.state.openDrafts()
  const named =
    text === undefined
      ? open
      : open.filter(({ id, key }) => key === text || (text.length >= 6 && id.startsWith(text)))
  const [only] = named
  if (only !== undefined && named.length === 1) return summaryOf(session, only)
  const names = named.map(({ id, key, name }) => `"${key}" of ${name} (${id.slice(0, 12)})`)
  if (only !== undefined) {
    throw new ArtifactsError(
      text === undefined ? 'ERR_USAGE' : 'ERR_AMBIGUOUS',
      `${text === undefined ? 'Several drafts are open' : `"${text}" means several drafts`}: ${names.slice(0, 10).join(', ')}.`,
      { hint: 'Name one by its id: `--id ID`.' },
    )
  }
  throw new ArtifactsError(
    'ERR_NOT_FOUND',
    text === undefined ? 'No draft is open.' : `There is no open draft "${text}".`,
    {
      hint: 'See those that are open: `artifacts draft show`. Begin one: `artifacts draft new -n NAME`.',
    },
  )
}

/** What was added to a draft, merged, without what it starts from; and in words, where writers disagree. */
export function draftEntries({ opened, state }: Session, id: string): MergedParts {
  return mergeParts(nodeReader(opened), state.draftParts(id))
}

/** The version that an artifact's name means, for who adds to it. */
export function newestOf({ state }: Session, project: string, name: string): ObjectId | undefined {
  const artifact = state.artifactByName(project, name)
  return artifact && currentVersion(state, artifact.id)?.id
}

export function targetOf({ project, artifact, key, type }: DraftSummary): DraftTarget {
  const newDraft = randomBytes(16).toString('hex')
  return { project, name: artifact, key, newDraft, ...(type === undefined ? {} : { type }) }
}

function draftById(session: Session, id: string): DraftSummary {
  const row = session.state.draft(id)
  if (row === undefined) throw new Error(`There is no draft "${id}".`)
  return summaryOf(session, row)
}

function summaryOf({ state }: Session, row: DraftRow): DraftSummary {
  const { id, name, project, type, key, base } = row
  const at = (n: number): string => state.operation(n)?.at ?? ''
  return {
    id,
    artifact: name,
    project,
    ...(type === undefined ? {} : { type }),
    key,
    ...(base === undefined ? {} : { base }),
    startedAt: at(row.operation),
    parts: state.draftParts(id).map(({ part, writer, files, bytes, removed, operation }) => {
      return { part, writer, files, bytes, removed, at: at(operation) }
    }),
  }
}

function processName({ user, host }: { readonly user: string; readonly host: string }): string {
  return `${user}@${host}:${process.pid}`
}
