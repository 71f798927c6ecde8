/** Linking versions into portfolios: artifacts whose versions are links to versions of others. */
import { randomBytes } from 'node:crypto'
import { ArtifactsError } from './errors.ts'
import { write } from './labels.ts'
import { checkAlias, checkName, checkProject, parseRef } from './names.ts'
import { linkRefOf, nameOf, refOf, type Session, versionOf } from './session.ts'
import type { ArtifactRow } from './store/index/state.ts'
import { planLink, planUnlink } from './store/log/plan-link.ts'
import type { ArtifactId, ObjectId } from './types.ts'
import { refOfId } from './wording.ts'

export interface LinkReport {
  /** In the portfolio: `champion:v2`. */
  readonly ref: string
  readonly portfolio: string
  readonly project: string
  /** `v2`, as the portfolio numbers it. */
  readonly version: string
  /** What it is a link to: `bike:v3`. */
  readonly source: string
  readonly id: ObjectId
  /** False: the link was there. */
  readonly created: boolean
  /** All aliases that it has in the portfolio now. */
  readonly aliases: readonly string[]
  readonly operation?: number
}

export interface UnlinkReport {
  readonly removed: readonly { readonly ref: string; readonly source: string }[]
  /** Aliases of the portfolio that named them, and the ref each names now; without `to`, it is gone. */
  readonly aliases: readonly { readonly alias: string; readonly to?: string }[]
  readonly operation?: number
}

/**
 * Makes a version the newest of a portfolio, `[[entity/]project/]name`, which is made if it does not exist.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_INVALID_NAME, ERR_TYPE_MISMATCH.
 */
export async function linkVersion(
  session: Session,
  ref: string,
  target: string,
  { aliases = [] }: { readonly aliases?: readonly string[] } = {},
): Promise<LinkReport> {
  const resolved = versionOf(session, ref)
  const { project, name } = portfolioName(session, target)
  const intent = {
    version: resolved.version.id,
    name: nameOf(session, resolved.artifact),
    project,
    portfolio: name,
    newPortfolio: randomBytes(16).toString('hex') as ArtifactId,
    aliases: aliases.map(checkAlias),
  }
  const { outcome, operation } = await write(session, (state) => planLink(state, intent))
  const { number, portfolio, created } = outcome
  return {
    ref: refOf(session, { artifact: { project, name }, version: { number } }),
    portfolio: name,
    project,
    version: `v${number}`,
    source: refOf(session, resolved),
    id: resolved.version.id,
    created,
    aliases: session.state.aliasesOf(resolved.version.id, portfolio),
    ...operation,
  }
}

/**
 * Takes a version out of a portfolio, `champion:v2`; the version itself stays.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_USAGE for a ref that names no link.
 */
export async function unlinkVersion(session: Session, ref: string): Promise<UnlinkReport> {
  const resolved = versionOf(session, ref)
  const { link, version } = resolved
  if (link === undefined) throw notLinked(session, ref, version.id)
  const intent = { portfolio: link.portfolio.id, versions: [version.id] }
  const { outcome, operation } = await write(session, (state) => planUnlink(state, intent))
  const source = refOf(session, resolved)
  return {
    removed: outcome.removed.map(({ number }) => ({
      ref: refOf(session, { artifact: link.portfolio, version: { number } }),
      source,
    })),
    aliases: outcome.aliases.map(({ alias, to }) => ({
      alias,
      ...(to === null ? {} : { to: refOfId(session, to) }),
    })),
    ...operation,
  }
}

/** The refs that a version has in portfolios. */
export function linksOf(session: Session, version: ObjectId): string[] {
  const { state } = session
  return state.linksOf(version).flatMap(({ portfolio, number }) => {
    const artifact = state.artifactById(portfolio)
    return artifact === undefined ? [] : refOf(session, { artifact, version: { number } })
  })
}

/** The name that a portfolio is given. */
function portfolioName(
  { defaults }: Session,
  text: string,
): { readonly project: string; readonly name: string } {
  const ref = parseRef(text)
  if (ref.name === undefined || ref.selector !== undefined || ref.back !== 0) {
    throw new ArtifactsError('ERR_INVALID_NAME', `"${text}" is no name of a portfolio.`, {
      hint: 'Give a name alone; versions get their numbers by themselves, and aliases are given with `-a`.',
    })
  }
  const { entity = defaults.entity, project = defaults.project, name } = ref
  if (entity === defaults.entity) return { project: checkProject(project), name: checkName(name) }
  throw new ArtifactsError(
    'ERR_INVALID_NAME',
    `"${text}" belongs to the entity "${entity}"; this store's is "${defaults.entity}".`,
    { hint: 'Leave the entity out, or set it: `artifacts config set entity NAME`.' },
  )
}

function notLinked(session: Session, ref: string, version: ObjectId): ArtifactsError {
  const [link] = linksOf(session, version)
  return new ArtifactsError('ERR_USAGE', `"${ref}" is a version of its own artifact, not a link.`, {
    hint:
      link === undefined
        ? 'No portfolio holds it.'
        : `A portfolio holds it as \`${link}\`: \`artifacts unlink ${link}\`.`,
  })
}

/** The error for who wants to change what a link only leads to. */
export function isLink(
  session: Session,
  resolved: Parameters<typeof linkRefOf>[1],
): ArtifactsError {
  const ref = linkRefOf(session, resolved)
  return new ArtifactsError('ERR_USAGE', `"${ref}" is a link to "${refOf(session, resolved)}".`, {
    hint: `To take it out of the portfolio: \`artifacts unlink ${ref}\`.`,
  })
}

/** The error for who wants to delete the versions of what has none of its own. */
export function isPortfolio(session: Session, artifact: ArtifactRow): ArtifactsError {
  const name = nameOf(session, artifact)
  return new ArtifactsError('ERR_USAGE', `"${name}" is a portfolio: its versions are links.`, {
    hint: `Take them out one by one: \`artifacts unlink ${name}:vN\`.`,
  })
}
