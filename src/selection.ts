/** What refs select that move between stores: artifacts as a whole, or versions of them. */
import { parseRef } from './names.ts'
import { type RefDefaults, resolveArtifact, resolveVersion } from './store/index/resolve.ts'
import type { StateView } from './store/index/state.ts'
import type { Selection } from './sync/merge/histories.ts'
import type { ArtifactId, ObjectId } from './types.ts'

/** What refs select in a state: `bike` all of an artifact, `bike:v3` or `bike:best` one version. */
export function selecting(
  refs: readonly string[],
  defaults: RefDefaults,
): ((state: StateView) => Selection) | undefined {
  if (refs.length === 0) return undefined
  return (state) => {
    const selection = new Map<ArtifactId, 'all' | ReadonlySet<ObjectId>>()
    for (const text of refs) {
      const ref = parseRef(text)
      if (ref.selector === undefined && ref.back === 0) {
        selection.set(resolveArtifact(state, ref, defaults).id, 'all')
        continue
      }
      const { artifact, version } = resolveVersion(state, ref, defaults)
      const before = selection.get(artifact.id)
      if (before !== 'all') selection.set(artifact.id, new Set([...(before ?? []), version.id]))
    }
    return selection
  }
}
