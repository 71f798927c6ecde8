/** Runs as plain data: starting and ending them, finding them, and what they used and logged. */
import { randomBytes } from 'node:crypto'
import { ArtifactsError } from './errors.ts'
import { write } from './labels.ts'
import { checkMetadata } from './metadata.ts'
import { checkProject, checkProse, checkRunId, checkTag, checkText } from './names.ts'
import { linkRefOf, nameOf, refOf, type Session, versionOf } from './session.ts'
import type { Resolved } from './store/index/resolve.ts'
import type { EdgeRow, RunRow } from './store/index/state.ts'
import { isCrashed } from './store/live.ts'
import { planFinish, planRunLabels, planStart, planUse } from './store/log/plan-run.ts'
import type { RunLabels, RunProgram, RunSource } from './store/log/run-change.ts'
import type { Metadata, ObjectId } from './types.ts'

export type { RunLabels, RunSource }

export interface StartRunOptions extends RunProgram {
  /** Default: random. */
  readonly id?: string
  /** Any text. */
  readonly name?: string
  /** Default: the store's. */
  readonly project?: string
  /** What kind of work it is, as `train`. */
  readonly job?: string
  /** What it is part of. */
  readonly group?: string
  readonly tags?: readonly string[]
  readonly notes?: string
  readonly config?: Metadata
}

export interface RunSummary extends RunProgram {
  readonly id: string
  readonly name?: string
  readonly project: string
  readonly job?: string
  readonly group?: string
  readonly tags: readonly string[]
  readonly notes?: string
  readonly config: Metadata
  /** Who started it, on which machine. */
  readonly user: string
  readonly host: string
  readonly startedAt: string
  readonly endedAt?: string
  /** `crashed`: it did not say that it ended, and its process is dead. */
  readonly state: 'running' | 'finished' | 'failed' | 'crashed'
  readonly exitCode?: number
  /** Number of the operation that started it. */
  readonly operation: number
}

/** A version that a run used (`input`) or logged (`output`). */
export interface RunEdge {
  readonly direction: 'input' | 'output'
  /** The name that the version has in the run. */
  readonly slot: string
  /** `bike:v3`; of a version that is not in this store, what it is called where it is. */
  readonly ref: string
  readonly id: ObjectId
  /** `removed`: deleted, and gc has given up its bytes. `elsewhere`: not in this store. */
  readonly state: 'live' | 'deleted' | 'removed' | 'elsewhere'
  readonly type?: string
  readonly digest?: ObjectId
  readonly files?: number
  readonly bytes?: number
  /** The run logged content that was there. */
  readonly deduplicated: boolean
  /** Number of the operation that recorded it. */
  readonly operation: number
}

/** @throws ArtifactsError ERR_INVALID_NAME, ERR_EXISTS for an id that is taken. */
export async function startRun(
  session: Session,
  options: StartRunOptions,
  id: string = options.id ?? newRunId(),
): Promise<RunRow> {
  const { opened, defaults } = session
  const { project = defaults.project, tags = [], config, notes } = options
  const { command, directory, source } = options
  const intent = {
    run: checkRunId(id),
    chosen: options.id !== undefined,
    project: checkProject(project),
    startedAt: new Date().toISOString(),
    by: opened.by,
    ...checkedTexts(options),
    ...(notes === undefined ? {} : { notes: checkProse(notes, 'notes') }),
    ...(tags.length === 0 ? {} : { tags: [...new Set(tags.map(checkTag))] }),
    ...(config === undefined ? {} : { config: checkMetadata(config) }),
    ...(command === undefined ? {} : { command }),
    ...(directory === undefined ? {} : { directory }),
    ...(source === undefined ? {} : { source }),
  }
  await write(session, (state) => planStart(state, intent))
  return runRow(session, id)
}

/** Twelve letters and digits: enough that no two are ever the same. */
export function newRunId(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
  return [...randomBytes(12)].map((byte) => alphabet[byte % 32]).join('')
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_CONFLICT for a run that ended otherwise. */
export async function finishRun(
  session: Session,
  run: string,
  { failed = false, exitCode }: FinishOptions = {},
): Promise<RunSummary> {
  const end = {
    run,
    state: failed ? ('failed' as const) : ('finished' as const),
    endedAt: new Date().toISOString(),
    ...(exitCode === undefined ? {} : { exitCode }),
  }
  await write(session, (state) => planFinish(state, end))
  return summaryOfRun(session, runRow(session, run))
}

export interface FinishOptions {
  readonly failed?: boolean
  /** 0 to 255. */
  readonly exitCode?: number
}

/** Gives a run other labels; null takes one away. @throws ArtifactsError ERR_NOT_FOUND, ERR_INVALID_NAME. */
export async function labelRun(session: Session, run: string, labels: RunLabels): Promise<void> {
  const { tags, config } = labels
  if (typeof labels.notes === 'string') checkProse(labels.notes, 'notes')
  const checked: RunLabels = {
    ...labels,
    ...checkedTexts(labels),
    ...(tags ? { tags: tags.map(checkTag) } : {}),
    ...(config ? { config: checkMetadata(config) } : {}),
  }
  await write(session, (state) => planRunLabels(state, run, checked))
}

export interface UseOptions {
  /** The type that the artifact must have. */
  readonly type?: string
  /** The name that the version has in the run; default: the artifact's. */
  readonly slot?: string
}

/**
 * Records that a run uses versions, in one operation; a ref without project means the run's.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_TYPE_MISMATCH, ERR_INVALID_NAME: nothing is recorded then.
 */
export async function useVersions(
  session: Session,
  run: string,
  refs: readonly string[],
  options: UseOptions = {},
): Promise<readonly Resolved[]> {
  const within = sessionOfRun(session, run)
  const found = refs.map((ref) => expectType(within, versionOf(within, ref), options.type))
  const slot = options.slot === undefined ? undefined : checkText(options.slot, 'slot')
  const uses = found.map((resolved) => ({
    version: resolved.version.id,
    slot: slot ?? (resolved.link?.portfolio ?? resolved.artifact).name,
    ref: refOf(session, resolved),
  }))
  await write(session, (state) => planUse(state, { run, uses }))
  return found
}

/** The session in which names without a project mean the run's project. @throws ArtifactsError ERR_NOT_FOUND. */
export function sessionOfRun(session: Session, run: string): Session {
  const { project } = runRow(session, run)
  return { ...session, defaults: { ...session.defaults, project } }
}

/** @throws ArtifactsError ERR_NOT_FOUND. */
export function runRow(session: Session, id: string): RunRow {
  const row = session.state.run(id)
  if (row === undefined) throw noRun(id)
  return row
}

export function summaryOfRun(session: Session, row: RunRow): RunSummary {
  const { state, config = {}, ...facts } = row
  const { layout } = session.opened
  const crashed = state === 'running' && isCrashed(layout, row.id, Date.now())
  return { ...facts, config, state: crashed ? 'crashed' : state }
}

/** What a run used and logged, in its order. */
export function edgesOfRun(session: Session, run: string): RunEdge[] {
  return session.state.edgesOfRun(run).map((edge) => describeEdge(session, edge))
}

/** The version that a run used or logged under a name; of several the newest. @throws ArtifactsError ERR_NOT_FOUND. */
export function versionInSlot(
  session: Session,
  run: string,
  slot: string,
  direction: RunEdge['direction'] = 'output',
): Resolved {
  const { state } = session
  const edges = state.edgesOfRun(run).filter((edge) => edge.direction === direction)
  const edge = edges.findLast((each) => each.slot === slot)
  if (edge === undefined) {
    const slots = [...new Set(edges.map((each) => `"${each.slot}"`))]
    const verb = direction === 'output' ? 'logged' : 'used'
    throw new ArtifactsError('ERR_NOT_FOUND', `Run "${run}" has ${verb} nothing as "${slot}".`, {
      hint:
        slots.length === 0
          ? `It has ${verb} nothing at all.`
          : `What it has ${verb}: ${slots.slice(0, 10).join(', ')}.`,
    })
  }
  const { ref, state: life } = describeEdge(session, edge)
  if (life === 'elsewhere') {
    throw new ArtifactsError('ERR_NOT_FOUND', `Version "${ref}" is not in this store.`, {
      hint: 'Fetch it from where it is.',
    })
  }
  return versionOf(session, `@${edge.version}`)
}

function describeEdge(session: Session, edge: EdgeRow): RunEdge {
  const { state } = session
  const { direction, slot, version: id, deduplicated, operation } = edge
  const version = state.versionById(id)
  const artifact = version && state.artifactById(version.artifact)
  const facts = { direction, slot, id, deduplicated, operation }
  if (version === undefined || artifact === undefined) {
    return { ...facts, ref: edge.name ?? `@${id.slice(0, 12)}`, state: 'elsewhere' }
  }
  const { root: digest, files, bytes } = version.object
  const isGone = version.purged !== undefined
  return {
    ...facts,
    ref: refOf(session, { artifact, version }),
    state: isGone ? 'removed' : version.deleted === undefined ? 'live' : 'deleted',
    type: artifact.type,
    digest,
    files,
    bytes,
  }
}

function checkedTexts({ name, job, group }: RunLabels): Pick<
  RunLabels,
  'name' | 'job' | 'group'
> & {
  name?: string
  job?: string
  group?: string
} {
  return {
    ...(typeof name === 'string' ? { name: checkText(name, 'name of a run') } : {}),
    ...(typeof job === 'string' ? { job: checkText(job, 'job') } : {}),
    ...(typeof group === 'string' ? { group: checkText(group, 'group') } : {}),
  }
}

function expectType(session: Session, resolved: Resolved, type: string | undefined): Resolved {
  const { artifact } = resolved
  if (type === undefined || artifact.type === type) return resolved
  const ref = linkRefOf(session, resolved)
  throw new ArtifactsError(
    'ERR_TYPE_MISMATCH',
    `"${ref}" has the type "${artifact.type}", not "${type}".`,
    {
      hint: `Leave the type out, or name another version: \`artifacts ls ${nameOf(session, artifact)}\`.`,
    },
  )
}

/** The error for a run that nobody knows; `other` may have been meant. */
export function noRun(text: string, other?: string): ArtifactsError {
  return new ArtifactsError('ERR_NOT_FOUND', `There is no run "${text}".`, {
    hint: `${other === undefined ? '' : `Did you mean "${other}"? `}Run \`artifacts run ls\` to see all runs.`,
  })
}
