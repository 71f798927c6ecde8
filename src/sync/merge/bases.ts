/** What this store and a remote had when they last met: for each artifact the remote's state up to where it was merged. */
import type { PastState } from '../../store/index/past.ts'
import type { ArtifactId } from '../../types.ts'
import { type MergedUpTo, mergedUpTo } from '../merged.ts'
import type { Mirror } from '../mirror/mirror.ts'
import { artifactState } from './artifact-state.ts'
import type { ArtifactState } from './state.ts'

export interface Bases extends Disposable {
  /** By its id in the remote's log; undefined where both never met. */
  readonly base: (artifact: ArtifactId) => ArtifactState | undefined
}

/** Nearly always what was merged is all that was read: then the mirror itself answers. */
export async function openBases(mirror: Mirror, merged: MergedUpTo): Promise<Bases> {
  const pasts = new Map<number, PastState>()
  const close = (): void => {
    for (const past of pasts.values()) past[Symbol.dispose]()
  }
  try {
    for (const { id } of mirror.state.artifacts()) {
      const n = mergedUpTo(merged, id)
      if (n > 0 && mirror.touched(id) > n && !pasts.has(n)) pasts.set(n, await mirror.stateAt(n))
    }
  } catch (error) {
    close()
    throw error
  }
  return {
    base(artifact) {
      const n = mergedUpTo(merged, artifact)
      if (n === 0) return undefined
      return artifactState(pasts.get(n)?.state ?? mirror.state, artifact)
    },
    [Symbol.dispose]: close,
  }
}
