/** What moving aliases changes. An alias names one version of its artifact: giving it to one takes it from another. */
import type { StateView } from '../index/state.ts'
import type { Change } from './change.ts'
import { LATEST, type MovedAlias, type Plan } from './plan.ts'
import { liveTarget, type Target } from './targets.ts'

export interface AliasIntent extends Target {
  readonly aliases: readonly string[]
  /** `set`: these and no others, `latest` apart, which is left where it is unless it is named. */
  readonly mode: 'add' | 'remove' | 'set'
}

export interface AliasOutcome {
  readonly added: readonly MovedAlias[]
  readonly removed: readonly string[]
  /** Were to be removed, and do not name the version. */
  readonly absent: readonly string[]
}

/** Plans `alias`. Throws ERR_NOT_FOUND when the version is deleted. */
export function planAliases(state: StateView, intent: AliasIntent): Plan<AliasOutcome> {
  const { artifact, id } = liveTarget(state, intent)
  const given = [...new Set(intent.aliases)]
  const has = state.aliasesOf(id)
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
