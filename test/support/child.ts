/** Compiled scripts as processes of their own, under a plan of faults: the way to be killed for real. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type FaultPlan, installFaults } from '../../src/store/io/faults.ts'

export interface ChildResult {
  /** What ended it, if a signal did. */
  readonly signal: NodeJS.Signals | null
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script to its end. It begins with `takeJob`, which gives it `args` and puts `plan` into force. */
export function runChild(
  script: URL | string,
  args: readonly string[],
  plan?: Omit<FaultPlan, 'paths'>,
): ChildResult {
  const file = typeof script === 'string' ? script : fileURLToPath(script)
  const job = JSON.stringify({ args, plan })
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, [file, job], {
    encoding: 'utf8',
  })
  return { signal, status, stdout, stderr }
}

/** In the script: its arguments. The plan counts from here. */
export function takeJob(): readonly string[] {
  const { args, plan } = JSON.parse(process.argv[2] ?? '') as { args: string[]; plan?: FaultPlan }
  if (plan !== undefined) installFaults(plan)
  return args
}
