/**
 * Runs of two stores, merged (docs/remote.md section 7). A run is known by its id, and grows: what it used and logged is
 * the sum of both sides, the state of one that has finished stands, and only what it is called is merged three ways.
 */
import { isDeepStrictEqual } from 'node:util'
import type { EdgeRow, RunRow, StateView } from '../../store/index/state.ts'
import type { Change } from '../../store/log/change.ts'
import type {
  RunLabels,
  RunLogs,
  RunSource,
  RunStart,
  RunUses,
} from '../../store/log/run-change.ts'
import type { ObjectId } from '../../types.ts'
import { type Conflict, mergeMetadata, mergeSets, mergeValue, type Side } from './values.ts'

export interface RunsInput {
  readonly ours: StateView
  readonly theirs: StateView
  /** Their runs that are taken or merged. */
  readonly runs: readonly RunRow[]
  /** What a run was called when both sides last met; undefined: they never did. */
  readonly base: (run: string) => RunRow | undefined
  readonly wins: Side
  readonly withPatch: boolean
  /** Whether we have a version after the merge. */
  readonly isHere: (version: ObjectId) => boolean
}

export type RunConflict = { readonly run: string; readonly field: string } & Conflict

export interface MergedRuns {
  readonly changes: readonly Change[]
  readonly conflicts: readonly RunConflict[]
}

export function mergeRuns(input: RunsInput): MergedRuns {
  const { ours, theirs, isHere } = input
  const known = new Map(
    input.runs.length === 0
      ? []
      : ours.runs({}, Number.MAX_SAFE_INTEGER).map((row) => [row.id, row]),
  )
  const conflicts: RunConflict[] = []
  const changes = input.runs.flatMap((run): Change[] => {
    const mine = known.get(run.id)
    const there = new Set(mine === undefined ? [] : ours.edgesOfRun(run.id).map(keyOf))
    const edges = theirs.edgesOfRun(run.id).filter((edge) => !there.has(keyOf(edge)))
    return [
      ...(mine === undefined ? [start(run, input.withPatch)] : update(input, mine, run, conflicts)),
      ...edges.map((edge) => edgeChange(theirs, edge, isHere)),
      ...(run.state !== 'running' && (mine === undefined || mine.state === 'running')
        ? finish(run)
        : []),
    ]
  })
  return { changes, conflicts }
}

function start(run: RunRow, withPatch: boolean): RunStart {
  const { id, project, startedAt, user, host, name, job, group, notes, tags, config } = run
  const { command, directory, source } = run
  return {
    kind: 'run.start',
    run: id,
    project,
    startedAt,
    by: { user, host },
    ...(name === undefined ? {} : { name }),
    ...(job === undefined ? {} : { job }),
    ...(group === undefined ? {} : { group }),
    ...(notes === undefined ? {} : { notes }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(config === undefined ? {} : { config }),
    ...(command === undefined ? {} : { command }),
    ...(directory === undefined ? {} : { directory }),
    ...(source === undefined ? {} : { source: withPatch ? source : withoutPatch(source) }),
  }
}

function withoutPatch({ patch: _, ...source }: RunSource): RunSource {
  return source
}

function finish({ id: run, state, endedAt, exitCode }: RunRow): Change[] {
  if (state === 'running' || endedAt === undefined) return []
  return [
    { kind: 'run.finish', run, state, endedAt, ...(exitCode === undefined ? {} : { exitCode }) },
  ]
}

const TEXTS = ['name', 'job', 'group', 'notes'] as const

function update(input: RunsInput, mine: RunRow, other: RunRow, conflicts: RunConflict[]): Change[] {
  const { wins } = input
  const { id: run } = mine
  const before = input.base(run)
  const conflictIn =
    (field: string) =>
    (found: Conflict): void => {
      conflicts.push({ run, field, ...found })
    }
  const texts = TEXTS.map((field) => [
    field,
    mergeValue(before?.[field], mine[field], other[field], wins, conflictIn(field)) ?? null,
  ])
  const tags = mergeSets(before?.tags ?? [], mine.tags, other.tags)
  const config = mergeMetadata(before?.config, mine.config, other.config, wins, (key, found) =>
    conflictIn(`config.${key}`)(found),
  )
  const after: Record<string, unknown> = {
    ...Object.fromEntries(texts),
    tags: tags.length === 0 ? null : tags,
    config: config ?? null,
  }
  const was: Record<string, unknown> = {
    ...Object.fromEntries(TEXTS.map((field) => [field, mine[field] ?? null])),
    tags: mine.tags.length === 0 ? null : [...mine.tags].sort(),
    config: mine.config ?? null,
  }
  const fields = Object.keys(after).filter((field) => !isDeepStrictEqual(after[field], was[field]))
  if (fields.length === 0) return []
  const pick = (all: Record<string, unknown>): RunLabels =>
    Object.fromEntries(fields.map((field) => [field, all[field]]))
  return [{ kind: 'run.update', run, set: pick(after), old: pick(was) }]
}

function keyOf({ direction, slot, version }: EdgeRow): string {
  return `${direction} ${version} ${slot}`
}

function edgeChange(
  theirs: StateView,
  edge: EdgeRow,
  isHere: (version: ObjectId) => boolean,
): RunUses | RunLogs {
  const { run, slot, version, direction, deduplicated } = edge
  const name = isHere(version) ? undefined : (refIn(theirs, version) ?? edge.name)
  const said = { run, slot, version, ...(name === undefined ? {} : { name }) }
  if (direction === 'input') return { kind: 'run.uses', ...said }
  return { kind: 'run.logs', ...said, ...(deduplicated ? { deduplicated } : {}) }
}

/** What a version is called where it is. */
function refIn(state: StateView, id: ObjectId): string | undefined {
  const version = state.versionById(id)
  const artifact = version && state.artifactById(version.artifact)
  if (version === undefined || artifact === undefined) return undefined
  return `${artifact.project}/${artifact.name}:v${version.number}`
}
