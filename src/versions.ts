/** Facts about artifacts and versions, as plain data. */
import { parseRef } from './names.ts'
import { artifactOf, refOf, type Session, versionOf } from './session.ts'
import type { Resolved } from './store/index/resolve.ts'
import type { ArtifactRow } from './store/index/state.ts'
import { currentVersion } from './store/log/plan.ts'
import type { Metadata, ObjectId } from './types.ts'

export interface ArtifactSummary {
  readonly name: string
  readonly project: string
  readonly type: string
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
}

export interface VersionSummary {
  readonly ref: string
  readonly artifact: string
  readonly project: string
  readonly type: string
  /** `v4`. */
  readonly version: string
  readonly id: ObjectId
  readonly digest: ObjectId
  readonly files: number
  readonly bytes: number
  readonly createdAt: string
  readonly aliases: readonly string[]
  readonly tags: readonly string[]
  readonly description?: string
  /** Number of the operation that added it. */
  readonly operation: number
}

export interface VersionDetails extends VersionSummary {
  /** Ids of the versions it was derived from. */
  readonly parents: readonly ObjectId[]
  readonly metadata: Metadata
  readonly run?: string
  /** Who added it, on which machine, with which program. */
  readonly user: string
  readonly host: string
  readonly tool: string
}

export interface HistoryOptions {
  /** One artifact; default: all. */
  readonly name?: string
  /** Only what this alias names. */
  readonly alias?: string
  readonly limit?: number
}

/** All artifacts, by project and name. */
export function listArtifacts(session: Session): ArtifactSummary[] {
  const { state } = session.opened.index
  return state.artifacts().map((artifact) => {
    const { name, project, type, id } = artifact
    const live = state.versions(id)
    const latest = currentVersion(state, id)
    return {
      name,
      project,
      type,
      versions: live.length,
      ...(latest === undefined ? {} : { latest: `v${latest.number}` }),
      files: latest?.object.files ?? 0,
      bytes: latest?.object.bytes ?? 0,
      createdAt: live[0]?.object.createdAt ?? '',
      updatedAt: live.at(-1)?.object.createdAt ?? '',
    }
  })
}

/** Versions, newest first. @throws ArtifactsError ERR_NOT_FOUND for a name. */
export function history(session: Session, options: HistoryOptions = {}): VersionSummary[] {
  const { state } = session.opened.index
  const artifacts =
    options.name === undefined ? state.artifacts() : [artifactOf(session, options.name)]
  const found = artifacts.flatMap((artifact) =>
    state.versions(artifact.id).map((version) => ({ artifact, version })),
  )
  found.sort(
    (a, b) => b.version.operation - a.version.operation || b.version.number - a.version.number,
  )
  const { alias } = options
  const wanted =
    alias === undefined
      ? found
      : found.filter(({ artifact, version }) => state.alias(artifact.id, alias) === version.id)
  return wanted.slice(0, options.limit).map((resolved) => summaryOf(session, resolved))
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS. */
export function versionDetails(session: Session, ref: string): VersionDetails {
  const resolved = versionOf(session, ref)
  const { version } = resolved
  const { parents, run } = version.object
  const operation = session.opened.index.state.operation(version.operation)
  return {
    ...summaryOf(session, resolved),
    parents,
    metadata: version.metadata ?? {},
    ...(run === undefined ? {} : { run }),
    user: operation?.user ?? '',
    host: operation?.host ?? '',
    tool: operation?.tool ?? '',
  }
}

/** Live versions of one artifact, newest first. `name` must not select a version. */
export function listVersions(session: Session, name: string): VersionSummary[] {
  const { selector: _, ...ref } = parseRef(name)
  return history(session, {
    name: ref.project === undefined ? (ref.name ?? name) : `${ref.project}/${ref.name}`,
  })
}

function summaryOf(session: Session, resolved: Resolved): VersionSummary {
  const { artifact, version } = resolved
  const { state } = session.opened.index
  const { files, bytes, createdAt, root } = version.object
  return {
    ref: refOf(session, resolved),
    ...naming(artifact),
    version: `v${version.number}`,
    id: version.id,
    digest: root,
    files,
    bytes,
    createdAt,
    aliases: state.aliasesOf(version.id),
    tags: state.tagsOf(version.id),
    ...(version.description === undefined ? {} : { description: version.description }),
    operation: version.operation,
  }
}

function naming({ name, project, type }: ArtifactRow): {
  artifact: string
  project: string
  type: string
} {
  return { artifact: name, project, type }
}
