/** From a parsed ref to the version it means, or an error that helps to find the right one. */
import { ArtifactsError } from '../../errors.ts'
import { formatRef, formatSelector, type Ref, type Selector } from '../../names.ts'
import type { ArtifactId } from '../../types.ts'
import { currentVersion, LATEST } from '../log/plan.ts'
import { goneVersion } from '../log/targets.ts'
import { nearest } from './nearest.ts'
import type { ArtifactRow, LinkRow, StateView, VersionRow } from './state.ts'

/** What a ref means that leaves them out. */
export interface RefDefaults {
  readonly entity: string
  readonly project: string
}

export interface Resolved {
  readonly artifact: ArtifactRow
  readonly version: VersionRow
  /** The portfolio that the ref names, and the version's number in it; `artifact` is the one it belongs to. */
  readonly link?: { readonly portfolio: ArtifactRow; readonly number: number }
  /** What the ref's number meant before, where a pull gave that another one. */
  readonly formerly?: Formerly
}

/** A version that had a number until it got another. */
export interface Formerly {
  readonly version: VersionRow
  /** What it has now, in the same artifact or portfolio; undefined for a link that was removed. */
  readonly number: number | undefined
  /** When that happened: ISO 8601. */
  readonly until: string
}

/**
 * Returns the live version a ref means. A bare name is its `latest`; without that alias, its highest live version.
 * Throws ERR_NOT_FOUND, which says of a deleted version that it is one and else has the nearest name as a hint, and
 * ERR_AMBIGUOUS with the candidates.
 */
export function resolveVersion(state: StateView, ref: Ref, defaults: RefDefaults): Resolved {
  const resolved = resolveAnyVersion(state, ref, defaults)
  if (resolved.version.deleted !== undefined) throw deletedVersion(resolved, defaults)
  return resolved
}

/** Returns the version a ref means, be it live or deleted; else as `resolveVersion`. */
export function resolveAnyVersion(state: StateView, ref: Ref, defaults: RefDefaults): Resolved {
  const { selector } = ref
  const named = ref.name === undefined ? undefined : resolveArtifact(state, ref, defaults)
  if (named?.portfolio === true) {
    const resolved = inPortfolio(state, named, ref)
    return { ...resolved, ...formerlyOf(state, named, ref, resolved.version) }
  }
  const { artifact, version } =
    named === undefined ? byIdAlone(state, selector) : inArtifact(state, named, selector)
  if (ref.back === 0) return { artifact, version, ...formerlyOf(state, artifact, ref, version) }
  if (version.deleted !== undefined) throw deletedVersion({ artifact, version }, defaults)
  const before = state.versionBefore(artifact.id, version.number, ref.back)
  if (before !== undefined) return { artifact, version: before }
  throw new ArtifactsError(
    'ERR_NOT_FOUND',
    `"${formatRef(ref)}" goes back beyond the first version.`,
    {
      hint: `Run \`artifacts log ${artifact.name}\` to see all versions.`,
    },
  )
}

function deletedVersion({ artifact, version }: Resolved, defaults: RefDefaults): ArtifactsError {
  const project = artifact.project === defaults.project ? '' : `${artifact.project}/`
  return goneVersion(`${project}${artifact.name}:v${version.number}`, version)
}

/** Returns the artifact a ref names, whatever version it selects. Throws ERR_NOT_FOUND, also for another entity. */
export function resolveArtifact(state: StateView, ref: Ref, defaults: RefDefaults): ArtifactRow {
  const { entity = defaults.entity, project = defaults.project, name } = ref
  if (name === undefined) return byIdAlone(state, ref.selector).artifact
  if (entity !== defaults.entity) {
    throw new ArtifactsError(
      'ERR_NOT_FOUND',
      `"${formatRef(ref)}" belongs to the entity "${entity}"; this store's is "${defaults.entity}".`,
      { hint: 'Leave the entity out, or set it: `artifacts config set entity NAME`.' },
    )
  }
  const artifact = state.artifactByName(project, name)
  if (artifact !== undefined) return artifact
  const shown = project === defaults.project ? name : `${project}/${name}`
  throw new ArtifactsError('ERR_NOT_FOUND', `No artifact named "${shown}".`, {
    hint: `${similarArtifact(state, project, name, defaults)}Run \`artifacts ls\` to see all artifacts.`,
  })
}

function inPortfolio(state: StateView, portfolio: ArtifactRow, { selector, back }: Ref): Resolved {
  const links = state.links(portfolio.id)
  const at = links.findIndex(isSelected(state, portfolio, links, selector))
  const link = at < 0 ? undefined : links[at - back]
  const version = link && state.versionById(link.version)
  const artifact = version && state.artifactById(version.artifact)
  if (link !== undefined && version !== undefined && artifact !== undefined)
    return { artifact, version, link: { portfolio, number: link.number } }
  const shown = formatRef({ name: portfolio.name, ...(selector && { selector }), back })
  throw new ArtifactsError('ERR_NOT_FOUND', `The portfolio has no version "${shown}".`, {
    hint: `${renumberedHint(state, portfolio, selector)}Run \`artifacts log ${portfolio.name}\` to see all versions.`,
  })
}

function formerlyOf(
  state: StateView,
  artifact: ArtifactRow,
  { selector, back }: Ref,
  version: VersionRow,
): Pick<Resolved, 'formerly'> {
  if (selector?.kind !== 'number' || back !== 0) return {}
  const formerly = renumberedVersion(state, artifact, selector.number)
  return formerly === undefined || formerly.version.id === version.id ? {} : { formerly }
}

/** The version that was the last to leave a number of an artifact or a portfolio. */
function renumberedVersion(
  state: StateView,
  { id, portfolio }: ArtifactRow,
  number: number,
): Formerly | undefined {
  const [row] = state.renumbered(id, number)
  const version = row && state.versionById(row.version)
  if (row === undefined || version === undefined) return undefined
  return {
    version,
    number: portfolio === true ? state.linkOf(id, version.id)?.number : version.number,
    until: state.operation(row.operation)?.at ?? '',
  }
}

function renumberedHint(
  state: StateView,
  artifact: ArtifactRow,
  selector: Selector | undefined,
): string {
  if (selector?.kind !== 'number') return ''
  const formerly = renumberedVersion(state, artifact, selector.number)
  if (formerly?.number === undefined) return ''
  const ref = `${artifact.name}:v${formerly.number}`
  return `It is "${ref}" since a pull on ${formerly.until.slice(0, 10)}. `
}

function isSelected(
  state: StateView,
  { id }: ArtifactRow,
  links: readonly LinkRow[],
  selector: Selector | undefined,
): (link: LinkRow) => boolean {
  switch (selector?.kind) {
    case 'number':
      return ({ number }) => number === selector.number
    case 'id':
      return ({ version }) => version.startsWith(selector.prefix)
    default: {
      const version = state.alias(id, selector?.alias ?? LATEST)
      const fallback = selector === undefined ? links.at(-1)?.version : undefined
      return (link) => link.version === (version ?? fallback)
    }
  }
}

function inArtifact(
  state: StateView,
  artifact: ArtifactRow,
  selector: Selector | undefined,
): Resolved {
  const version = select(state, artifact.id, selector)
  if (version !== undefined) return { artifact, version }
  const gone = selector === undefined ? state.everyVersion(artifact.id).at(-1) : undefined
  if (gone !== undefined) {
    throw new ArtifactsError('ERR_NOT_FOUND', `All versions of "${artifact.name}" are deleted.`, {
      hint:
        gone.purged === undefined
          ? `Bring the last one back: \`artifacts restore ${artifact.name}:v${gone.number}\`.`
          : `The next one that is committed to it is v${gone.number + 1}.`,
    })
  }
  const shown = `${artifact.name}${selector === undefined ? '' : formatSelector(selector)}`
  throw new ArtifactsError('ERR_NOT_FOUND', `No version "${shown}".`, {
    hint: `${renumberedHint(state, artifact, selector) || similarVersion(state, artifact, selector)}Run \`artifacts log ${artifact.name}\` to see all versions.`,
  })
}

function select(
  state: StateView,
  artifact: ArtifactId,
  selector: Selector | undefined,
): VersionRow | undefined {
  switch (selector?.kind) {
    case undefined:
      return currentVersion(state, artifact)
    case 'number':
      return state.versionByNumber(artifact, selector.number)
    case 'alias': {
      const id = state.alias(artifact, selector.alias)
      return id === undefined ? undefined : state.versionById(id)
    }
    case 'id':
      return byPrefix(state, selector.prefix, artifact)
  }
}

function byIdAlone(state: StateView, selector: Selector | undefined): Resolved {
  if (selector?.kind !== 'id') throw new TypeError('A ref has a name or an id.')
  const version = byPrefix(state, selector.prefix)
  const artifact = version === undefined ? undefined : state.artifactById(version.artifact)
  if (version !== undefined && artifact !== undefined) return { artifact, version }
  throw new ArtifactsError('ERR_NOT_FOUND', `No version with the id "@${selector.prefix}".`, {
    hint: 'Run `artifacts log` to see all versions with their ids.',
  })
}

function byPrefix(state: StateView, prefix: string, artifact?: ArtifactId): VersionRow | undefined {
  const shownAtMost = 10
  const all = state.versionsByPrefix(prefix, shownAtMost + 1, artifact)
  const live = all.filter(({ deleted }) => deleted === undefined)
  const found = live.length === 0 ? all : live
  if (found.length <= 1) return found[0]
  const candidates = found.slice(0, shownAtMost).map((version) => ({
    id: version.id,
    ref: `${state.artifactById(version.artifact)?.name ?? ''}:v${version.number}`,
  }))
  const more = found.length > shownAtMost ? ', and more' : ''
  throw new ArtifactsError('ERR_AMBIGUOUS', `The id "@${prefix}" fits more than one version.`, {
    hint: `It could be ${candidates.map(({ id, ref }) => `${ref} (@${id.slice(0, 12)})`).join(', ')}${more}.`,
    data: { candidates },
  })
}

function similarArtifact(
  state: StateView,
  project: string,
  name: string,
  defaults: RefDefaults,
): string {
  const artifacts = state.artifacts()
  const elsewhere = artifacts.filter((artifact) => artifact.name === name)
  const [other] = elsewhere
  if (other !== undefined && elsewhere.length === 1)
    return didYouMean(`${other.project}/${other.name}`)
  const names = artifacts
    .filter((artifact) => artifact.project === project)
    .map((artifact) => artifact.name)
  const near = nearest(name, names)
  if (near === undefined) return ''
  return didYouMean(project === defaults.project ? near : `${project}/${near}`)
}

function similarVersion(
  state: StateView,
  artifact: ArtifactRow,
  selector: Selector | undefined,
): string {
  if (selector?.kind === 'alias') {
    const near = nearest(
      selector.alias,
      state.aliases(artifact.id).map(({ alias }) => alias),
    )
    return near === undefined ? '' : didYouMean(`${artifact.name}:${near}`)
  }
  const highest = selector?.kind === 'number' ? state.highestLive(artifact.id) : undefined
  return highest === undefined ? '' : `The highest is "${artifact.name}:v${highest.number}". `
}

function didYouMean(ref: string): string {
  return `Did you mean "${ref}"? `
}
