/**
 * Where a version comes from and what came of it: the graph of versions and the runs that used and logged them, walked
 * breadth first over the index, so that each version and each run is looked at once.
 */
import { type RunEdge, type RunSummary, runRow, summaryOfRun } from './runs.ts'
import { refOf, type Session, versionOf } from './session.ts'
import type { EdgeRow } from './store/index/state.ts'
import type { ObjectId } from './types.ts'

export interface LineageOptions {
  /** `up`: what it was made from; `down`: what was made from it; default: both. */
  readonly direction?: 'up' | 'down' | 'both'
  /** How many versions away at most; default: all. */
  readonly depth?: number
}

export interface LineageVersion {
  readonly kind: 'version'
  readonly id: ObjectId
  /** `bike:v3`; of a version that is not in this store, what it is called where it is. */
  readonly ref: string
  readonly state: RunEdge['state']
  readonly type?: string
  readonly createdAt?: string
  /** How many versions away: below 0 what it was made from, above 0 what was made from it. */
  readonly distance: number
}

export interface LineageRun
  extends Pick<RunSummary, 'id' | 'name' | 'project' | 'job' | 'state' | 'startedAt'> {
  readonly kind: 'run'
}

/** In the direction in which data went: a run `uses` a version and `logs` another; a version is the `parent` of another. */
export interface LineageEdge {
  readonly kind: 'uses' | 'logs' | 'parent'
  readonly from: string
  readonly to: string
  /** The name that the version has in the run. */
  readonly slot?: string
  /** The run logged content that was there. */
  readonly deduplicated?: true
}

export interface Lineage {
  /** Id of the version that was asked for. */
  readonly root: ObjectId
  readonly ref: string
  /** In the order in which they were met, the root first. */
  readonly versions: readonly LineageVersion[]
  readonly runs: readonly LineageRun[]
  readonly edges: readonly LineageEdge[]
  /** Whether there is more beyond the depth. */
  readonly more: boolean
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS. */
export function lineageOf(session: Session, ref: string, options: LineageOptions = {}): Lineage {
  const { direction = 'both', depth = Number.POSITIVE_INFINITY } = options
  const { version } = versionOf(session, ref)
  const graph = new Graph(session)
  graph.addVersion({ version: version.id }, 0)
  let more = false
  if (direction !== 'down') more = walk(graph, version.id, UP, depth)
  if (direction !== 'up') more = walk(graph, version.id, DOWN, depth) || more
  const { versions, runs, edges } = graph
  const root = graph.versions.get(version.id)
  return {
    root: version.id,
    ref: root?.ref ?? '',
    versions: [...versions.values()],
    runs: [...runs.values()],
    edges: [...edges.values()],
    more,
  }
}

interface Way {
  readonly step: 1 | -1
  /** How the runs are tied to the version that is walked from, and to those that are walked to. */
  readonly near: EdgeRow['direction']
  readonly far: EdgeRow['direction']
}

const UP: Way = { step: -1, near: 'output', far: 'input' }
const DOWN: Way = { step: 1, near: 'input', far: 'output' }

/** Walks from a version one way; says whether there is more beyond the depth. */
function walk(graph: Graph, root: ObjectId, way: Way, depth: number): boolean {
  const seen = new Set<string>([root])
  const seenRuns = new Set<string>()
  let more = false
  let now: ObjectId[] = [root]
  for (let distance = 1; now.length > 0; distance++) {
    const next: ObjectId[] = []
    const reach = (version: Known): void => {
      if (seen.has(version.version)) return
      seen.add(version.version)
      graph.addVersion(version, distance * way.step)
      next.push(version.version)
    }
    for (const id of now) {
      const edges = graph.edgesOf(id, way.near)
      const kin = graph.kinOf(id, way.step)
      if (distance > depth) {
        more ||= edges.length > 0 || kin.length > 0
        continue
      }
      for (const edge of edges) {
        graph.addEdge(edge)
        if (seenRuns.has(edge.run)) continue
        seenRuns.add(edge.run)
        for (const other of graph.edgesIn(edge.run, way.far)) {
          graph.addEdge(other)
          reach(other)
        }
      }
      for (const version of kin) {
        graph.addParent(way.step < 0 ? version : id, way.step < 0 ? id : version)
        reach({ version })
      }
    }
    now = next
  }
  return more
}

/** A version's id, and what it is called elsewhere if the store does not have it. */
type Known = Pick<EdgeRow, 'version' | 'name'>

/** What was met so far. */
class Graph {
  readonly versions = new Map<ObjectId, LineageVersion>()
  readonly runs = new Map<string, LineageRun>()
  readonly edges = new Map<string, LineageEdge>()
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  edgesOf(version: ObjectId, direction: EdgeRow['direction']): EdgeRow[] {
    return this.#session.state.edgesOfVersion(version, direction)
  }

  edgesIn(run: string, direction: EdgeRow['direction']): EdgeRow[] {
    return this.#session.state.edgesOfRun(run, direction)
  }

  /** Parents or children. */
  kinOf(version: ObjectId, step: Way['step']): readonly ObjectId[] {
    const { state } = this.#session
    return step > 0 ? state.childrenOf(version) : (state.versionById(version)?.object.parents ?? [])
  }

  addVersion({ version: id, name }: Known, distance: number): void {
    if (this.versions.has(id)) return
    const { state } = this.#session
    const version = state.versionById(id)
    const artifact = version && state.artifactById(version.artifact)
    const facts = { kind: 'version' as const, id, distance }
    if (version === undefined || artifact === undefined) {
      const ref = name ?? `@${id.slice(0, 12)}`
      this.versions.set(id, { ...facts, ref, state: 'elsewhere' })
      return
    }
    const life = version.deleted === undefined ? 'live' : 'deleted'
    this.versions.set(id, {
      ...facts,
      ref: refOf(this.#session, { artifact, version }),
      state: version.purged === undefined ? life : 'removed',
      type: artifact.type,
      createdAt: version.object.createdAt,
    })
  }

  addEdge({ run, version, slot, direction, deduplicated }: EdgeRow): void {
    this.#addRun(run)
    const isUse = direction === 'input'
    this.edges.set(`${direction} ${run} ${version} ${slot}`, {
      kind: isUse ? 'uses' : 'logs',
      from: isUse ? version : run,
      to: isUse ? run : version,
      slot,
      ...(deduplicated ? { deduplicated } : {}),
    })
  }

  addParent(from: ObjectId, to: ObjectId): void {
    this.edges.set(`parent ${from} ${to}`, { kind: 'parent', from, to })
  }

  #addRun(id: string): void {
    if (this.runs.has(id)) return
    const session = this.#session
    const { name, project, job, state, startedAt } = summaryOfRun(session, runRow(session, id))
    const labels = {
      ...(name === undefined ? {} : { name }),
      ...(job === undefined ? {} : { job }),
    }
    this.runs.set(id, { kind: 'run', id, ...labels, project, state, startedAt })
  }
}
