/** What changes when several processes build one version: parts come, and the whole becomes a version or is given up. */
import { ArtifactsError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import type { DraftRow, StateView } from '../index/state.ts'
import type { Change } from './change.ts'
import type { DraftOpen, DraftPart } from './draft-change.ts'
import type { CommitOutcome, Plan } from './plan.ts'

/** Which draft is meant: the open one that is called so; where there is none, a new one. */
export interface DraftTarget {
  readonly project: string
  readonly name: string
  readonly key: string
  readonly type?: string
  /** The id that a new one gets: random, the same in every attempt. */
  readonly newDraft: string
  /** What a new one starts from. */
  readonly base?: ObjectId
  /** It must be this one. */
  readonly only?: string
}

/** Plans `draft new`. Throws ERR_EXISTS where one of this name is open. */
export function planOpen(state: StateView, target: DraftTarget): Plan<string> {
  const { project, name, key } = target
  if (state.openDraft(project, name, key) !== undefined) {
    throw new ArtifactsError('ERR_EXISTS', `There is a draft "${key}" of "${name}" already.`, {
      hint: `Add to it, or finish it: \`artifacts draft finish --id ${key}\`.`,
    })
  }
  refuseOtherType(state, target, undefined)
  return { changes: [opening(target)], outcome: target.newDraft }
}

export interface PartIntent
  extends Pick<DraftPart, 'root' | 'files' | 'bytes' | 'writer' | 'run' | 'overwrite' | 'removed'> {
  readonly target: DraftTarget
}

export interface PartOutcome {
  readonly draft: string
  readonly part: number
}

/**
 * Plans that a part is added; the first one begins the draft. Throws ERR_TYPE_MISMATCH, and ERR_NOT_FOUND where it must be
 * a draft that is open no more.
 */
export function planPart(state: StateView, intent: PartIntent): Plan<PartOutcome> {
  const { target, ...part } = intent
  const existing = state.openDraft(target.project, target.name, target.key)
  if (target.only !== undefined && existing?.id !== target.only) throw ended(state, target.only)
  refuseOtherType(state, target, existing)
  const draft = existing?.id ?? target.newDraft
  const number = existing?.parts ?? 0
  const change = { kind: 'draft.part' as const, draft, part: number, ...part }
  return {
    changes: existing === undefined ? [opening(target), change] : [change],
    outcome: { draft, part: number },
  }
}

export interface FinishedDraft {
  readonly draft: string
  /** How many there were when they were merged. */
  readonly parts: number
  /** Runs that added to it, and the name that the version has in them. */
  readonly runs: readonly string[]
  readonly slot: string
}

/** Others have added to the draft since its parts were merged: merge them once more. */
export class DraftGrownError extends Error {}

/** The commit of a draft's entries, with which the draft ends. Throws ERR_NOT_FOUND where it has ended already. */
export function withDraft(
  state: StateView,
  commit: Plan<CommitOutcome>,
  { draft, parts, runs, slot }: FinishedDraft,
): Plan<CommitOutcome> {
  const row = state.draft(draft)
  if (row?.state !== 'open') throw ended(state, draft)
  if (row.parts !== parts) throw new DraftGrownError('The draft has grown.')
  const { outcome, changes } = commit
  if (outcome.kind === 'taken') return commit
  const { version } = outcome
  const said = new Set(changes.flatMap((change) => (change.kind === 'run.logs' ? change.run : [])))
  const edges = [...new Set(runs)]
    .filter((run) => state.run(run) !== undefined && !said.has(run))
    .filter((run) => !state.hasEdge({ run, slot, version, direction: 'output' }))
    .map((run): Change => ({ kind: 'run.logs', run, slot, version }))
  const end: Change = { kind: 'draft.finish', draft, version }
  return { ...commit, changes: [...changes, ...edges, end] }
}

/** Plans `draft abort`. Throws ERR_NOT_FOUND where it has ended already. */
export function planAbort(state: StateView, draft: string): Plan<DraftRow> {
  const row = state.draft(draft)
  if (row?.state !== 'open') throw ended(state, draft)
  return { changes: [{ kind: 'draft.abort', draft }], outcome: row }
}

function opening({ newDraft: draft, project, name, type, key, base }: DraftTarget): DraftOpen {
  return {
    kind: 'draft.open',
    draft,
    project,
    name,
    ...(type === undefined ? {} : { type }),
    key,
    ...(base === undefined ? {} : { base }),
  }
}

function refuseOtherType(
  state: StateView,
  { project, name, type }: DraftTarget,
  draft: DraftRow | undefined,
): void {
  const artifact = state.artifactByName(project, name)
  const isLive = artifact !== undefined && state.highestLive(artifact.id) !== undefined
  const expected = isLive ? artifact.type : draft?.type
  if (type === undefined || expected === undefined || type === expected) return
  throw new ArtifactsError(
    'ERR_TYPE_MISMATCH',
    `"${project}/${name}" has the type "${expected}", not "${type}".`,
    { hint: 'Leave the type out, or build an artifact of another name.' },
  )
}

function ended(state: StateView, id: string): ArtifactsError {
  const row = state.draft(id)
  const what = row === undefined ? id : `${row.key}" of "${row.name}`
  const how = row?.state === 'finished' ? 'is finished' : 'was given up'
  return new ArtifactsError(
    'ERR_NOT_FOUND',
    row === undefined ? `There is no draft "${what}".` : `The draft "${what}" ${how}.`,
    { hint: 'See those that are open: `artifacts draft show`.' },
  )
}
