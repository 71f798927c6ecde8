/**
 * Which versions of an artifact go when only some are to be kept: one is kept as soon as any rule keeps it. What goes is
 * deleted as `rm` deletes, softly and in one operation.
 */
import { ArtifactsError } from '../../errors.ts'
import type { ArtifactId, Json, Metadata } from '../../types.ts'
import type { StateView, VersionRow } from '../index/state.ts'
import { LATEST, type Plan } from './plan.ts'
import { type FallenAlias, planRemove } from './plan-remove.ts'

export interface KeepRules {
  /** So many with the highest numbers. */
  readonly last?: number
  /** Those created at most so many milliseconds ago. */
  readonly within?: number
  /** Those that an alias other than `latest`, or a portfolio, names. */
  readonly aliased?: boolean
  /** The one with the greatest or least number in its metadata, of equals the newest. */
  readonly best?: BestRule
}

export interface BestRule {
  /** A key of the metadata; with dots, of objects inside it. */
  readonly key: string
  readonly order: 'max' | 'min'
}

export interface PruneIntent {
  readonly artifact: ArtifactId
  /** As messages call it. */
  readonly name: string
  readonly rules: KeepRules
  /** Milliseconds since 1970. */
  readonly now: number
}

export type KeepReason = 'last' | 'within' | 'aliased' | 'best'

export interface KeptVersion {
  readonly row: VersionRow
  /** The rules that keep it. */
  readonly reasons: readonly KeepReason[]
}

export interface PruneOutcome {
  /** By number, as is `removed`. */
  readonly kept: readonly KeptVersion[]
  readonly removed: readonly VersionRow[]
  readonly aliases: readonly FallenAlias[]
}

/**
 * @throws ArtifactsError ERR_USAGE when no rule is given or none keeps any version, ERR_NOT_FOUND when no version has the
 * number that decides, ERR_IN_USE when an alias other than `latest` names a version that would go.
 */
export function planPrune(state: StateView, intent: PruneIntent): Plan<PruneOutcome> {
  const { artifact, name } = intent
  const rows = state.versions(artifact)
  const judged = judge(state, rows, intent)
  const kept = judged.filter(({ reasons }) => reasons.length > 0)
  const going = judged.filter(({ reasons }) => reasons.length === 0).map(({ row }) => row)
  if (kept.length === 0 && going.length > 0) throw nothingKept(name)
  refuseAliased(state, name, going)
  const { changes, outcome } = planRemove(state, {
    versions: going.map(({ id }) => ({ version: id, name })),
    aliases: false,
  })
  return { changes, outcome: { kept, removed: going, aliases: outcome.aliases } }
}

function judge(
  state: StateView,
  rows: readonly VersionRow[],
  { name, rules, now }: PruneIntent,
): KeptVersion[] {
  const { last, within, aliased, best } = rules
  if (last === undefined && within === undefined && aliased !== true && best === undefined) {
    throw new ArtifactsError('ERR_USAGE', `Nothing says which versions of "${name}" to keep.`, {
      hint: 'Give at least one rule, as `--keep-last 5`.',
    })
  }
  const newest = new Set(last === undefined ? [] : rows.slice(Math.max(0, rows.length - last)))
  const winner = best === undefined || rows.length === 0 ? undefined : bestOf(rows, best, name)
  return rows.map((row) => {
    const isYoung = within !== undefined && Date.parse(row.object.createdAt) >= now - within
    const reasons: readonly (KeepReason | false)[] = [
      newest.has(row) && 'last',
      isYoung && 'within',
      aliased === true && isNamed(state, row) && 'aliased',
      row === winner && 'best',
    ]
    return { row, reasons: reasons.filter((reason) => reason !== false) }
  })
}

function bestOf(rows: readonly VersionRow[], { key, order }: BestRule, name: string): VersionRow {
  let best: { readonly row: VersionRow; readonly value: number } | undefined
  for (const row of rows) {
    const value = numberAt(row.metadata ?? {}, key)
    if (value === undefined) continue
    const isBetter =
      best === undefined || (order === 'max' ? value >= best.value : value <= best.value)
    if (isBetter) best = { row, value }
  }
  if (best !== undefined) return best.row
  throw new ArtifactsError('ERR_NOT_FOUND', `No version of "${name}" has a number "meta.${key}".`, {
    hint: `Look at the metadata with \`artifacts show ${name}\`.`,
  })
}

function numberAt(metadata: Metadata, key: string): number | undefined {
  let value: Json | undefined = metadata[key]
  if (value === undefined) {
    value = metadata
    for (const part of key.split('.')) {
      const isObject: boolean = typeof value === 'object' && value !== null && !Array.isArray(value)
      value = isObject ? (value as Metadata)[part] : undefined
    }
  }
  return typeof value === 'number' ? value : undefined
}

/** Whether an alias or a portfolio names it. */
function isNamed(state: StateView, row: VersionRow): boolean {
  const isBase = state.openDrafts().some(({ base }) => base === row.id)
  return isBase || aliasesOf(state, row).length > 0 || state.linksOf(row.id).length > 0
}

function aliasesOf(state: StateView, { id }: VersionRow): string[] {
  return state.aliasesOf(id).filter((alias) => alias !== LATEST)
}

function refuseAliased(state: StateView, name: string, going: readonly VersionRow[]): void {
  const held = going
    .map((row) => ({ ref: `${name}:v${row.number}`, aliases: aliasesOf(state, row) }))
    .filter(({ aliases }) => aliases.length > 0)
  if (held.length === 0) return
  const named = held.slice(0, 10).map(({ ref, aliases }) => `"${ref}" (${aliases.join(', ')})`)
  const more = held.length > named.length ? ` and ${held.length - named.length} more` : ''
  throw new ArtifactsError(
    'ERR_IN_USE',
    `Aliases hold ${named.join(', ')}${more}, which no rule keeps: nothing was removed.`,
    { hint: 'Keep them with `--keep-aliased`, or remove the aliases first.', data: { held } },
  )
}

function nothingKept(name: string): ArtifactsError {
  return new ArtifactsError('ERR_USAGE', `No rule keeps any version of "${name}".`, {
    hint: `To remove all of them: \`artifacts rm ${name} --all-versions\`.`,
  })
}
