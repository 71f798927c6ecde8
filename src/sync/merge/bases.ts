/**
 * What this store and a remote had when they last met: for each artifact and each run the remote's state up to where it was
 * merged. Nearly always that is all that was read, and then the mirror itself answers; else its log is folded once more.
 */
import type { ArtifactRow, RunRow } from '../../store/index/state.ts'
import type { ArtifactId } from '../../types.ts'
import { type MergedUpTo, mergedUpTo } from '../merged.ts'
import type { Mirror } from '../mirror/mirror.ts'
import { artifactState } from './artifact-state.ts'
import type { ArtifactState } from './state.ts'

export interface Bases {
  /** By its id in the remote's log; undefined where both never met. */
  readonly base: (artifact: ArtifactId) => ArtifactState | undefined
  readonly baseOfRun: (run: string) => RunRow | undefined
}

/** @param isWanted whether the base of one of the remote's artifacts will be asked for */
export async function readBases(
  mirror: Mirror,
  merged: MergedUpTo,
  isWanted: (row: ArtifactRow) => boolean,
): Promise<Bases> {
  const artifacts = new Map<ArtifactId, ArtifactState | undefined>()
  const runs = new Map<string, RunRow | undefined>()
  const past = new Map<number, { artifacts: ArtifactId[]; runs: string[] }>()
  const at = (n: number): { artifacts: ArtifactId[]; runs: string[] } => {
    const wanted = past.get(n) ?? { artifacts: [], runs: [] }
    past.set(n, wanted)
    return wanted
  }
  for (const row of mirror.state.artifacts()) {
    const n = mergedUpTo(merged, row.id)
    if (n === 0 || mirror.touched(row.id) <= n) continue
    artifacts.set(row.id, undefined)
    if (isWanted(row)) at(n).artifacts.push(row.id)
  }
  for (const { run, operation } of mirror.touchedRuns(merged.all)) {
    const n = runUpTo(mirror, merged, run)
    if (n > 0 && operation > n) at(n).runs.push(run)
  }
  await mirror.visitPast(past.keys(), (state, n) => {
    for (const id of at(n).artifacts) artifacts.set(id, artifactState(state, id))
    for (const run of at(n).runs) runs.set(run, state.run(run))
  })
  return {
    base(artifact) {
      if (artifacts.has(artifact)) return artifacts.get(artifact)
      const isMerged = mergedUpTo(merged, artifact) > 0
      return isMerged ? artifactState(mirror.state, artifact) : undefined
    },
    baseOfRun(run) {
      if (runs.has(run)) return runs.get(run)
      return runUpTo(mirror, merged, run) > 0 ? mirror.state.run(run) : undefined
    },
  }
}

/** A run is merged with all, and with each artifact of which it used or logged a version. */
function runUpTo({ state }: Mirror, merged: MergedUpTo, run: string): number {
  const versions = state.edgesOfRun(run).flatMap(({ version }) => state.versionById(version) ?? [])
  return versions.reduce(
    (most, { artifact }) => Math.max(most, mergedUpTo(merged, artifact)),
    merged.all,
  )
}
