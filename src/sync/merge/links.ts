/** The links of a portfolio merge as versions do; here the changes of such a merge become changes of links. */
import type { Change } from '../../store/log/change.ts'
import type { ObjectId } from '../../types.ts'
import { linkedVersion } from './artifact-state.ts'
import type { MergeChange } from './input.ts'
import type { ArtifactState } from './state.ts'

export interface MergedLinks {
  readonly changes: readonly Change[]
  /** The versions that are linked after the merge. */
  readonly linked: ReadonlySet<ObjectId>
}

export function linksFrom(
  changes: readonly MergeChange[],
  ours: ArtifactState | undefined,
): MergedLinks {
  const numbers = new Map<ObjectId, number>()
  const linked = new Set<ObjectId>()
  for (const [key, { number, isDeleted }] of ours?.versions ?? []) {
    numbers.set(key, number)
    if (!isDeleted) linked.add(key)
  }
  const changed = changes.map((change): Change => {
    switch (change.kind) {
      case 'version.renumber':
        numbers.set(change.version, change.number)
        return { ...change, version: linkedVersion(change.version) }
      case 'version.add':
        numbers.set(change.version, change.number)
        return add(change)
      case 'version.restore':
        return add(change)
      case 'version.delete':
        linked.delete(change.version)
        return { kind: 'link.remove', ...linkOf(change) }
      default:
        return change
    }
  })
  return { changes: changed, linked }

  function add(change: Extract<MergeChange, { kind: 'version.add' | 'version.restore' }>): Change {
    linked.add(change.version)
    return { kind: 'link.add', ...linkOf(change) }
  }

  function linkOf({
    artifact: portfolio,
    version,
  }: Extract<MergeChange, { kind: 'version.add' | 'version.restore' | 'version.delete' }>): {
    readonly portfolio: typeof portfolio
    readonly number: number
    readonly version: ObjectId
  } {
    const number = numbers.get(version)
    if (number === undefined) throw new Error(`The link to "${version}" has no number.`)
    return { portfolio, number, version }
  }
}
