/** A lineage for programs that draw graphs. */
import type { Lineage, LineageEdge, LineageRun, LineageVersion } from '../index.ts'

/** For Graphviz: versions are boxes, runs are ellipses, arrows go where data went. */
export function* lineageDot(graph: Lineage): Generator<string> {
  yield 'digraph lineage {'
  yield '  rankdir=LR'
  for (const version of graph.versions) {
    const style = version.id === graph.root ? ' style=bold' : dimmed(version) ? ' style=dashed' : ''
    yield `  ${dot(version.id)} [shape=box label=${dot(versionLabel(version).join('\n'))}${style}]`
  }
  for (const run of graph.runs) {
    yield `  ${dot(run.id)} [shape=ellipse label=${dot(runLabel(run).join('\n'))}]`
  }
  for (const edge of graph.edges) {
    const style = edge.kind === 'parent' ? ' style=dotted' : ''
    yield `  ${dot(edge.from)} -> ${dot(edge.to)} [label=${dot(edgeLabel(edge))}${style}]`
  }
  yield '}'
}

/** For Markdown that is shown with Mermaid. */
export function* lineageMermaid(graph: Lineage): Generator<string> {
  const names = new Map<string, string>()
  yield 'flowchart LR'
  for (const version of graph.versions) {
    names.set(version.id, `v${names.size}`)
    yield `  ${names.get(version.id)}["${mermaid(versionLabel(version))}"]`
  }
  for (const run of graph.runs) {
    names.set(run.id, `r${names.size}`)
    yield `  ${names.get(run.id)}(["${mermaid(runLabel(run))}"])`
  }
  for (const edge of graph.edges) {
    const arrow = edge.kind === 'parent' ? '-.->' : '-->'
    const label = edgeLabel(edge)
    const shown = label === '' ? '' : `|"${mermaid([label])}"|`
    yield `  ${names.get(edge.from)} ${arrow}${shown} ${names.get(edge.to)}`
  }
}

function versionLabel(version: LineageVersion): string[] {
  const { ref, type, state } = version
  return [ref, ...(type === undefined ? [] : [type]), ...(dimmed(version) ? [state] : [])]
}

function dimmed({ state }: LineageVersion): boolean {
  return state !== 'live'
}

function runLabel({ id, name, job, state }: LineageRun): string[] {
  return [`run ${name ?? id}`, ...(job === undefined ? [] : [job]), state]
}

function edgeLabel({ kind, slot = '', deduplicated }: LineageEdge): string {
  if (kind === 'parent') return 'derived'
  return deduplicated === true ? `${slot} (was there)` : slot
}

function dot(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  return `"${escaped}"`
}

function mermaid(lines: readonly string[]): string {
  const entities = lines.map((line) =>
    line.replaceAll(/[^\p{L}\p{N} .:/@_()-]/gu, (character) => `#${character.codePointAt(0)};`),
  )
  return entities.join('<br/>')
}
