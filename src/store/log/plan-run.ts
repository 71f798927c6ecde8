/** What a run's beginning, its end, its labels and its use of versions change. */
import { isDeepStrictEqual } from 'node:util'
import { ArtifactsError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import type { RunRow, StateView } from '../index/state.ts'
import { sortedTags } from './effects.ts'
import type { Plan } from './plan.ts'
import type { RunFinish, RunLabels, RunStart } from './run-change.ts'
import { goneVersion } from './targets.ts'

export interface StartIntent extends Omit<RunStart, 'kind'> {
  /** Somebody chose the id; else it is random. */
  readonly chosen: boolean
}

/** Plans the start of a run. Throws ERR_EXISTS when there is one with the chosen id. */
export function planStart(state: StateView, { chosen, ...start }: StartIntent): Plan<string> {
  const { run } = start
  if (chosen && state.run(run) !== undefined) {
    throw new ArtifactsError('ERR_EXISTS', `There is a run "${run}" already.`, {
      hint: `See it with \`artifacts run show ${run}\`, or start one with another id.`,
    })
  }
  return { changes: [{ kind: 'run.start', ...start }], outcome: run }
}

export interface FinishOutcome {
  /** What it is now. */
  readonly state: 'finished' | 'failed'
}

/** Plans the end of a run. One that has ended like this already stays as it is; ERR_CONFLICT when it ended otherwise. */
export function planFinish(state: StateView, finish: Omit<RunFinish, 'kind'>): Plan<FinishOutcome> {
  const row = requireRun(state, finish.run)
  if (row.state === 'running') {
    return { changes: [{ kind: 'run.finish', ...finish }], outcome: { state: finish.state } }
  }
  if (row.state === finish.state) return { changes: [], outcome: { state: row.state } }
  throw new ArtifactsError(
    'ERR_CONFLICT',
    `Run "${row.id}" has ended already, and ${row.state === 'failed' ? 'failed' : 'did not fail'}.`,
    { hint: `See it with \`artifacts run show ${row.id}\`.` },
  )
}

export interface LabelOutcome {
  /** What is another one now. */
  readonly changed: readonly (keyof RunLabels)[]
}

/** Plans other labels of a run. */
export function planRunLabels(
  state: StateView,
  run: string,
  wanted: RunLabels,
): Plan<LabelOutcome> {
  const row = requireRun(state, run)
  const now = labelsOf(row)
  const given = wanted.tags === undefined ? wanted : { ...wanted, tags: sortedTags(wanted.tags) }
  const keys = Object.keys(given) as (keyof RunLabels)[]
  const changed = keys.filter((key) => !isDeepStrictEqual(given[key], now[key]))
  if (changed.length === 0) return { changes: [], outcome: { changed } }
  const pick = (from: RunLabels): RunLabels =>
    Object.fromEntries(changed.map((key) => [key, from[key]]))
  const change = { kind: 'run.update' as const, run, set: pick(given), old: pick(now) }
  return { changes: [change], outcome: { changed } }
}

export interface UseIntent {
  readonly run: string
  readonly uses: readonly {
    readonly version: ObjectId
    readonly slot: string
    /** The version as messages call it. */
    readonly ref: string
  }[]
}

/** Plans that a run uses live versions; what it uses already under that name is not said twice. */
export function planUse(state: StateView, { run, uses }: UseIntent): Plan<void> {
  requireRun(state, run)
  const wanted = uses.filter(({ version, slot, ref }) => {
    const row = state.versionById(version)
    if (row === undefined) throw new Error(`There is no version "${version}".`)
    if (row.deleted !== undefined) throw goneVersion(ref, row)
    return !state.hasEdge({ run, slot, version, direction: 'input' })
  })
  const unique = new Map(wanted.map((use) => [`${use.version} ${use.slot}`, use]))
  const changes = [...unique.values()].map(
    ({ version, slot }) => ({ kind: 'run.uses', run, slot, version }) as const,
  )
  return { changes, outcome: undefined }
}

/** The run with this id; throws ERR_NOT_FOUND when there is none. */
export function requireRun(state: StateView, id: string): RunRow {
  const row = state.run(id)
  if (row !== undefined) return row
  throw new ArtifactsError('ERR_NOT_FOUND', `There is no run "${id}".`, {
    hint: 'Run `artifacts run ls` to see all runs, or start one: `artifacts run start`.',
  })
}

function labelsOf(row: RunRow): Required<RunLabels> {
  return {
    name: row.name ?? null,
    job: row.job ?? null,
    group: row.group ?? null,
    notes: row.notes ?? null,
    tags: sortedTags(row.tags),
    config: row.config ?? null,
  }
}
