/** Versions and artifacts as a program asks for them: objects instead of plain facts. */
import { ArtifactVersion } from './artifact-version.ts'
import { ArtifactsError } from './errors.ts'
import { parseRef } from './names.ts'
import { artifactOf, nameOf, refOf, type Session, versionOf } from './session.ts'
import type { Resolved } from './store/index/resolve.ts'
import type { ArtifactRow, StateView } from './store/index/state.ts'

export interface VersionFilter {
  readonly type?: string
  /** One artifact. */
  readonly name?: string
  readonly project?: string
  /** Versions that have all of these. */
  readonly tags?: readonly string[]
  /** The oldest first; default false. */
  readonly reverse?: boolean
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_INVALID_NAME, ERR_TYPE_MISMATCH. */
export function findVersion(
  session: () => Session,
  ref: string,
  { type }: { readonly type?: string } = {},
): ArtifactVersion {
  const now = session()
  const resolved = versionOf(now, ref)
  if (type !== undefined && resolved.artifact.type !== type) {
    throw new ArtifactsError(
      'ERR_TYPE_MISMATCH',
      `"${refOf(now, resolved)}" is of the type "${resolved.artifact.type}", not "${type}".`,
      { hint: 'Leave the type out, or name another version.' },
    )
  }
  return new ArtifactVersion(session, resolved)
}

/** Whether a ref means a version that is there, of that type if one is given. @throws ArtifactsError ERR_INVALID_NAME, ERR_AMBIGUOUS. */
export function hasVersion(
  session: Session,
  ref: string,
  { type }: { readonly type?: string } = {},
): boolean {
  try {
    const { artifact } = versionOf(session, ref)
    return type === undefined || artifact.type === type
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_NOT_FOUND') return false
    throw error
  }
}

/** The type that a version logged under this name must have; undefined: any, there is none yet. */
export function expectedType(session: Session, name: string): string | undefined {
  const { entity, project = session.defaults.project, name: word = name } = parseRef(name)
  if (entity !== undefined && entity !== session.defaults.entity) return undefined
  const { state } = session
  const artifact = state.artifactByName(project, word)
  const isLive = artifact !== undefined && state.highestLive(artifact.id) !== undefined
  return isLive ? artifact.type : undefined
}

/** Of all artifacts with live versions, each once, in alphabetical order. */
export function listTypes({ state }: Session, project?: string): readonly string[] {
  const live = state.artifacts(project).filter(({ id }) => state.highestLive(id) !== undefined)
  return [...new Set(live.map(({ type }) => type))].sort()
}

/**
 * Live versions, the newest first; of a portfolio, its links. What comes or goes meanwhile may be among them or not.
 * @throws ArtifactsError ERR_NOT_FOUND for a name.
 */
export async function* listVersionObjects(
  session: () => Session,
  filter: VersionFilter,
): AsyncGenerator<ArtifactVersion> {
  const now = session()
  const { name, type, project, tags = [], reverse = false } = filter
  const { state } = now
  const only = name === undefined ? undefined : artifactOf(now, inProject(now, name, project))
  const artifacts = new Map<string, ArtifactRow>()
  const rows = only?.portfolio === true ? linkedVersions(state, only) : newest(state, only)
  if (reverse) rows.reverse()
  for (const [index, { version, link }] of rows.entries()) {
    if (index % 64 === 63) await new Promise((resolve) => setImmediate(resolve))
    const artifact = artifacts.get(version.artifact) ?? state.artifactById(version.artifact)
    if (artifact === undefined) continue
    artifacts.set(artifact.id, artifact)
    if (type !== undefined && artifact.type !== type) continue
    if (project !== undefined && (link?.portfolio ?? artifact).project !== project) continue
    if (tags.length > 0) {
      const has = state.tagsOf(version.id)
      if (!tags.every((tag) => has.includes(tag))) continue
    }
    yield new ArtifactVersion(session, { artifact, version, ...(link && { link }) })
  }
}

type Row = Pick<Resolved, 'version' | 'link'>

function newest(state: StateView, only: ArtifactRow | undefined): Row[] {
  return state.newestVersions(Number.MAX_SAFE_INTEGER, only?.id).map((version) => ({ version }))
}

/** What a portfolio holds, the newest link first. */
function linkedVersions(state: StateView, portfolio: ArtifactRow): Row[] {
  return state
    .links(portfolio.id)
    .reverse()
    .flatMap(({ number, version: id }) => {
      const version = state.versionById(id)
      return version === undefined ? [] : { version, link: { portfolio, number } }
    })
}

function inProject(session: Session, name: string, project: string | undefined): string {
  return project === undefined || name.includes('/') ? name : nameOf(session, { project, name })
}
