/** The run that a command works in: the one that is named, else the one that `run exec` started it in. */

import type { Run, Store } from '../index.ts'
import type { Context } from './command.ts'

/** Undefined where none is meant. A run of the environment that another store has is passed over, aloud. */
export async function currentRun(
  store: Store,
  named: string | undefined,
  { io, remark }: Context,
): Promise<Run | undefined> {
  if (named !== undefined) return store.run(named)
  const { run } = io.environment
  if (run === undefined) return undefined
  try {
    return await store.run(run)
  } catch (error) {
    const { ArtifactsError } = await import('../index.ts')
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_NOT_FOUND') throw error
    remark(`This store does not have the run that ARTIFACTS_RUN names, "${run}": going on without.`)
    return undefined
  }
}
