/**
 * What a commit changes, as a pure function of the state and of what was asked for. A writer that loses the race for
 * an operation's number runs it again on the new state: number, "unchanged?", old values and checks are never older
 * than the operation they stand in.
 */
import { isDeepStrictEqual } from 'node:util'
import { ArtifactsError } from '../../errors.ts'
import type { ArtifactId, Metadata, ObjectId, VersionObject } from '../../types.ts'
import type { ArtifactRow, StateView, VersionRow } from '../index/state.ts'
import type { AliasSet, ArtifactEdit, Change, VersionAdd } from './change.ts'
import type { JoiningPack } from './operation.ts'
import { requireRun } from './plan-run.ts'
import type { RunLogs } from './run-change.ts'

export interface CommitIntent {
  readonly project: string
  readonly name: string
  /** The artifact's type; by default the one it has, else `dataset`. */
  readonly type?: string
  /** The id the artifact gets if it does not exist yet: random, chosen once, the same in every attempt. */
  readonly newArtifact: ArtifactId
  readonly object: VersionObject
  /** The id of `object`. */
  readonly versionId: ObjectId
  readonly aliases: readonly string[]
  readonly tags: readonly string[]
  readonly description?: string
  readonly metadata?: Metadata
  /** The run that logs it, and the name this has in the run; by default the artifact's. */
  readonly run?: { readonly id: string; readonly slot?: string }
  /** Which live versions with the same digest are as good as a new one. */
  readonly reuse: 'latest' | 'any' | 'never'
}

export type CommitOutcome =
  | {
      readonly kind: 'created'
      readonly artifact: ArtifactId
      readonly type: string
      readonly version: ObjectId
      readonly number: number
      readonly moved: readonly MovedAlias[]
    }
  /** The content was there. */
  | {
      readonly kind: 'unchanged'
      readonly artifact: ArtifactId
      readonly type: string
      readonly version: ObjectId
      readonly number: number
      readonly moved: readonly MovedAlias[]
      /** What was given, differs from what the version has, and was not applied. */
      readonly ignored: readonly Label[]
    }
  /** A version with this very id exists: the caller makes another version object, a millisecond later. */
  | { readonly kind: 'taken' }

export type Label = 'description' | 'metadata' | 'tags'

export interface MovedAlias {
  readonly alias: string
  /** The version it named before. */
  readonly from: ObjectId | null
}

export interface Plan<Outcome> {
  /** None: nothing is written. */
  readonly changes: readonly Change[]
  /** The packs that join with the changes; absent: those of the intent. */
  readonly packs?: readonly JoiningPack[]
  readonly outcome: Outcome
}

export const DEFAULT_TYPE = 'dataset'
export const LATEST = 'latest'

/**
 * Plans a commit. Throws ERR_TYPE_MISMATCH when the artifact exists with another type than the one given. An artifact
 * without live versions takes the type that is given.
 */
export function planCommit(state: StateView, intent: CommitIntent): Plan<CommitOutcome> {
  const existing = state.artifactByName(intent.project, intent.name)
  if (existing?.portfolio === true) throw isPortfolio(existing)
  if (intent.run !== undefined) requireRun(state, intent.run.id)
  const retyped = existing === undefined ? undefined : retype(state, existing, intent)
  if (existing !== undefined) {
    const same = sameContent(state, existing.id, intent)
    if (same !== undefined) return planUnchanged(state, same, existing.type, intent)
  }
  if (state.versionById(intent.versionId) !== undefined)
    return { changes: [], outcome: { kind: 'taken' } }

  const artifact = existing?.id ?? intent.newArtifact
  const type = retyped?.set.type ?? existing?.type ?? intent.type ?? DEFAULT_TYPE
  const number = existing === undefined ? 0 : state.nextNumber(artifact)
  const { project, name, versionId: version } = intent
  const aliases = moveAliases(state, artifact, version, [LATEST, ...intent.aliases])
  const changes: readonly Change[] = [
    ...(existing === undefined
      ? [{ kind: 'artifact.create' as const, artifact, project, name, type }]
      : []),
    ...(retyped === undefined ? [] : [retyped]),
    addVersion(intent, artifact, number),
    ...aliases,
    ...logged(state, intent, version, {}),
  ]
  return {
    changes,
    outcome: { kind: 'created', artifact, type, version, number, moved: movesOf(aliases) },
  }
}

/** The change that gives an artifact the type that is asked for, which only a hidden one takes. */
function retype(
  state: StateView,
  { id: artifact, type: old }: ArtifactRow,
  intent: CommitIntent,
): ArtifactEdit | undefined {
  const { type } = intent
  if (type === undefined || type === old) return undefined
  if (state.highestLive(artifact) !== undefined) throw typeMismatch(intent, old)
  return { kind: 'artifact.edit', artifact, set: { type }, old: { type: old } }
}

/** The live version that makes a new one needless. */
function sameContent(
  state: StateView,
  artifact: ArtifactId,
  intent: CommitIntent,
): VersionRow | undefined {
  if (intent.reuse === 'never') return undefined
  const current = currentVersion(state, artifact)
  if (current?.object.root === intent.object.root) return current
  return intent.reuse === 'any' ? state.versionByRoot(artifact, intent.object.root) : undefined
}

/** The version that `latest` names; without `latest`, the highest live one. In a portfolio likewise, of its links. */
export function currentVersion(state: StateView, artifact: ArtifactId): VersionRow | undefined {
  const latest = state.alias(artifact, LATEST)
  if (latest !== undefined) return state.versionById(latest)
  const highest = state.highestLive(artifact)
  if (highest !== undefined) return highest
  const link = state.links(artifact).at(-1)
  return link === undefined ? undefined : state.versionById(link.version)
}

/** True for an artifact whose versions are all deleted, and for a portfolio without links: nobody sees them. */
export function isHidden(state: StateView, { id, portfolio }: ArtifactRow): boolean {
  return portfolio === true ? state.links(id).length === 0 : state.highestLive(id) === undefined
}

/** The edge from the run to the version that it logs, unless it is there. */
function logged(
  state: StateView,
  { run, name }: CommitIntent,
  version: ObjectId,
  { deduplicated }: { readonly deduplicated?: true },
): readonly RunLogs[] {
  if (run === undefined) return []
  const slot = run.slot ?? name
  const edge = { run: run.id, slot, version }
  if (state.hasEdge({ ...edge, direction: 'output' })) return []
  return [{ kind: 'run.logs', ...edge, ...(deduplicated === undefined ? {} : { deduplicated }) }]
}

function planUnchanged(
  state: StateView,
  same: VersionRow,
  type: string,
  intent: CommitIntent,
): Plan<CommitOutcome> {
  const aliases = moveAliases(state, same.artifact, same.id, intent.aliases)
  const { artifact, id: version, number } = same
  const ignored = ignoredLabels(state, same, intent)
  const moved = movesOf(aliases)
  const isOwn = same.object.run !== undefined && same.object.run === intent.run?.id
  const edge = logged(state, intent, version, isOwn ? {} : { deduplicated: true })
  const changes: readonly Change[] = [...aliases, ...edge]
  return {
    changes,
    outcome: { kind: 'unchanged', artifact, type, version, number, moved, ignored },
  }
}

function addVersion(intent: CommitIntent, artifact: ArtifactId, number: number): VersionAdd {
  const { object, versionId: version, description, metadata } = intent
  const tags = [...new Set(intent.tags)].sort()
  return {
    kind: 'version.add',
    artifact,
    number,
    version,
    object,
    ...(description === undefined ? {} : { description }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(tags.length === 0 ? {} : { tags }),
  }
}

function moveAliases(
  state: StateView,
  artifact: ArtifactId,
  version: ObjectId,
  aliases: readonly string[],
): AliasSet[] {
  return [...new Set(aliases)].flatMap((alias) => {
    const old = state.alias(artifact, alias) ?? null
    return old === version ? [] : [{ kind: 'alias.set' as const, artifact, alias, version, old }]
  })
}

function movesOf(changes: readonly AliasSet[]): MovedAlias[] {
  return changes.map(({ alias, old }) => ({ alias, from: old }))
}

function ignoredLabels(state: StateView, same: VersionRow, intent: CommitIntent): Label[] {
  const { description, metadata, tags } = intent
  const had = new Set(state.tagsOf(same.id))
  const ignored: Label[] = []
  if (description !== undefined && description !== (same.description ?? ''))
    ignored.push('description')
  if (metadata !== undefined && !isDeepStrictEqual(metadata, same.metadata ?? {}))
    ignored.push('metadata')
  if (tags.some((tag) => !had.has(tag))) ignored.push('tags')
  return ignored
}

function isPortfolio({ project, name }: ArtifactRow): ArtifactsError {
  return new ArtifactsError(
    'ERR_TYPE_MISMATCH',
    `"${project}/${name}" is a portfolio: it holds links to versions of other artifacts.`,
    {
      hint: `Commit under another name, and link the version: \`artifacts link NAME:vN ${name}\`.`,
    },
  )
}

function typeMismatch({ project, name, type }: CommitIntent, existing: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_TYPE_MISMATCH',
    `Artifact "${project}/${name}" has the type "${existing}", not "${type}".`,
    { hint: `Leave the type out, or commit under another name: \`-n ${name}-${type}\`.` },
  )
}
