/** A lineage as people read it: a tree each way, in which what stands above already is only named. */
import type { Lineage, LineageEdge, LineageRun, LineageVersion } from '../index.ts'
import type { Context } from './command.ts'

/** How far lines are indented at most. */
const DEEPEST = 40

interface Line {
  readonly level: number
  readonly id: string
  /** How it came here. */
  readonly edge?: LineageEdge
}

export function* lineageText(
  graph: Lineage,
  direction: 'up' | 'down' | 'both',
  context: Context,
): Generator<string> {
  const { style } = context
  const root = graph.versions.find(({ id }) => id === graph.root)
  yield `${style.strong(graph.ref)}  ${root?.type ?? ''}`
  if (direction !== 'down') yield* tree(graph, 'up', context)
  if (direction !== 'up') yield* tree(graph, 'down', context)
  if (graph.more) yield 'There is more beyond this depth.'
}

function* tree(graph: Lineage, way: 'up' | 'down', context: Context): Generator<string> {
  const { style } = context
  const versions = new Map(graph.versions.map((version) => [version.id as string, version]))
  const runs = new Map(graph.runs.map((run) => [run.id, run]))
  const next = stepsFrom(graph, way)
  const seen = new Set<string>([graph.root])
  const open: Line[] = linesBelow(next, { level: 0, id: graph.root })
  yield way === 'up' ? 'made from' : 'used for'
  if (open.length === 0) yield '  nothing that is known'
  for (let line = open.pop(); line !== undefined; line = open.pop()) {
    const { id, level, edge } = line
    const indent = '  '.repeat(Math.min(level, DEEPEST))
    const version = versions.get(id)
    const run = runs.get(id)
    const words = version === undefined ? runWords(run) : versionWords(version)
    const slot = slotWords(edge, version)
    const again = seen.has(id) && linesBelow(next, line).length > 0 ? '  (see above)' : ''
    yield `${indent}${style.name(words)}${style.name(slot)}${again}`
    if (seen.has(id)) continue
    seen.add(id)
    open.push(...linesBelow(next, line))
  }
}

/** The edges that lead on from each version and run, in one way. */
function stepsFrom(graph: Lineage, way: 'up' | 'down'): ReadonlyMap<string, LineageEdge[]> {
  const steps = new Map<string, LineageEdge[]>()
  for (const edge of graph.edges) {
    const from = way === 'up' ? edge.to : edge.from
    const known = steps.get(from)
    if (known === undefined) steps.set(from, [edge])
    else known.push(edge)
  }
  return steps
}

/** The last one first, as a stack needs them. */
function linesBelow(
  next: ReadonlyMap<string, readonly LineageEdge[]>,
  { id, level }: Line,
): Line[] {
  const lines = (next.get(id) ?? []).map((edge) => {
    return { level: level + 1, id: edge.from === id ? edge.to : edge.from, edge }
  })
  return lines.reverse()
}

function versionWords({ ref, type = '', state }: LineageVersion): string {
  const life = state === 'live' ? '' : state === 'elsewhere' ? '  (not here)' : `  (${state})`
  return `${ref}  ${type}${life}`.trimEnd()
}

function runWords(run: LineageRun | undefined): string {
  if (run === undefined) return ''
  const { id, name, job, state } = run
  const called = name === undefined ? id : `${name} (${id})`
  return `run ${called}  ${job === undefined ? '' : `${job}, `}${state}`
}

/** Under which name, where that is not the artifact's own. */
function slotWords(edge: LineageEdge | undefined, version: LineageVersion | undefined): string {
  if (edge === undefined) return ''
  if (edge.kind === 'parent') return '  derived'
  const name = version?.ref.split('/').at(-1)?.split(':')[0]
  const was = edge.deduplicated === true ? ', which was there' : ''
  const isOwn = name === undefined || name === edge.slot
  return isOwn ? was : `  as "${edge.slot}"${was}`
}
