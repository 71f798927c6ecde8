/**
 * What a merge looks at, read from a state: of this store, of a mirror, of an earlier moment. In a portfolio links are what
 * versions are elsewhere, and merge by the same rules.
 */
import type { LinkRow, RunRow, StateView, VersionRow } from '../../store/index/state.ts'
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { ArtifactState, VersionState } from './state.ts'

/** An artifact as a state has it; undefined: it has none with this id. */
export function artifactState(state: StateView, artifact: ArtifactId): ArtifactState | undefined {
  const row = state.artifactById(artifact)
  if (row === undefined) return undefined
  const isPortfolio = row.portfolio === true
  const versions = isPortfolio ? linksIn(state, artifact) : versionsIn(state, artifact)
  return {
    ...row,
    next: state.nextNumber(artifact),
    versions,
    aliases: new Map(state.aliases(artifact).map(({ alias, version }) => [alias, version])),
    runs: isPortfolio ? new Map() : runsOf(state, versions.keys()),
    operation: state.operationsBefore(Number.MAX_SAFE_INTEGER, 1)[0]?.n ?? 0,
  }
}

/** The id that the row of a link stands under: the version's, or for one that gave way to a later link, one of its own. */
export function linkedVersion(key: ObjectId): ObjectId {
  return key.slice(0, ID_DIGITS) as ObjectId
}

const ID_DIGITS = 64

function versionsIn(state: StateView, artifact: ArtifactId): Map<ObjectId, VersionState> {
  return new Map(state.everyVersion(artifact).map((row) => [row.id, versionState(state, row)]))
}

function versionState(state: StateView, row: VersionRow): VersionState {
  const { id, number, object, description, metadata, ttl } = row
  return {
    number,
    object,
    isDeleted: row.deleted !== undefined,
    ...(description === undefined ? {} : { description }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(ttl === undefined ? {} : { ttl }),
    tags: row.tags === 0 ? [] : state.tagsOf(id),
    users: usersOf(state, row),
  }
}

function usersOf(state: StateView, { id, artifact }: VersionRow): string[] {
  const runs = state.edgesOfVersion(id, 'input').map(({ run }) => `run:${run}`)
  const links = state.linksOf(id).map(({ portfolio }) => `portfolio:${portfolio}`)
  const children = state.childrenOf(id).filter((child) => {
    const row = state.versionById(child)
    return row !== undefined && row.artifact !== artifact && row.deleted === undefined
  })
  return [...new Set([...runs, ...links, ...children.map((child) => `version:${child}`)])]
}

/** Of the links that a version has had in the portfolio, the one that is there or was last has the version's id. */
function linksIn(state: StateView, portfolio: ArtifactId): Map<ObjectId, VersionState> {
  const links = state.everyLink(portfolio)
  const foremost = new Map<ObjectId, LinkRow>()
  for (const link of links) {
    const other = foremost.get(link.version)
    if (other === undefined || other.removed !== undefined) foremost.set(link.version, link)
  }
  return new Map(
    links.flatMap((link): [ObjectId, VersionState][] => {
      const { version, number, removed } = link
      const object = state.versionById(version)?.object
      if (object === undefined) return []
      const isForemost = foremost.get(version) === link
      const key = isForemost ? version : (`${version}#${number}` as ObjectId)
      // A link has no parents: that a newer version is linked does not hold the older one's link.
      const ofLink = { object: { ...object, parents: [] }, isDeleted: removed !== undefined }
      return [[key, { number, ...ofLink, tags: [], users: [] }]]
    }),
  )
}

function runsOf(state: StateView, versions: Iterable<ObjectId>): Map<string, RunRow> {
  const runs = new Map<string, RunRow>()
  for (const version of versions) {
    for (const { run } of state.edgesOfVersion(version)) {
      if (runs.has(run)) continue
      const row = state.run(run)
      if (row !== undefined) runs.set(run, row)
    }
  }
  return runs
}
