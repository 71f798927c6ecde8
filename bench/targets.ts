/** What the store has to keep up with, and the verdict over a run's figures. */
import {
  type Probe,
  peakOf,
  secondsOf,
  storedOf,
  toolsOf,
  type WorkloadResults,
} from './results.ts'
import { type Figure, isSteady } from './stats.ts'
import { STEP_LABELS, STEPS, type StepName } from './steps.ts'
import { PEERS, type ToolName } from './tools/tool.ts'

export interface Target {
  readonly workload: string
  readonly step: StepName | 'stored'
  readonly against: ToolName | 'fastest'
  readonly atMost: number
}

export type Verdict = 'PASS' | 'MISS' | 'VOID' | 'NO FIGURE'

export interface Judged {
  readonly workload: string
  readonly what: string
  /** Such as `0.51 × borg`. */
  readonly found: string
  readonly limit: string
  readonly verdict: Verdict
}

const MEMORY_LIMIT = 300e6

export const TARGETS: readonly Target[] = [
  ...targets('small', [
    ['commit', 'fastest', 0.6],
    ['again', 'git', 3],
    ['again', 'restic', 0.25],
    ['change', 'git', 1.3],
    ['change', 'restic', 0.4],
    ['restore', 'fastest', 0.8],
    ['restore', 'cp', 1.3],
    ['stored', 'restic', 1],
  ]),
  ...targets('model', [
    ['commit', 'fastest', 0.7],
    ['again', 'restic', 0.3],
    ['change', 'fastest', 1],
    ['restore', 'fastest', 0.7],
    ['stored', 'restic', 1.02],
  ]),
  ...targets('table', [
    ['commit', 'fastest', 0.8],
    ['again', 'restic', 0.3],
    ['change', 'fastest', 1],
    ['restore', 'fastest', 0.9],
    ['stored', 'restic', 1.08],
  ]),
]

export function judge(results: WorkloadResults): readonly Judged[] {
  const compared = TARGETS.filter((target) => target.workload === results.name).map((target) =>
    judgeTarget(results, target),
  )
  return [...compared, ...judgeMemory(results)]
}

export function judgeProbe({ name, value, unit, limit }: Probe): Judged {
  const show = (number: number): string => `${Number(number.toFixed(2))} ${unit}`
  return {
    workload: '',
    what: name,
    found: show(value),
    limit: `≤ ${show(limit)}`,
    verdict: value <= limit ? 'PASS' : 'MISS',
  }
}

/** Ours against one peer, or against the one with the lowest median; void where that peer is not steady. */
export function judgeTarget(results: WorkloadResults, target: Target): Judged {
  const figure = (tool: ToolName): Figure | undefined =>
    target.step === 'stored' ? storedOf(results, tool) : secondsOf(results, tool, target.step)
  const named = target.against === 'fastest' ? fastest(figure) : target.against
  const mine = figure('ours')
  const theirs = named === undefined ? undefined : figure(named)
  const head = {
    workload: results.name,
    what: target.step === 'stored' ? 'packs + log after v2' : STEP_LABELS[target.step],
    limit: `≤ ${target.atMost} × ${target.against}`,
  }
  if (mine === undefined || theirs === undefined) {
    return { ...head, found: '–', verdict: 'NO FIGURE' }
  }
  const ratio = mine.median / theirs.median
  return {
    ...head,
    found: `${ratio.toFixed(2)} × ${named}`,
    verdict: !isSteady(theirs) ? 'VOID' : ratio <= target.atMost ? 'PASS' : 'MISS',
  }
}

function fastest(figure: (tool: ToolName) => Figure | undefined): ToolName | undefined {
  const timed = PEERS.flatMap((tool) => {
    const found = figure(tool)
    return found === undefined ? [] : { tool, median: found.median }
  })
  return timed.sort((a, b) => a.median - b.median)[0]?.tool
}

function judgeMemory(results: WorkloadResults): readonly Judged[] {
  if (!toolsOf(results).includes('ours')) return []
  const peaks = STEPS.flatMap((step) => peakOf(results, 'ours', step) ?? [])
  const peak = peaks.length === 0 ? undefined : Math.max(...peaks)
  return [
    {
      workload: results.name,
      what: 'peak memory of any step',
      found: peak === undefined ? '–' : `${Math.round(peak / 1e6)} MB`,
      limit: `≤ ${MEMORY_LIMIT / 1e6} MB`,
      verdict: peak === undefined ? 'NO FIGURE' : peak <= MEMORY_LIMIT ? 'PASS' : 'MISS',
    },
  ]
}

type Row = readonly [Target['step'], Target['against'], number]

function targets(workload: string, rows: readonly Row[]): readonly Target[] {
  return rows.map(([step, against, atMost]) => ({ workload, step, against, atMost }))
}
