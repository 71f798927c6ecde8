/**
 * Lets go what no version needs. In this order: versions whose time has come are deleted; what the others need is
 * counted; what is needed of wasteful packs, and many small ones, is copied; one operation drops packs and purges the
 * versions that this costs; the index takes it up; the log is synced; only then do files go. All beside running commits
 * and checkouts: the operation holds for exactly the state it was planned on (docs/format.md section 6).
 *
 * Whatever ends it, the next run takes up what is left.
 */
import { ArtifactsError } from '../../errors.ts'
import type { OperationOptions } from '../../types.ts'
import { commitOperation } from '../index/commit-point.ts'
import type { ArtifactRow } from '../index/state.ts'
import { type FoldReport, foldOperations } from '../log/folding.ts'
import { loadHashes } from '../object/checksum.ts'
import type { OpenedStore } from '../opened.ts'
import { batchesOf, copyNeeded, type Letting, lettingOf } from './collection.ts'
import { type Explanation, explain, foresee } from './explain.ts'
import { listPackFiles, type RemovedFiles, removeLeftovers, removePacks } from './leftovers.ts'
import type { PackCounts } from './plan.ts'
import { planExpiry } from './retention.ts'
import { type Survey, type SurveyRequest, survey } from './survey.ts'

export interface GcRequest extends OperationOptions {
  /** How long what was deleted, or left lying, stays; milliseconds. */
  readonly grace: number
  /** Only say what would happen. */
  readonly dryRun: boolean
  /** Say of each version why it stays or goes, and what it alone needs. */
  readonly explain: boolean
  /** What people call an artifact. */
  readonly nameOf: (artifact: ArtifactRow) => string
  /** Milliseconds since 1970; default: now. */
  readonly now?: number
}

export interface GcResult {
  /** Refs of live versions that were deleted because their time has come. */
  readonly expired: readonly string[]
  /** Refs of deleted versions that cannot come back any more. */
  readonly purged: readonly string[]
  readonly packs: PackCounts
  /** Bytes of all packs, before and after. */
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Other files that nobody needs: temporary ones, old quarantine. */
  readonly leftovers: RemovedFiles
  /** Absent in a dry run, as what follows is but for one that explains. */
  readonly log?: FoldReport
  readonly explanation?: Explanation
}

/**
 * @throws ArtifactsError ERR_CLOCK when the clock is behind the log, ERR_DAMAGED when something that is needed is missing,
 * ERR_UNSUPPORTED when a newer program has written to the store, ERR_BUSY: nothing is dropped then.
 */
export async function collectGarbage(store: OpenedStore, request: GcRequest): Promise<GcResult> {
  await loadHashes()
  const clock = (): number => request.now ?? Date.now()
  store.index.refresh()
  checkClock(store, clock())
  const expired = await expire(store, { ...request, now: clock() })
  // Read again, so that without any grace what was just deleted goes at once.
  const run = { ...request, now: clock() }
  const first = await survey(store, run)
  const foreseen = foresee(first)
  const explained = run.explain ? { explanation: explain(first, foreseen) } : {}
  if (run.dryRun) {
    const purged = first.versions.filter(({ stays }) => !stays).map(({ ref }) => ref)
    return { expired, purged, ...foreseen, leftovers: { files: 0, bytes: 0 }, ...explained }
  }
  const { letting, files } = await letGo(store, first, run)
  const gone = listPackFiles(store.layout, store.index.state, run).dropped
  removePacks(store, gone)
  const leftovers = removeLeftovers(store, run)
  const strays = store.index.removeStrays(Math.min(run.grace, DAY_MS))
  const written = letting.copied.map(({ pack }) => pack)
  return {
    expired,
    purged: letting.purged.map(({ ref }) => ref),
    packs: countsOf(letting, files.dropped.length),
    bytesBefore: foreseen.bytesBefore,
    bytesAfter: foreseen.bytesBefore + sum(written) - sum(gone),
    leftovers: { files: leftovers.files + strays.files, bytes: leftovers.bytes + strays.bytes },
    log: foldOperations(store, run),
    ...explained,
  }
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Ages are differences to the times in the log: with a clock that is behind, nothing is known to be old. */
function checkClock({ index }: OpenedStore, now: number): void {
  const newest = index.read((connection) =>
    connection.value<string | null>('SELECT max(at) FROM operation'),
  )
  if (newest === undefined || newest === null || Date.parse(newest) <= now) return
  throw new ArtifactsError(
    'ERR_CLOCK',
    `The clock says "${new Date(now).toISOString()}", and an operation was written at "${newest}": nothing was removed.`,
    { hint: 'Set the clock of this machine, or wait until it has caught up.' },
  )
}

/** Deletes live versions whose time has come; returns their refs. */
async function expire(store: OpenedStore, run: SurveyRequest): Promise<readonly string[]> {
  if (run.dryRun) return planExpiry(store.index.state, run).outcome
  const { signal } = run
  const plan = (state: typeof store.index.state) => planExpiry(state, run)
  return (await commitOperation(store, { packs: [], plan, signal })).outcome
}

/** Creates the operation, or the operations, that let go what the survey says; when others are faster, after another one. */
async function letGo(
  store: OpenedStore,
  first: Survey,
  run: SurveyRequest,
): Promise<{ readonly letting: Letting; readonly files: Survey['files'] }> {
  const copied = await copyNeeded(store, first)
  let last = first
  for (;;) {
    const letting = lettingOf(store, last, copied)
    if (await createOperations(store, letting, last.head, run)) {
      return { letting, files: last.files }
    }
    last = await survey(store, run, last)
  }
}

/** False when another operation came between: what was planned is not known to hold any more. */
async function createOperations(
  store: OpenedStore,
  letting: Letting,
  head: number,
  { signal }: OperationOptions,
): Promise<boolean> {
  let before = head
  for (const { changes, packs } of batchesOf(letting)) {
    const { outcome, operation } = await commitOperation(store, {
      packs,
      plan: (_, { applied }) =>
        applied === before ? { changes, outcome: true } : { changes: [], outcome: false },
      signal,
    })
    if (!outcome || operation === undefined) return false
    before = operation
  }
  return true
}

function countsOf({ copied, dead, strays }: Letting, dropped: number): PackCounts {
  const sources = (copies: 'whole' | 'reached'): number =>
    copied.reduce((count, made) => count + (made.copies === copies ? made.sources.length : 0), 0)
  return {
    dropped: dead.length,
    rewritten: sources('reached'),
    merged: sources('whole'),
    written: copied.length,
    leftover: strays.length + dropped,
  }
}

function sum(packs: readonly { readonly bytes: number }[]): number {
  return packs.reduce((bytes, pack) => bytes + pack.bytes, 0)
}
