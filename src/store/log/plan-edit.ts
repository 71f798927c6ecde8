/** What editing labels changes: description, metadata, tags and time to live of a version; type and description of an artifact. */
import { isDeepStrictEqual } from 'node:util'
import { ArtifactsError } from '../../errors.ts'
import type { ArtifactId, Metadata } from '../../types.ts'
import type { ArtifactRow, StateView, VersionRow } from '../index/state.ts'
import type { ArtifactLabels, Ttl, VersionLabels } from './change.ts'
import { sortedTags } from './effects.ts'
import type { Plan } from './plan.ts'
import { liveTarget, type Target } from './targets.ts'

export interface EditIntent extends Target {
  /** An empty one is none. */
  readonly description?: string
  readonly metadata?: MetadataEdit
  readonly tags?: { readonly mode: 'add' | 'remove' | 'set'; readonly tags: readonly string[] }
  /** null: what the store says. */
  readonly ttl?: Ttl | null
}

/** Applied in this order. */
export interface MetadataEdit {
  /** Instead of all there is. */
  readonly replace?: Metadata
  /** By keys of the top level. */
  readonly merge?: Metadata
  readonly unset?: readonly string[]
}

export interface EditOutcome {
  /** What is another one now. */
  readonly changed: readonly (keyof VersionLabels)[]
}

/** Plans `edit` and `tag` of a version. Throws ERR_NOT_FOUND when it is deleted. */
export function planEdit(state: StateView, intent: EditIntent): Plan<EditOutcome> {
  const row = liveTarget(state, intent)
  const now: Required<VersionLabels> = {
    description: row.description ?? null,
    metadata: row.metadata ?? null,
    tags: sortedTags(state.tagsOf(row.id)),
    ttl: row.ttl ?? null,
  }
  const wanted: VersionLabels = {
    ...(intent.description === undefined ? {} : { description: intent.description || null }),
    ...(intent.metadata === undefined ? {} : { metadata: edited(row, intent.metadata) }),
    ...(intent.tags === undefined ? {} : { tags: tagged(now.tags, intent.tags) }),
    ...(intent.ttl === undefined ? {} : { ttl: intent.ttl }),
  }
  const { set, old } = differing(wanted, now)
  const changed = Object.keys(set) as (keyof VersionLabels)[]
  const { artifact, id: version } = row
  return {
    changes: changed.length === 0 ? [] : [{ kind: 'version.edit', artifact, version, set, old }],
    outcome: { changed },
  }
}

export interface ArtifactEditIntent {
  readonly artifact: ArtifactId
  /** An empty one is none. */
  readonly description?: string
  readonly type?: string
}

export interface ArtifactEditOutcome {
  readonly changed: readonly (keyof ArtifactLabels)[]
}

/** Plans `edit --artifact`. Throws ERR_TYPE_MISMATCH for a portfolio that holds versions of another type. */
export function planArtifactEdit(
  state: StateView,
  { artifact, description, type }: ArtifactEditIntent,
): Plan<ArtifactEditOutcome> {
  const row = state.artifactById(artifact)
  if (row === undefined) throw new Error(`There is no artifact "${artifact}".`)
  if (type !== undefined && type !== row.type) refuseLinked(state, row)
  const now: Required<ArtifactLabels> = { type: row.type, description: row.description ?? null }
  const wanted: ArtifactLabels = {
    ...(description === undefined ? {} : { description: description || null }),
    ...(type === undefined ? {} : { type }),
  }
  const { set, old } = differing(wanted, now)
  const changed = Object.keys(set) as (keyof ArtifactLabels)[]
  return {
    changes: changed.length === 0 ? [] : [{ kind: 'artifact.edit', artifact, set, old }],
    outcome: { changed },
  }
}

/** A portfolio and what it links are of one type. */
function refuseLinked(state: StateView, { id, project, name, type }: ArtifactRow): void {
  const path = `${project}/${name}`
  const hint = 'Take them out first with `artifacts unlink`.'
  if (state.links(id).length > 0) {
    const message = `The portfolio "${path}" holds versions of the type "${type}".`
    throw new ArtifactsError('ERR_TYPE_MISMATCH', message, { hint })
  }
  const linked = state.versions(id).find((version) => state.linksOf(version.id).length > 0)
  if (linked === undefined) return
  const [link] = state.linksOf(linked.id)
  const portfolio = link && state.artifactById(link.portfolio)
  throw new ArtifactsError(
    'ERR_TYPE_MISMATCH',
    `"${path}:v${linked.number}" is in the portfolio "${portfolio?.project}/${portfolio?.name}", which holds the type "${type}" alone.`,
    { hint },
  )
}

/** The wanted values that are not there yet, and what is there instead. */
function differing<T extends object>(wanted: T, now: Required<T>): { set: T; old: T } {
  const keys = (Object.keys(wanted) as (keyof T & string)[]).filter(
    (key) => !isDeepStrictEqual(wanted[key], now[key]),
  )
  const pick = (from: T): T =>
    Object.fromEntries(keys.map((key) => [key, from[key]])) as unknown as T
  return { set: pick(wanted), old: pick(now) }
}

function edited(row: VersionRow, { replace, merge, unset }: MetadataEdit): Metadata | null {
  const fields = new Map(Object.entries(replace ?? row.metadata ?? {}))
  for (const [key, value] of Object.entries(merge ?? {})) fields.set(key, value)
  for (const key of unset ?? []) fields.delete(key)
  const none = row.metadata !== undefined && Object.keys(row.metadata).length === 0 ? {} : null
  return fields.size === 0 ? none : Object.fromEntries(fields)
}

function tagged(
  now: readonly string[] | null,
  { mode, tags }: NonNullable<EditIntent['tags']>,
): readonly string[] | null {
  if (mode === 'set') return sortedTags(tags)
  if (mode === 'add') return sortedTags([...(now ?? []), ...tags])
  return sortedTags((now ?? []).filter((tag) => !tags.includes(tag)))
}
