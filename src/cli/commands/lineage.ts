import { type Command, choice, defineCommand, text, yes } from '../command.ts'
import { lineageDot, lineageMermaid } from '../lineage-graph.ts'
import { lineageText } from '../lineage-text.ts'
import { UsageError } from '../usage-error.ts'

export const lineage: Command = defineCommand({
  flags: {
    up: yes('Only what it was made from'),
    down: yes('Only what was made from it'),
    depth: text('N', 'At most so many versions away'),
    format: choice('F', ['text', 'json', 'dot', 'mermaid'], 'How it is printed'),
  },
  takes: [1, 1],
  ends: [12],
  completes: 'refs',
  details: [
    'A version was made from what the runs used that logged it, and from the versions it was derived from (`commit --base`). What was made from it is told likewise. `dot` is for Graphviz, `mermaid` for Markdown.',
  ],
  examples: [
    ['artifacts lineage bike-model', 'Where the latest model comes from, and what came of it'],
    ['artifacts lineage bike:v0 --down --format dot | dot -Tsvg', 'A picture of all that used it'],
  ],
  json: {
    '': 'root ref versions runs edges more',
    'A version': 'kind id ref state type? createdAt? distance',
    'A run': 'kind id name? project job? state startedAt',
    'An edge': 'kind from to slot? deduplicated?',
  },

  async run({ values, positionals: [ref = ''] }, context) {
    if (values.up && values.down) throw new UsageError('"--up" and "--down" exclude each other.')
    const direction = values.up ? 'up' : values.down ? 'down' : 'both'
    const depth = values.depth === undefined ? {} : { depth: readDepth(values.depth) }
    const graph = (await context.store()).lineage(ref, { direction, ...depth })
    switch (values.format) {
      case 'json':
        return { value: graph, text: `${JSON.stringify(graph)}\n` }
      case 'dot':
        return { value: graph, lines: lineageDot(graph) }
      case 'mermaid':
        return { value: graph, lines: lineageMermaid(graph) }
      default:
        return { value: graph, lines: lineageText(graph, direction, context) }
    }
  },
})

function readDepth(typed: string): number {
  if (/^\d{1,9}$/.test(typed)) return Number(typed)
  throw new UsageError(`"${typed}" is not a depth.`, 'Give a whole number, as `--depth 2`.')
}
