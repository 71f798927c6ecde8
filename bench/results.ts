/** Everything a run of the bench found, as `--json` writes it. Seconds and bytes. */
import type { Size } from './disk.ts'
import type { Measured } from './measure.ts'
import { type Figure, figureOf } from './stats.ts'
import type { StepName } from './steps.ts'
import type { ToolName } from './tools/tool.ts'

export interface Results {
  readonly machine: Machine
  readonly versions: Readonly<Partial<Record<ToolName, string>>>
  readonly scale: number
  readonly workloads: WorkloadResults[]
  readonly probes: Probe[]
}

export interface Machine {
  readonly node: string
  readonly kernel: string
  readonly cpu: string
  readonly cores: number
  readonly memory: number
  readonly fileSystem: string
  readonly at: string
}

export interface WorkloadResults {
  readonly name: string
  readonly files: number
  readonly bytes: number
  readonly samples: Sample[]
  readonly stored: Stored[]
  /** Tools that broke off, with what they said. */
  readonly failures: { readonly tool: ToolName; readonly message: string }[]
}

export interface Sample extends Measured {
  readonly tool: ToolName
  readonly step: StepName
  readonly round: number
}

export interface Stored extends Size {
  readonly tool: ToolName
  readonly round: number
}

/** A figure that is no comparison of tools: its limit, and whether it is kept. */
export interface Probe {
  readonly name: string
  readonly value: number
  readonly unit: 'ms' | 'MB' | '×'
  readonly limit: number
  readonly detail: string
}

export function secondsOf(
  results: WorkloadResults,
  tool: ToolName,
  step: StepName,
): Figure | undefined {
  return figureOf(samplesOf(results, tool, step).map((sample) => sample.seconds))
}

/** The largest of all rounds. */
export function peakOf(
  results: WorkloadResults,
  tool: ToolName,
  step: StepName,
): number | undefined {
  const peaks = samplesOf(results, tool, step).flatMap(({ peakBytes }) => peakBytes ?? [])
  return peaks.length === 0 ? undefined : Math.max(...peaks)
}

export function storedOf(results: WorkloadResults, tool: ToolName): Figure | undefined {
  return figureOf(results.stored.filter((row) => row.tool === tool).map((row) => row.bytes))
}

export function allocatedOf(results: WorkloadResults, tool: ToolName): Figure | undefined {
  return figureOf(results.stored.filter((row) => row.tool === tool).map((row) => row.allocated))
}

/** The tools that have figures, in the order in which they ran. */
export function toolsOf(results: WorkloadResults): readonly ToolName[] {
  return [...new Set(results.samples.map((sample) => sample.tool))]
}

function samplesOf(results: WorkloadResults, tool: ToolName, step: StepName): readonly Sample[] {
  return results.samples.filter((sample) => sample.tool === tool && sample.step === step)
}
