/** Logging a draft: what it consists of becomes a version, in one operation. */
import { type Artifact, contentsOf } from './artifact.ts'
import type { DraftContents } from './draft-contents.ts'
import { refuseOtherBase, refuseOtherStores } from './draft-origin.ts'
import { ArtifactsError } from './errors.ts'
import { checkMetadata } from './metadata.ts'
import { checkAlias, checkProse, checkTag } from './names.ts'
import { refOf, type Session } from './session.ts'
import { type BaseVersion, type CommitRequest, commitVersion } from './store/commit/commit.ts'
import { currentVersion } from './store/log/plan.ts'
import { nodeReader } from './store/opened.ts'
import type { ObjectId, OperationOptions } from './types.ts'

export interface LogOptions extends OperationOptions {
  readonly aliases?: readonly string[]
  readonly tags?: readonly string[]
  /** Which versions with the same content make a new one needless; default `latest`. */
  readonly reuse?: 'latest' | 'any' | 'never'
  readonly allowSecrets?: boolean
  /** Worker threads; 0 for none. */
  readonly jobs?: number
}

/** Where a draft goes that does not say so, and the run that logs it. */
export interface LogPlace {
  readonly project?: string
  readonly run?: NonNullable<CommitRequest['run']>
  /** What is being added; where that fails, nothing is logged. */
  readonly added?: Promise<unknown>
}

/** Labels that were checked at the call, and the draft as it was then. */
export type PreparedLog = () => Promise<ObjectId>

/**
 * Checks what can be checked at once, and ends the draft; what is returned reads the files and writes the operation. If
 * that fails, the draft can be changed and logged again.
 * @throws ArtifactsError ERR_INVALID_NAME, ERR_USAGE, ERR_TYPE_MISMATCH; and later ERR_FILE_CHANGED, ERR_UNREADABLE,
 * ERR_SECRETS, ERR_NOT_FOUND: nothing is committed then.
 */
export function prepareLog(
  session: Session,
  artifact: Artifact,
  options: LogOptions = {},
  place: LogPlace = {},
): PreparedLog {
  const { opened, defaults } = session
  const contents = contentsOf(artifact)
  const project = artifact.project ?? place.project ?? defaults.project
  const { name, type, description } = artifact
  const labels = {
    aliases: (options.aliases ?? []).map(checkAlias),
    tags: (options.tags ?? []).map(checkTag),
    metadata: checkMetadata(artifact.metadata),
    ...(description === undefined ? {} : { description: checkProse(description, 'description') }),
  }
  refuseOtherBase(opened.id, contents)
  refuseOtherType(session, { project, name, type })
  const end = contents.begin()
  return async () => {
    try {
      return await contents.run(async () => {
        await place.added
        contents.requireWritten()
        refuseOtherStores(session, contents)
        const start = baseOf(session, artifact, project, contents)
        const { outcome, object } = await commitVersion(opened, {
          project,
          name,
          type,
          sources: contents.sources(),
          entries: contents.entries(),
          ...(start === undefined ? {} : { base: start }),
          ...labels,
          reuse: options.reuse ?? 'latest',
          ...(place.run === undefined ? {} : { run: place.run }),
          include: [],
          exclude: [],
          allowSecrets: options.allowSecrets ?? false,
          dryRun: false,
          ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
          signal: options.signal,
          onProgress: options.onProgress,
        })
        if (outcome.kind === 'taken') throw new Error('A commit ended without a version.')
        if (outcome.kind === 'unchanged') remarkIgnored(session, { project, name }, outcome)
        const read = nodeReader(opened)
        const { version } = outcome
        const base = { store: opened.id, version, root: object.root, isParent: false, read }
        contents.settle(base, () => session)
        return version
      })
    } finally {
      end()
    }
  }
}

/** The version that the draft started from; else, where it adds to the newest one, that. */
function baseOf(
  { opened }: Session,
  { name, incremental }: Artifact,
  project: string,
  { tree, logged }: DraftContents,
): BaseVersion | undefined {
  if (tree.base !== undefined) {
    const { version, root, isParent } = tree.base
    return { version, root, isParent, removed: tree.removed }
  }
  if (!incremental || logged !== undefined) return undefined
  const { state } = opened.index
  const artifact = state.artifactByName(project, name)
  const latest = artifact === undefined ? undefined : currentVersion(state, artifact.id)
  return latest === undefined ? undefined : { version: latest.id, root: latest.object.root }
}

/** The plan refuses it too; but then files have been read. */
function refuseOtherType(
  { opened, state }: Session,
  { project, name, type }: { project: string; name: string; type: string },
): void {
  opened.index.refresh()
  const existing = state.artifactByName(project, name)
  if (existing === undefined || existing.type === type) return
  if (state.highestLive(existing.id) === undefined) return
  throw new ArtifactsError(
    'ERR_TYPE_MISMATCH',
    `Artifact "${project}/${name}" has the type "${existing.type}", not "${type}".`,
    { hint: `Log it under another name, such as "${name}-${type}".` },
  )
}

/** What was to be said of a version that was there already is not lost in silence. */
function remarkIgnored(
  session: Session,
  { project, name }: { readonly project: string; readonly name: string },
  { number, ignored }: { readonly number: number; readonly ignored: readonly string[] },
): void {
  if (ignored.length === 0) return
  const ref = refOf(session, { artifact: { project, name }, version: { number } })
  session.onNotice(
    `Not applied, because "${ref}" was there already: ${ignored.join(', ')}. \`version.update\` would.`,
  )
}
