/**
 * What linking versions into a portfolio changes, and taking links away. A portfolio is an artifact whose versions are
 * links to versions of others: it numbers them itself, and its aliases are its own.
 */
import { ArtifactsError } from '../../errors.ts'
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { ArtifactRow, LinkRow, StateView } from '../index/state.ts'
import type { AliasSet, Change } from './change.ts'
import { LATEST, type MovedAlias, type Plan } from './plan.ts'
import { liveTarget, type Target } from './targets.ts'

export interface LinkIntent extends Target {
  readonly project: string
  /** Of the portfolio. */
  readonly portfolio: string
  /** The id it gets if it does not exist yet: random, the same in every attempt. */
  readonly newPortfolio: ArtifactId
  readonly aliases: readonly string[]
}

export interface LinkOutcome {
  readonly portfolio: ArtifactId
  /** The number that the version has in the portfolio. */
  readonly number: number
  /** False: the link was there. */
  readonly created: boolean
  readonly moved: readonly MovedAlias[]
}

/**
 * Plans `link`. A portfolio takes the type of the first version that is linked into it, and then versions of that type
 * only: ERR_TYPE_MISMATCH, also for an artifact that is no portfolio. ERR_NOT_FOUND when the version is deleted.
 */
export function planLink(state: StateView, intent: LinkIntent): Plan<LinkOutcome> {
  const { id: version, artifact } = liveTarget(state, intent)
  const source = state.artifactById(artifact)
  if (source === undefined) throw new Error(`There is no artifact "${artifact}".`)
  const existing = state.artifactByName(intent.project, intent.portfolio)
  if (existing !== undefined) refuseOther(existing, source, intent)
  const portfolio = existing?.id ?? intent.newPortfolio
  const link = existing && state.linkOf(portfolio, version)
  const number = link?.number ?? (existing === undefined ? 0 : state.nextNumber(portfolio))
  const given = link === undefined ? [LATEST, ...intent.aliases] : intent.aliases
  const aliases = [...new Set(given)].flatMap((alias): AliasSet[] => {
    const old = state.alias(portfolio, alias) ?? null
    return old === version ? [] : [{ kind: 'alias.set', artifact: portfolio, alias, version, old }]
  })
  const changes: readonly Change[] = [
    ...(existing === undefined ? [create(intent, source.type)] : []),
    ...(existing !== undefined && existing.type !== source.type
      ? [retype(existing, source.type)]
      : []),
    ...(link === undefined ? [{ kind: 'link.add' as const, portfolio, number, version }] : []),
    ...aliases,
  ]
  const moved = aliases.map(({ alias, old }) => ({ alias, from: old }))
  return { changes, outcome: { portfolio, number, created: link === undefined, moved } }

  function refuseOther(portfolio: ArtifactRow, { type, name }: ArtifactRow, intent: LinkIntent) {
    const shown = `${intent.project}/${intent.portfolio}`
    if (portfolio.portfolio !== true) {
      throw new ArtifactsError(
        'ERR_TYPE_MISMATCH',
        `"${shown}" is an artifact with versions of its own, not a portfolio.`,
        { hint: 'Link the version under another name.' },
      )
    }
    if (portfolio.type === type || state.links(portfolio.id).length === 0) return
    throw new ArtifactsError(
      'ERR_TYPE_MISMATCH',
      `The portfolio "${shown}" holds versions of the type "${portfolio.type}"; "${name}" has the type "${type}".`,
      {
        hint: `Link it into another one: \`artifacts link ${intent.name} ${intent.portfolio}-${type}\`.`,
      },
    )
  }
}

function create({ newPortfolio, project, portfolio }: LinkIntent, type: string): Change {
  const artifact = newPortfolio
  return { kind: 'artifact.create', artifact, project, name: portfolio, type, portfolio: true }
}

function retype({ id: artifact, type: old }: ArtifactRow, type: string): Change {
  return { kind: 'artifact.edit', artifact, set: { type }, old: { type: old } }
}

export interface UnlinkIntent {
  readonly portfolio: ArtifactId
  readonly versions: readonly ObjectId[]
}

export interface UnlinkOutcome {
  readonly removed: readonly LinkRow[]
  /** Aliases of the portfolio that are gone, and where `latest` went. */
  readonly aliases: readonly {
    readonly alias: string
    readonly from: ObjectId
    readonly to: ObjectId | null
  }[]
}

/** Plans `unlink`: the portfolio's aliases of these versions go with the links, and `latest` falls to the highest link left. */
export function planUnlink(
  state: StateView,
  { portfolio, versions }: UnlinkIntent,
): Plan<UnlinkOutcome> {
  const going = new Set(versions)
  const links = state.links(portfolio)
  const removed = links.filter(({ version }) => going.has(version))
  const left = links.filter(({ version }) => !going.has(version)).at(-1)
  const aliases = removed.flatMap(({ version }) =>
    state.aliasesOf(version, portfolio).map((alias) => ({
      alias,
      from: version,
      to: alias === LATEST ? (left?.version ?? null) : null,
    })),
  )
  const changes: readonly Change[] = [
    ...aliases.map(({ alias, from: old, to: version }) =>
      version === null
        ? { kind: 'alias.remove' as const, artifact: portfolio, alias, old }
        : { kind: 'alias.set' as const, artifact: portfolio, alias, version, old },
    ),
    ...removed.map(
      ({ number, version }) => ({ kind: 'link.remove', portfolio, number, version }) as const,
    ),
  ]
  return { changes, outcome: { removed, aliases } }
}
