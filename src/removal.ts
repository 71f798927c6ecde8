/** Deleting versions, which is soft, and taking that back. */
import { ArtifactsError } from './errors.ts'
import { wholeArtifact, write } from './labels.ts'
import { isLink, isPortfolio } from './portfolios.ts'
import { anyVersionOf, nameOf, refOf, type Session, versionOf } from './session.ts'
import type { Resolved } from './store/index/resolve.ts'
import type { StateView, VersionRow } from './store/index/state.ts'
import { type FallenAlias, planRemove, planRestore } from './store/log/plan-remove.ts'
import type { Target } from './store/log/targets.ts'
import type { ObjectId } from './types.ts'
import { refOfId } from './wording.ts'

export interface RemoveOptions {
  /** Remove the aliases too that hold the versions. */
  readonly aliases?: boolean
  /** The names are of artifacts, all of whose versions are removed. */
  readonly allVersions?: boolean
  /** Say what gc can free then, which takes as long as a dry run of gc. */
  readonly freeable?: boolean
}

export interface RemovedVersion {
  readonly ref: string
  readonly id: ObjectId
  readonly files: number
  readonly bytes: number
}

export interface RemoveReport {
  readonly removed: readonly RemovedVersion[]
  /** Aliases that named them, and the ref each names now; without `to`, it is gone. */
  readonly aliases: readonly {
    readonly artifact: string
    readonly alias: string
    readonly from: string
    readonly to?: string
  }[]
  readonly operation?: number
  /** What gc frees when the grace of all that is deleted is over, in bytes; absent: not asked for, or gc would refuse. */
  readonly freeableBytes?: number
}

export interface RestoreReport {
  readonly restored: readonly RemovedVersion[]
  /** Refs that were not deleted. */
  readonly live: readonly string[]
  /** Refs that `latest` names now, because their artifacts had no version left. */
  readonly latest: readonly string[]
  readonly operation?: number
}

/**
 * Deletes versions in one operation; `restore` brings them back until gc has removed their bytes.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_IN_USE.
 */
export async function removeVersions(
  session: Session,
  refs: readonly string[],
  options: RemoveOptions = {},
): Promise<RemoveReport> {
  const { aliases = false, allVersions = false } = options
  requireSome(refs)
  const targets = allVersions ? liveVersionsOf(session, refs) : namedVersions(session, refs)
  const { outcome, operation } = await write(session, (state) =>
    planRemove(state, { versions: targets(state), aliases }),
  )
  return {
    removed: outcome.removed.map((row) => describeVersion(session, row)),
    aliases: outcome.aliases.map((alias) => describeAlias(session, alias)),
    ...operation,
    ...(options.freeable === true ? await freeableIn(session) : {}),
  }
}

async function freeableIn(session: Session): Promise<{ freeableBytes?: number }> {
  const { runGc } = await import('./gc.ts')
  try {
    const { freedBytes } = await runGc(session, { dryRun: true, grace: '0' })
    return { freeableBytes: freedBytes }
  } catch (error) {
    // What keeps gc from running is no failure of what was done.
    if (error instanceof ArtifactsError) return {}
    throw error
  }
}

/**
 * Brings deleted versions back, in one operation and without the aliases they had.
 * @throws ArtifactsError ERR_NOT_FOUND, also for what gc has removed, ERR_AMBIGUOUS.
 */
export async function restoreVersions(
  session: Session,
  refs: readonly string[],
): Promise<RestoreReport> {
  requireSome(refs)
  const found = refs.map((ref) => anyVersionOf(session, ref))
  const targets = found.map((resolved) => toTarget(session, resolved))
  const { outcome, operation } = await write(session, (state) => planRestore(state, targets))
  const { restored, latest } = outcome
  const isRestored = new Set(restored.map(({ id }) => id))
  return {
    restored: restored.map((row) => describeVersion(session, row)),
    live: found
      .filter(({ version }) => !isRestored.has(version.id))
      .map((resolved) => refOf(session, resolved)),
    latest: latest.map((id) => refOfId(session, id)),
    ...operation,
  }
}

/** Which versions are meant is decided once; all versions of an artifact are those it has when the operation is written. */
function namedVersions(
  session: Session,
  refs: readonly string[],
): (state: StateView) => readonly Target[] {
  const targets = refs.map((ref) => {
    const resolved = versionOf(session, ref)
    if (resolved.link !== undefined) throw isLink(session, resolved)
    return toTarget(session, resolved)
  })
  return () => targets
}

function liveVersionsOf(
  session: Session,
  names: readonly string[],
): (state: StateView) => readonly Target[] {
  const artifacts = names.map((name) => wholeArtifact(session, name))
  for (const artifact of artifacts)
    if (artifact.portfolio === true) throw isPortfolio(session, artifact)
  return (state) =>
    artifacts.flatMap((artifact) => {
      const name = nameOf(session, artifact)
      return state.versions(artifact.id).map(({ id }) => ({ version: id, name }))
    })
}

function requireSome(refs: readonly string[]): void {
  if (refs.length > 0) return
  throw new ArtifactsError('ERR_USAGE', 'No version is named.', {
    hint: 'Name one as `bike:v3`.',
  })
}

function toTarget(session: Session, { artifact, version }: Resolved): Target {
  return { version: version.id, name: nameOf(session, artifact) }
}

/** A version as reports name it. */
export function describeVersion(session: Session, { id, object }: VersionRow): RemovedVersion {
  return { ref: refOfId(session, id), id, files: object.files, bytes: object.bytes }
}

/** Where an alias went whose version was removed. */
export function describeAlias(
  session: Session,
  { artifact, alias, from, to }: FallenAlias,
): RemoveReport['aliases'][number] {
  return {
    artifact: session.state.artifactById(artifact)?.name ?? '',
    alias,
    from: refOfId(session, from),
    ...(to === null ? {} : { to: refOfId(session, to) }),
  }
}
