/**
 * Lets what was received from another store join this one: the operations that name it, planned on the very state that each
 * is created on. A pull and the applying of a bundle end with this.
 */
import { commitOperation } from '../store/index/commit-point.ts'
import type { StateView } from '../store/index/state.ts'
import type { Change } from '../store/log/change.ts'
import type { Plan } from '../store/log/plan.ts'
import type { Opened } from '../store/open.ts'
import { limitedChanges } from './limited-changes.ts'
import type { HistoryRemark } from './merge/histories.ts'
import type { WantedVersion } from './transfer/missing-there.ts'
import type { Received } from './transfer/receive.ts'

/** What another store's operations mean on a state. */
export interface Meaning {
  readonly changes: readonly Change[]
  readonly remarks: readonly HistoryRemark[]
  /** The versions that come with the changes. */
  readonly added: readonly WantedVersion[]
}

export interface Joining {
  readonly received: Pick<Received, 'packs' | 'holds'>
  /** What was received, or needs nothing. */
  readonly added: readonly WantedVersion[]
  /** The other store's id, and up to which of its operations. */
  readonly from: { readonly store: string; readonly n: number }
  readonly mean: (ours: StateView) => Meaning
  readonly signal?: AbortSignal | undefined
}

export interface Joined {
  readonly remarks: readonly HistoryRemark[]
  /** The newest operation that was created; absent: there was nothing to change. */
  readonly operation?: number
}

/** Undefined: what was relied on is gone, or more is to come than was received. */
export async function joinReceived(
  opened: Opened,
  { received, added, from, mean, signal }: Joining,
): Promise<Joined | undefined> {
  const here = new Set(added.map(({ id }) => id))
  let remarks: readonly HistoryRemark[] = []
  for (let operation: number | undefined; ; ) {
    const { outcome, operation: n } = await commitOperation(opened, {
      packs: received.packs,
      plan: (ours): Plan<Outcome> => {
        const meaning = mean(ours)
        const isCovered = meaning.added.every(({ id }) => here.has(id))
        if (!isCovered || !received.holds(ours)) return STALE
        const { some, isAll } = limitedChanges(meaning.changes)
        return asPull(from, some, { kind: isAll ? 'done' : 'more', remarks: meaning.remarks })
      },
      signal,
    })
    if (outcome.kind === 'stale') return undefined
    operation = n ?? operation
    if (remarks.length === 0) remarks = outcome.remarks
    if (outcome.kind === 'more') continue
    return operation === undefined ? { remarks } : { remarks, operation }
  }
}

/** What another store's operations mean here, as one operation. */
export function asPull<T>(
  { store, n }: Joining['from'],
  changes: readonly Change[],
  outcome: T,
): Plan<T> {
  if (changes.length === 0) return { changes: [], outcome }
  return { changes: [{ kind: 'pull', store, n }, ...changes], outcome }
}

type Outcome =
  | { readonly kind: 'stale' }
  | { readonly kind: 'done' | 'more'; readonly remarks: readonly HistoryRemark[] }

const STALE: Plan<Outcome> = { changes: [], outcome: { kind: 'stale' } }
