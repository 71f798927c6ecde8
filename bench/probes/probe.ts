import type { Probe } from '../results.ts'

/** A measurement that compares nothing with other tools. */
export interface ProbeSource {
  readonly name: string
  /** `dir` is a folder of its own. @throws Error when ours fails */
  run(dir: string, scale: number): readonly Probe[] | Promise<readonly Probe[]>
}
