/** What starting costs: `artifacts --version` beside an empty Node program, in turn. */
import { spawnSync } from 'node:child_process'
import type { Probe } from '../results.ts'
import { figureOf } from '../stats.ts'
import { PROGRAM } from '../tools/ours.ts'
import type { ProbeSource } from './probe.ts'

const RUNS = 20

export const startup: ProbeSource = { name: 'startup', run: measureStartup }

function measureStartup(): readonly Probe[] {
  const ours: number[] = []
  const bare: number[] = []
  for (let run = 0; run < RUNS; run++) {
    ours.push(timed(PROGRAM, '--version'))
    bare.push(timed('-e', '0'))
  }
  const mine = figureOf(ours)
  const theirs = figureOf(bare)
  if (mine === undefined || theirs === undefined) return []
  return [
    {
      name: 'start-up, against an empty Node program',
      value: mine.median / theirs.median,
      unit: '×',
      limit: 2.5,
      detail: `${mine.median.toFixed(0)} ms (${mine.min.toFixed(0)}–${mine.max.toFixed(0)}) beside ${theirs.median.toFixed(0)} ms (${theirs.min.toFixed(0)}–${theirs.max.toFixed(0)}), ${RUNS} runs each`,
    },
  ]
}

function timed(...args: readonly string[]): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const time = performance.now() - start
  if (status !== 0) throw new Error(`"node ${args.join(' ')}" failed: ${stderr}`)
  return time
}
