/**
 * The rounds of one workload: every tool in turn, each in a new place, all on the same data at the same path. Stores
 * and restored trees of few files are deleted at once; those of many files wait for the end of the whole run, since
 * ext4 creates files ten times slower for a minute after many were deleted.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { sizeOf, warm } from './disk.ts'
import { measure } from './measure.ts'
import { makePlace } from './place.ts'
import type { WorkloadResults } from './results.ts'
import { STEP_LABELS, type StepName } from './steps.ts'
import type { Command, Place, Tool } from './tools/tool.ts'
import { type Changes, type Input, switchTo, type Workload } from './workloads/workload.ts'

export interface RoundsOptions {
  readonly workload: Workload
  readonly input: Input
  readonly changes: Changes
  readonly tools: readonly Tool[]
  readonly rounds: number
  /** A folder of this run's own. */
  readonly dir: string
  readonly keep: boolean
  readonly log: (line: string) => void
}

/** More files than this in a place, and it is not deleted between the measurements. */
export const MANY_FILES = 2000

export function playRounds(options: RoundsOptions): WorkloadResults {
  const { workload, changes, tools, rounds, log } = options
  const results: WorkloadResults = {
    name: workload.name,
    files: changes.files,
    bytes: changes.bytes,
    samples: [],
    stored: [],
    failures: [],
  }
  for (let round = 1; round <= Math.min(rounds, workload.roundLimit ?? rounds); round++) {
    for (const tool of tools) {
      if (results.failures.some((failure) => failure.tool === tool.name)) continue
      try {
        playTool(options, tool, round, results)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        results.failures.push({ tool: tool.name, message })
        log(`${workload.name}: ${tool.name} is left out from here on: ${message}`)
      }
    }
  }
  switchTo(options.input, changes, 'v1')
  return results
}

function playTool(
  options: RoundsOptions,
  tool: Tool,
  round: number,
  results: WorkloadResults,
): void {
  const { workload, input, changes, log } = options
  const dir = join(options.dir, `${workload.name}-${round}-${tool.name}`)
  const place = makePlace(dir, input.data)
  const restored = join(dir, 'restored')
  const time = (step: StepName, command: Command | undefined): void => {
    if (command === undefined || !workload.steps.includes(step)) return
    const measured = measure(place, command)
    results.samples.push({ tool: tool.name, step, round, ...measured })
    log(line(workload.name, round, tool.name, step, measured))
  }

  switchTo(input, changes, 'v1')
  warm(input.data)
  tool.init(place)
  time('commit', tool.commit?.(place, 'v1'))
  time('again', tool.commit?.(place, 'again'))
  switchTo(input, changes, 'v2')
  warm(input.data)
  time('change', tool.commit?.(place, 'v2'))
  time('diff', tool.diff?.(place))
  if (tool.commit !== undefined) {
    const stored = sizeOf(tool.stored?.(place) ?? [place.store])
    results.stored.push({ tool: tool.name, round, ...stored })
  }
  mkdirSync(restored)
  time('restore', tool.restore(place, restored))
  if (round === 1) compare(place, restored)
  const few = sizeOf([dir]).files <= MANY_FILES
  if (few && !options.keep) rmSync(dir, { recursive: true })
}

/** Every tool has to give back what it was given; checked once, not timed. */
function compare(place: Place, restored: string): void {
  const { status, stdout, stderr } = spawnSync(
    'diff',
    ['-r', '-q', '--no-dereference', place.data, restored],
    { encoding: 'utf8', maxBuffer: 256e6 },
  )
  if (status === 0) return
  const [first = 'diff failed'] = (stdout || stderr).split('\n')
  throw new Error(`what was restored differs from what was committed: ${first}`)
}

function line(
  workload: string,
  round: number,
  tool: string,
  step: StepName,
  { seconds, peakBytes }: { seconds: number; peakBytes?: number },
): string {
  const peak = peakBytes === undefined ? '' : `, ${Math.round(peakBytes / 1e6)} MB`
  return `${workload} round ${round}: ${tool}: ${STEP_LABELS[step]}: ${seconds.toFixed(2)} s${peak}`
}
