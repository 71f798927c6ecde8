/**
 * What deleting and restoring versions changes. Deleting is soft: the version keeps its number, its labels and its
 * bytes until gc purges it. `latest` falls to the highest version that is left; other aliases hold their version.
 */
import { ArtifactsError } from '../../errors.ts'
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { StateView, VersionRow } from '../index/state.ts'
import type { AliasSet, VersionRestore } from './change.ts'
import { LATEST, type Plan } from './plan.ts'
import { anyTarget, removedByGc, type Target } from './targets.ts'

export interface RemoveIntent {
  readonly versions: readonly Target[]
  /** Take away the aliases that hold them. */
  readonly aliases: boolean
}

export interface RemoveOutcome {
  readonly removed: readonly VersionRow[]
  /** The aliases that are gone, and where `latest` went. */
  readonly aliases: readonly FallenAlias[]
}

export interface FallenAlias {
  readonly artifact: ArtifactId
  readonly alias: string
  readonly from: ObjectId
  /** Null: it names none any more. */
  readonly to: ObjectId | null
}

/** Plans `rm`. Throws ERR_IN_USE when aliases other than `latest`, or links of portfolios, hold one of the versions. */
export function planRemove(state: StateView, intent: RemoveIntent): Plan<RemoveOutcome> {
  const targets = unique(intent.versions).flatMap((target) => {
    const row = anyTarget(state, target)
    // Another process may have been first.
    return row.deleted === undefined ? [{ row, held: holders(state, row.id), target }] : []
  })
  const inUse = targets.filter(({ held }) => held.length > 0)
  if (inUse.length > 0 && !intent.aliases) {
    throw heldVersions(
      inUse.map(({ row, held, target }) => ({ ref: `${target.name}:v${row.number}`, held })),
    )
  }
  refuseLinked(
    state,
    targets.map(({ row, target }) => ({ version: row.id, ref: `${target.name}:v${row.number}` })),
  )
  refuseBases(
    state,
    targets.map(({ row, target }) => ({ version: row.id, ref: `${target.name}:v${row.number}` })),
  )
  const rows = targets.map(({ row }) => row)
  const aliases = targets.flatMap(({ row: { id, artifact }, held }) =>
    held.map((alias) => ({ artifact, alias, from: id, to: null })),
  )
  const falling = rows.filter(({ artifact, id }) => state.alias(artifact, LATEST) === id)
  const fallen = falling.map(({ id, artifact }): FallenAlias => {
    const to = highestBeside(state, artifact, rows)?.id ?? null
    return { artifact, alias: LATEST, from: id, to }
  })
  return {
    changes: [
      ...[...fallen, ...aliases].map(({ artifact, alias, from: old, to: version }) =>
        version === null
          ? { kind: 'alias.remove' as const, artifact, alias, old }
          : { kind: 'alias.set' as const, artifact, alias, version, old },
      ),
      ...rows.map(({ artifact, id }) => ({
        kind: 'version.delete' as const,
        artifact,
        version: id,
      })),
    ],
    outcome: { removed: rows, aliases: [...fallen, ...aliases] },
  }
}

export interface RestoreOutcome {
  readonly restored: readonly VersionRow[]
  /** Those that `latest` names now, because no version was left. */
  readonly latest: readonly ObjectId[]
}

/**
 * Plans `restore`; what is live stays as it is. Aliases do not come back by themselves, except that `latest` names the
 * highest restored version where there was no live one. Throws ERR_NOT_FOUND for what gc has purged.
 */
export function planRestore(state: StateView, targets: readonly Target[]): Plan<RestoreOutcome> {
  const rows = unique(targets).flatMap((target) => {
    const row = anyTarget(state, target)
    if (row.purged !== undefined) throw removedByGc(`${target.name}:v${row.number}`)
    return row.deleted === undefined ? [] : [row]
  })
  const highest = new Map<ArtifactId, VersionRow>()
  for (const row of rows) {
    const before = highest.get(row.artifact)
    if (before === undefined || before.number < row.number) highest.set(row.artifact, row)
  }
  const hidden = [...highest.values()].filter(
    ({ artifact }) => state.highestLive(artifact) === undefined,
  )
  const restores = rows.map(({ artifact, id }): VersionRestore => {
    return { kind: 'version.restore', artifact, version: id }
  })
  const latest = hidden.map(({ artifact, id }): AliasSet => {
    return { kind: 'alias.set', artifact, alias: LATEST, version: id, old: null }
  })
  return {
    changes: [...restores, ...latest],
    outcome: { restored: rows, latest: hidden.map(({ id }) => id) },
  }
}

/** Throws ERR_IN_USE where portfolios hold versions. */
export function refuseLinked(
  state: StateView,
  versions: readonly { readonly version: ObjectId; readonly ref: string }[],
): void {
  const held = versions.flatMap(({ version, ref }) => {
    const links = state.linksOf(version).map(({ portfolio, number }) => {
      const { project = '', name = '' } = state.artifactById(portfolio) ?? {}
      return `${project}/${name}:v${number}`
    })
    return links.length === 0 ? [] : [{ ref, links }]
  })
  if (held.length === 0) return
  const named = held.slice(0, 10).map(({ ref, links }) => `"${ref}" (${links.join(', ')})`)
  const more = held.length > named.length ? ` and ${held.length - named.length} more` : ''
  throw new ArtifactsError(
    'ERR_IN_USE',
    `Portfolios hold ${named.join(', ')}${more}: nothing was removed.`,
    {
      hint: `Take the links away first: \`artifacts unlink ${held[0]?.links[0] ?? ''}\`.`,
      data: { held },
    },
  )
}

/** Throws ERR_IN_USE where drafts that are not finished start from one of the versions. */
function refuseBases(
  state: StateView,
  targets: readonly { readonly version: ObjectId; readonly ref: string }[],
): void {
  for (const draft of state.openDrafts()) {
    const held = targets.find(({ version }) => version === draft.base)
    if (held === undefined) continue
    throw new ArtifactsError(
      'ERR_IN_USE',
      `The draft "${draft.key}" of "${draft.name}" starts from "${held.ref}": nothing was removed.`,
      {
        hint: `Finish it first, or give it up: \`artifacts draft abort --id ${draft.id.slice(0, 12)}\`.`,
        data: { draft: draft.id },
      },
    )
  }
}

function holders(state: StateView, version: ObjectId): string[] {
  return state.aliasesOf(version).filter((alias) => alias !== LATEST)
}

/** The highest live version of an artifact that is none of these. */
function highestBeside(
  state: StateView,
  artifact: ArtifactId,
  rows: readonly VersionRow[],
): VersionRow | undefined {
  const going = new Set(rows.map(({ id }) => id))
  let row = state.highestLive(artifact)
  while (row !== undefined && going.has(row.id)) {
    row = state.versionBefore(artifact, row.number - 1, 0)
  }
  return row
}

function unique(targets: readonly Target[]): Target[] {
  return [...new Map(targets.map((target) => [target.version, target])).values()]
}

function heldVersions(
  held: readonly { readonly ref: string; readonly held: readonly string[] }[],
): ArtifactsError {
  const most = 10
  const named = held
    .slice(0, most)
    .map(({ ref, held: aliases }) => `"${ref}" (${aliases.join(', ')})`)
  const more = held.length > most ? ` and ${held.length - most} more` : ''
  const refs = held.slice(0, most).map(({ ref }) => ref)
  return new ArtifactsError(
    'ERR_IN_USE',
    `Aliases hold ${named.join(', ')}${more}: nothing was removed.`,
    {
      hint: `To remove the aliases too: \`artifacts rm ${refs.join(' ')} --aliases\`.`,
      data: { held: held.map(({ ref, held: aliases }) => ({ ref, aliases })) },
    },
  )
}
