/** From what people call a run to the run: ids, paths, names, and lists of what fits. */
import { noRun, type RunSummary, summaryOfRun } from './runs.ts'
import type { Session } from './session.ts'
import type { RunFilter, RunRow } from './store/index/state.ts'

/**
 * The run that a text means: its id, `project/id`, `entity/project/id`, or `[project/]name`, of equal names the newest.
 * @throws ArtifactsError ERR_NOT_FOUND.
 */
export function resolveRun(session: Session, text: string): RunRow {
  const { state, defaults } = session
  const row =
    state.run(text) ??
    byPath(session, text) ??
    state.runs({ name: text, project: defaults.project }, 1)[0]
  if (row === undefined) throw noRun(text, elsewhere(session, text))
  return row
}

export interface RunQuery {
  readonly name?: string
  /** Default: the store's. */
  readonly project?: string
  /** All of these. */
  readonly tags?: readonly string[]
}

/** The newest run that fits. @throws ArtifactsError ERR_NOT_FOUND. */
export function findRun(session: Session, query: RunQuery): RunRow {
  const { name, project = session.defaults.project, tags = [] } = query
  const filter = { project, ...(name === undefined ? {} : { name }) }
  const limit = tags.length === 0 ? 1 : Number.MAX_SAFE_INTEGER
  const rows = session.state.runs(filter, limit)
  const row = rows.find((each) => tags.every((tag) => each.tags.includes(tag)))
  if (row !== undefined) return row
  throw noRun(name ?? project, name === undefined ? undefined : elsewhere(session, name))
}

export interface RunListFilter extends Omit<RunFilter, 'state'> {
  /** `[entity/]project`. */
  readonly path?: string
  readonly state?: RunSummary['state']
}

/** Runs that fit, the newest first. */
export function listRuns(
  session: Session,
  { path, state, ...filter }: RunListFilter = {},
  limit: number = Number.MAX_SAFE_INTEGER,
): RunSummary[] {
  const project = path?.split('/').at(-1) ?? filter.project
  const logged = state === 'crashed' ? 'running' : state
  const wanted = {
    ...filter,
    ...(project === undefined ? {} : { project }),
    ...(logged === undefined ? {} : { state: logged }),
  }
  // Which of those that have not ended are alive, the index does not know.
  const asked = logged === 'running' ? Number.MAX_SAFE_INTEGER : limit
  const rows = session.state.runs(wanted, asked).map((row) => summaryOfRun(session, row))
  return rows.filter((row) => state === undefined || row.state === state).slice(0, limit)
}

function byPath({ state, defaults }: Session, text: string): RunRow | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const [first = '', second = '', ...rest] = text.split('/')
  const of = (project: string, name: string): RunRow | undefined => {
    const row = state.run(name)
    return row?.project === project ? row : state.runs({ name, project }, 1)[0]
  }
  const inEntity = first === defaults.entity && rest.length > 0
  return of(first, text.slice(slash + 1)) ?? (inEntity ? of(second, rest.join('/')) : undefined)
}

/** The same name in another project, to be pasted. */
function elsewhere({ state }: Session, name: string): string | undefined {
  const [row] = state.runs({ name }, 1)
  return row && `${row.project}/${name}`
}
