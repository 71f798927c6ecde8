/** A run's results as Markdown: times, stored sizes and memory for each workload, then every target with a verdict. */
import {
  allocatedOf,
  peakOf,
  type Results,
  secondsOf,
  storedOf,
  toolsOf,
  type WorkloadResults,
} from './results.ts'
import { type Figure, isSteady } from './stats.ts'
import { STEP_LABELS, STEPS } from './steps.ts'
import { type Judged, judge, judgeProbe } from './targets.ts'
import { PEERS } from './tools/tool.ts'

export function report(results: Results): string {
  const verdicts = [...results.workloads.flatMap(judge), ...results.probes.map(judgeProbe)]
  return [
    header(results),
    ...results.workloads.map((workload) => workloadSection(workload)),
    verdicts.length === 0 ? '' : verdictSection(verdicts),
    probeDetails(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function header({ machine, versions, scale }: Results): string {
  const memory = `${(machine.memory / 2 ** 30).toFixed(0)} GiB`
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${memory}, ${machine.fileSystem}, ${machine.kernel}, Node ${machine.node}; ${machine.at.slice(0, 10)}.`,
    Object.values(versions).join(' · '),
  ]
  if (scale !== 1) lines.push(`Workloads at ${scale} of their size: no figures to quote.`)
  return lines.join('\n')
}

function workloadSection(workload: WorkloadResults): string {
  const tools = toolsOf(workload)
  const head = ['', ...tools, 'ours / fastest peer']
  const times = STEPS.map((step) => {
    const figure = (tool: (typeof tools)[number]): Figure | undefined =>
      secondsOf(workload, tool, step)
    const peers = PEERS.flatMap((tool) => figure(tool) ?? [])
    const best = peers.sort((a, b) => a.median - b.median)[0]
    return [
      STEP_LABELS[step],
      ...tools.map((tool) => seconds(figure(tool))),
      ratio(figure('ours'), best),
    ]
  })
  const sizes = [
    ['stored after v2', ...tools.map((tool) => megabytes(storedOf(workload, tool)?.median)), ''],
    [
      'on disk after v2',
      ...tools.map((tool) => megabytes(allocatedOf(workload, tool)?.median)),
      '',
    ],
  ]
  const memory = STEPS.map((step) => [
    `memory, ${STEP_LABELS[step]}`,
    ...tools.map((tool) => megabytes(peakOf(workload, tool, step))),
    '',
  ])
  const size = `${workload.files.toLocaleString('en')} files, ${megabytes(workload.bytes)}`
  return [
    `## ${workload.name} (${size})`,
    '',
    tableOf([head, ...times, ...sizes, ...memory]),
    ...workload.failures.map(({ tool, message }) => `\n${tool} broke off: ${message}`),
  ].join('\n')
}

function verdictSection(verdicts: readonly Judged[]): string {
  const rows = verdicts.map(({ workload, what, found, limit, verdict }) => [
    workload,
    what,
    found,
    limit,
    verdict,
  ])
  return `## Targets\n\n${tableOf([['workload', 'figure', 'found', 'target', ''], ...rows])}`
}

function probeDetails({ probes }: Results): string {
  return probes.map(({ name, detail }) => `${name}: ${detail}.`).join('\n')
}

/** Median, and the whole range of the rounds; `!` where they lie too far apart to compare with. */
function seconds(figure: Figure | undefined): string {
  if (figure === undefined) return '–'
  const digits = figure.median < 1 ? 3 : 2
  const show = (value: number): string => value.toFixed(digits)
  if (figure.count === 1) return `${show(figure.median)} s`
  const mark = isSteady(figure) ? '' : ' !'
  return `${show(figure.median)} s (${show(figure.min)}–${show(figure.max)})${mark}`
}

function ratio(mine: Figure | undefined, theirs: Figure | undefined): string {
  if (mine === undefined || theirs === undefined) return '–'
  return `${(mine.median / theirs.median).toFixed(2)} ×${isSteady(theirs) ? '' : ' (void)'}`
}

function megabytes(bytes: number | undefined): string {
  if (bytes === undefined) return '–'
  const value = bytes / 1e6
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} MB`
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const show = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [show(head), rule, ...body.map(show)].join('\n')
}
