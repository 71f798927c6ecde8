/**
 * Takes over what a remote has (docs/remote.md sections 5 and 7): its news, what they mean for this store, the bytes that are
 * missing here. Everything is verified before it joins, and joins with one operation. Directories are not touched.
 */
import { type Attempt, untilItHolds } from '../store/commit/kept-packs.ts'
import { commitOperation } from '../store/index/commit-point.ts'
import type { StateView } from '../store/index/state.ts'
import type { Change } from '../store/log/change.ts'
import type { Plan } from '../store/log/plan.ts'
import type { Opened } from '../store/open.ts'
import type { ArtifactId, ObjectId, OperationOptions } from '../types.ts'
import type { Exchange } from './exchange.ts'
import { asPull, joinReceived } from './join-received.ts'
import { readBases } from './merge/bases.ts'
import {
  type HistoriesInput,
  type HistoryRemark,
  type MergedHistories,
  mergeHistories,
  type Selection,
} from './merge/histories.ts'
import { mergedUpTo, noteMerged, readMerged } from './merged.ts'
import type { Mirror } from './mirror/mirror.ts'
import type { WantedVersion } from './transfer/missing-there.ts'
import { receive } from './transfer/receive.ts'

export interface PullRequest extends OperationOptions {
  /** What is asked for, once the remote's log was read; undefined: everything that is new. */
  readonly select?: ((theirs: StateView) => Selection) | undefined
  /** Whether the bytes of files come too. */
  readonly content: 'all' | 'none'
}

export interface PullResult {
  /** What came. */
  readonly versions: readonly WantedVersion[]
  readonly remarks: readonly HistoryRemark[]
  /** The newest operation that was created here; absent: there was nothing to change. */
  readonly operation?: number
  readonly packs: number
  readonly objects: number
  readonly bytes: number
}

/** @throws ArtifactsError ERR_REMOTE_*, ERR_DAMAGED for what is not as its names say, ERR_TYPE_MISMATCH */
export async function pull(
  opened: Opened,
  exchange: Exchange,
  request: PullRequest,
): Promise<PullResult> {
  const { mirror, backend } = exchange
  // Nobody has pushed yet.
  if (mirror === undefined) return NOTHING
  await mirror.readNews(backend, request)
  const { selection, isAll } = newsOf(opened, mirror, request.select?.(mirror.state))
  const upTo = mirror.head.n
  if (selection.size === 0 && !isAll) return NOTHING
  const merged = readMerged(opened, mirror.store)
  const bases = await readBases(mirror, merged, ({ id }) => selection.has(id))
  const input: Input = {
    theirs: mirror.state,
    ...bases,
    selection,
    wins: 'theirs',
    areTheyPrimary: exchange.remote.isPrimary,
    direction: 'pull',
    runs: isAll ? 'all' : 'of-versions',
    withPatch: true,
  }
  const { unmerged, ...result } = await untilItHolds(opened, request.signal, (on) =>
    attempt(opened, exchange, mirror, input, request, on),
  )
  noteAll(opened, mirror, isAll, selection, unmerged, upTo)
  return result
}

/**
 * Says here what the own push meant there: the primary may have given other numbers. Returns what a person should hear.
 * @param since the newest operation there before the own ones
 */
export async function adopt(
  opened: Opened,
  { remote }: Exchange,
  mirror: Mirror,
  since: number,
): Promise<readonly HistoryRemark[]> {
  const merged = readMerged(opened, mirror.store)
  const { selection } = newsOf(opened, mirror, undefined)
  const bases = await readBases(mirror, merged, ({ id }) => selection.has(id))
  const input: Input = {
    theirs: mirror.state,
    ...bases,
    selection,
    wins: 'theirs',
    areTheyPrimary: remote.isPrimary,
    direction: 'pull',
    runs: 'of-versions',
    withPatch: true,
  }
  const upTo = mirror.head.n
  const { outcome } = await commitOperation(opened, {
    packs: [],
    plan: (ours): Plan<MergedHistories | undefined> => {
      const histories = mergeHistories({ ...input, ours })
      // Others have pushed at the same time: that is for a pull.
      if (histories.added.length > 0) return { changes: [], outcome: undefined }
      return asPull({ store: mirror.store, n: mirror.head.n }, histories.changes, histories)
    },
  })
  if (outcome === undefined) return []
  noteAll(opened, mirror, merged.all >= since, selection, outcome.unmerged, upTo)
  return outcome.remarks
}

type Input = Omit<HistoriesInput, 'ours'>

export const NOTHING: PullResult = { versions: [], remarks: [], packs: 0, objects: 0, bytes: 0 }

/** What is to be merged: what was asked for, else all that somebody has touched there since it was merged. */
function newsOf(
  opened: Opened,
  mirror: Mirror,
  asked: Selection | undefined,
): { readonly selection: Selection; readonly isAll: boolean } {
  if (asked !== undefined) return { selection: asked, isAll: false }
  const merged = readMerged(opened, mirror.store)
  const touched = mirror.state
    .artifacts()
    .filter(({ id }) => mirror.touched(id) > mergedUpTo(merged, id))
  return {
    selection: new Map(touched.map(({ id }) => [id, 'all' as const])),
    isAll: mirror.head.n > merged.all,
  }
}

/** Notes up to where artifacts are merged, of which all was selected and could be taken. */
function noteAll(
  opened: Opened,
  mirror: Mirror,
  isAll: boolean,
  selection: Selection,
  unmerged: ReadonlySet<ArtifactId>,
  upTo: number,
): void {
  const whole = [...selection].filter(([id, what]) => what === 'all' && !unmerged.has(id))
  const isComplete = isAll && unmerged.size === 0
  noteMerged(opened, mirror.store, isComplete ? 'all' : whole.map(([id]) => id), upTo)
}

/** Undefined: what it relied on is gone. */
async function attempt(
  opened: Opened,
  { backend }: Exchange,
  mirror: Mirror,
  input: Input,
  { signal, onProgress, content }: PullRequest,
  on: Attempt,
): Promise<(PullResult & Pick<MergedHistories, 'unmerged'>) | undefined> {
  const { added, unmerged } = mergeHistories({ ...input, ours: opened.index.state })
  // What is partial there is so here: it can be fetched from where all of it is.
  const whole = added.filter(({ id }) => !mirror.state.isPartial(id))
  using received = await receive(opened, { backend, mirror }, whole, {
    ...on,
    content,
    signal,
    onProgress,
  })
  const joined = await joinReceived(opened, {
    received,
    added,
    from: { store: mirror.store, n: mirror.head.n },
    mean: (ours) => {
      const histories = mergeHistories({ ...input, ours })
      return { ...histories, changes: markPartial(histories.changes, received) }
    },
    signal,
  })
  if (joined === undefined) return undefined
  const { packs, objects, bytes } = received
  return { versions: added, packs: packs.length, objects, bytes, unmerged, ...joined }
}

function markPartial(
  changes: readonly Change[],
  { whole }: { readonly whole: ReadonlySet<ObjectId> },
): Change[] {
  return changes.map((change) =>
    change.kind === 'version.add' && !whole.has(change.version)
      ? { ...change, partial: true }
      : change,
  )
}
