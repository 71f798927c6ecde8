/** What moving aliases changes. An alias names one version of its artifact: giving it to one takes it from another. */
import { ArtifactsError } from '../../errors.ts'
import type { ArtifactId } from '../../types.ts'
import type { StateView } from '../index/state.ts'
import type { Change } from './change.ts'
import { LATEST, type MovedAlias, type Plan } from './plan.ts'
import { liveTarget, type Target } from './targets.ts'

export interface AliasIntent extends Target {
  readonly aliases: readonly string[]
  /** The portfolio whose aliases are meant, not the artifact's own; the version is linked into it. */
  readonly portfolio?: ArtifactId
  /** `set`: these and no others, `latest` apart, which is left where it is unless it is named. */
  readonly mode: 'add' | 'remove' | 'set'
}

export interface AliasOutcome {
  readonly added: readonly MovedAlias[]
  readonly removed: readonly string[]
  /** Were to be removed, and do not name the version. */
  readonly absent: readonly string[]
}

/** Plans `alias`. Throws ERR_NOT_FOUND when the version is deleted, or not in the portfolio any more. */
export function planAliases(state: StateView, intent: AliasIntent): Plan<AliasOutcome> {
  const row = liveTarget(state, intent)
  const { id } = row
  const { portfolio } = intent
  if (portfolio !== undefined && state.linkOf(portfolio, id) === undefined) {
    throw new ArtifactsError(
      'ERR_NOT_FOUND',
      `"${intent.name}:v${row.number}" is not in the portfolio any more.`,
      { hint: 'Link it again with `artifacts link`.' },
    )
  }
  const artifact = portfolio ?? row.artifact
  const given = [...new Set(intent.aliases)]
  const has = state.aliasesOf(id, artifact)
  const toAdd = intent.mode === 'remove' ? [] : given.filter((alias) => !has.includes(alias))
  const added = toAdd.map((alias) => ({ alias, from: state.alias(artifact, alias) ?? null }))
  const removed = has.filter((alias) =>
    intent.mode === 'remove'
      ? given.includes(alias)
      : intent.mode === 'set' && alias !== LATEST && !given.includes(alias),
  )
  const changes: readonly Change[] = [
    ...removed.map((alias) => ({ kind: 'alias.remove' as const, artifact, alias, old: id })),
    ...added.map(({ alias, from }) => ({
      kind: 'alias.set' as const,
      artifact,
      alias,
      version: id,
      old: from,
    })),
  ]
  const absent = intent.mode === 'remove' ? given.filter((alias) => !has.includes(alias)) : []
  return { changes, outcome: { added, removed, absent } }
}
