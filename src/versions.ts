/** Facts about artifacts and versions, as plain data. */
import { checkAlias, parseRef } from './names.ts'
import { linksOf } from './portfolios.ts'
import { knownToPrimary } from './pushed.ts'
import {
  artifactOf,
  linkRefOf,
  refOf,
  refWithin,
  removalOf,
  type Session,
  versionOf,
} from './session.ts'
import type { Resolved } from './store/index/resolve.ts'
import type { ArtifactRow, StateView, VersionRow } from './store/index/state.ts'
import type { Ttl } from './store/log/change.ts'
import { currentVersion } from './store/log/plan.ts'
import type { ArtifactId, Metadata, ObjectId } from './types.ts'

export interface ArtifactSummary {
  readonly name: string
  readonly project: string
  readonly type: string
  /** Its versions are links to versions of other artifacts. */
  readonly portfolio?: true
  /** Live versions. */
  readonly versions: number
  /** What `NAME` alone means, such as `v4`. */
  readonly latest?: string
  /** Of that version, like `bytes`. */
  readonly files: number
  readonly bytes: number
  /** Of the first and of the newest live version. */
  readonly createdAt: string
  readonly updatedAt: string
  readonly description?: string
}

export interface VersionSummary {
  readonly ref: string
  readonly artifact: string
  readonly project: string
  readonly type: string
  /** `v4`. */
  readonly version: string
  /** In a portfolio, the version that is linked: `bike:v3`. */
  readonly source?: string
  readonly id: ObjectId
  readonly digest: ObjectId
  readonly files: number
  readonly bytes: number
  readonly createdAt: string
  readonly aliases: readonly string[]
  readonly tags: readonly string[]
  readonly description?: string
  /** Seconds from `createdAt`, or `never`; absent: what the store says. */
  readonly ttl?: Ttl
  /** When its time to live ends, if that is a number of seconds. */
  readonly expiresAt?: string
  /** Id of the run that made it; `artifacts run show` tells what it used and logged. */
  readonly run?: string
  /** Number of the operation that added it. */
  readonly operation: number
  /** As of an earlier operation: the later one with which gc gave up its bytes. */
  readonly removed?: number
  /** Bytes of it are still with the remote that it came from: `fetch` brings them. */
  readonly partial?: true
  /** Where there is a primary remote: whether it has the version, as far as is known. Else its number can still change. */
  readonly pushed?: boolean
}

export interface VersionDetails extends VersionSummary {
  /** Ids of the versions it was derived from. */
  readonly parents: readonly ObjectId[]
  readonly metadata: Metadata
  /** The refs that it has in portfolios. */
  readonly links: readonly string[]
  /** Ids of the runs that used it, in that order. */
  readonly usedBy: readonly string[]
  /** Who added it, on which machine, with which program. */
  readonly user: string
  readonly host: string
  readonly tool: string
}

export interface HistoryOptions {
  /** One artifact; default: all. */
  readonly name?: string
  readonly limit?: number
}

/** One move of an alias. */
export interface AliasMove {
  readonly alias: string
  readonly artifact: string
  readonly project: string
  /** Refs; absent: it named none. */
  readonly from?: string
  readonly to?: string
  readonly at: string
  /** Who moved it, on which machine, with which operation. */
  readonly user: string
  readonly host: string
  readonly operation: number
}

/** All artifacts with live versions, by project and name. */
export function listArtifacts(session: Session): ArtifactSummary[] {
  const { state } = session
  return state.artifacts().flatMap((artifact) => {
    if (artifact.portfolio === true) return portfolioSummary(session, artifact)
    const { name, project, type, id, description } = artifact
    const lowest = state.lowestLive(id)
    const highest = state.highestLive(id)
    if (lowest === undefined || highest === undefined) return []
    const latest = currentVersion(state, id)
    return {
      name,
      project,
      type,
      versions: state.countLive(id),
      ...(latest === undefined ? {} : { latest: `v${latest.number}` }),
      files: latest?.object.files ?? 0,
      bytes: latest?.object.bytes ?? 0,
      createdAt: lowest.object.createdAt,
      updatedAt: highest.object.createdAt,
      ...(description === undefined ? {} : { description }),
    }
  })
}

/** None for a portfolio without links. */
function portfolioSummary({ state }: Session, artifact: ArtifactRow): ArtifactSummary[] {
  const { id, name, project, type, description } = artifact
  const links = state.links(id)
  const times = links
    .map(({ version }) => state.versionById(version)?.object.createdAt ?? '')
    .sort()
  const latest = currentVersion(state, id)
  const number = links.find(({ version }) => version === latest?.id)?.number
  if (latest === undefined || number === undefined) return []
  return [
    {
      name,
      project,
      type,
      portfolio: true,
      versions: links.length,
      latest: `v${number}`,
      files: latest.object.files,
      bytes: latest.object.bytes,
      createdAt: times[0] ?? '',
      updatedAt: times.at(-1) ?? '',
      ...(description === undefined ? {} : { description }),
    },
  ]
}

/** Versions, newest first. @throws ArtifactsError ERR_NOT_FOUND for a name. */
export function history(session: Session, options: HistoryOptions = {}): VersionSummary[] {
  const { state } = session
  const only = options.name === undefined ? undefined : artifactOf(session, options.name)
  if (only?.portfolio === true) return linkHistory(session, only, options.limit)
  const found = state.newestVersions(options.limit ?? Number.MAX_SAFE_INTEGER, only?.id)
  return summariesOf(session, found)
}

/** The facts of each version, in the same order. */
export function summariesOf(session: Session, found: readonly VersionRow[]): VersionSummary[] {
  const { state } = session
  // There may be thousands of versions, of few artifacts.
  const artifacts = new Map<ArtifactId, NamedArtifact | undefined>()
  using known = state === session.opened.index.state ? knownToPrimary(session.opened) : undefined
  return found.flatMap((version) => {
    const id = version.artifact
    if (!artifacts.has(id)) artifacts.set(id, withAliases(state, state.artifactById(id)))
    const named = artifacts.get(id)
    if (named === undefined) return []
    const { artifact, aliases } = named
    const summary = summaryOf(session, { artifact, version }, aliases.get(version.id) ?? [])
    return known === undefined ? summary : { ...summary, pushed: known.has(version.id) }
  })
}

interface NamedArtifact {
  readonly artifact: ArtifactRow
  /** Of each version that has any. */
  readonly aliases: ReadonlyMap<ObjectId, readonly string[]>
}

function withAliases(
  state: StateView,
  artifact: ArtifactRow | undefined,
): NamedArtifact | undefined {
  if (artifact === undefined) return undefined
  const aliases = new Map<ObjectId, string[]>()
  for (const { alias, version } of state.aliases(artifact.id)) {
    aliases.set(version, [...(aliases.get(version) ?? []), alias])
  }
  return { artifact, aliases }
}

function linkHistory(session: Session, portfolio: ArtifactRow, limit?: number): VersionSummary[] {
  const { state } = session
  const links = state.links(portfolio.id).reverse()
  return links.slice(0, limit).flatMap(({ number, version: id }) => {
    const version = state.versionById(id)
    const artifact = version && state.artifactById(version.artifact)
    if (version === undefined || artifact === undefined) return []
    return summaryOf(
      session,
      { artifact, version, link: { portfolio, number } },
      state.aliasesOf(id, portfolio.id),
    )
  })
}

/** Who moved an alias when, the newest move first. @throws ArtifactsError ERR_NOT_FOUND for a name. */
export function aliasHistory(
  session: Session,
  alias: string,
  options: HistoryOptions = {},
): AliasMove[] {
  const { state } = session
  const only = options.name === undefined ? undefined : artifactOf(session, options.name).id
  const moves = state.aliasMoves(checkAlias(alias), only).reverse()
  return moves.slice(0, options.limit).flatMap(({ artifact: id, old, version, operation }) => {
    const artifact = state.artifactById(id)
    const row = state.operation(operation)
    if (artifact === undefined || row === undefined) return []
    return {
      alias,
      artifact: artifact.name,
      project: artifact.project,
      ...(old === null ? {} : { from: refWithin(session, artifact, old) }),
      ...(version === null ? {} : { to: refWithin(session, artifact, version) }),
      at: row.at,
      user: row.user,
      host: row.host,
      operation,
    }
  })
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS. */
export function versionDetails(session: Session, ref: string): VersionDetails {
  const resolved = versionOf(session, ref)
  const { version } = resolved
  const { parents } = version.object
  const operation = session.state.operation(version.operation)
  const aliases = session.state.aliasesOf(version.id, resolved.link?.portfolio.id)
  return {
    ...summaryOf(session, resolved, aliases),
    parents,
    metadata: version.metadata ?? {},
    links: linksOf(session, version.id),
    usedBy: usersOf(session, version.id),
    user: operation?.user ?? '',
    host: operation?.host ?? '',
    tool: operation?.tool ?? '',
  }
}

/** Ids of the runs that used a version, each once. */
function usersOf({ state }: Session, version: ObjectId): string[] {
  const uses = state.edgesOfVersion(version).filter(({ direction }) => direction === 'input')
  return [...new Set(uses.map(({ run }) => run))]
}

/** Live versions of one artifact, newest first. `name` must not select a version. */
export function listVersions(session: Session, name: string): VersionSummary[] {
  const { selector: _, ...ref } = parseRef(name)
  return history(session, {
    name: ref.project === undefined ? (ref.name ?? name) : `${ref.project}/${ref.name}`,
  })
}

function summaryOf(
  session: Session,
  resolved: Resolved,
  aliases: readonly string[],
): VersionSummary {
  const { artifact, version, link } = resolved
  const { state, opened } = session
  const { files, bytes, createdAt, root, run } = version.object
  const { ttl } = version
  const removed = removalOf(session, resolved)
  return {
    ref: linkRefOf(session, resolved),
    ...naming(link?.portfolio ?? artifact),
    version: `v${(link ?? version).number}`,
    ...(link === undefined ? {} : { source: refOf(session, resolved) }),
    id: version.id,
    digest: root,
    files,
    bytes,
    createdAt,
    aliases,
    tags: version.tags === 0 ? [] : state.tagsOf(version.id),
    ...(version.description === undefined ? {} : { description: version.description }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(typeof ttl === 'number' ? { expiresAt: expiry(createdAt, ttl) } : {}),
    ...(run === undefined ? {} : { run }),
    operation: version.operation,
    ...(removed === undefined ? {} : { removed }),
    // It may have been fetched since the state that is looked at.
    ...(version.partial === true && opened.index.state.isPartial(version.id)
      ? { partial: true }
      : {}),
  }
}

/** A time too far away for a date is the last that there is. */
export function expiry(createdAt: string, seconds: number): string {
  const last = 8.64e15
  return new Date(Math.min(Date.parse(createdAt) + seconds * 1000, last)).toISOString()
}

function naming({ name, project, type }: ArtifactRow): {
  artifact: string
  project: string
  type: string
} {
  return { artifact: name, project, type }
}
