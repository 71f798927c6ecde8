/**
 * Fetches the bytes of versions that are here without them (docs/remote.md section 5), or of some of their paths. They are
 * verified, and join with one operation, as in a pull.
 */
import { ArtifactsError } from '../errors.ts'
import { type Attempt, untilItHolds } from '../store/commit/kept-packs.ts'
import { commitOperation } from '../store/index/commit-point.ts'
import type { StateView, VersionRow } from '../store/index/state.ts'
import type { Change } from '../store/log/change.ts'
import type { Plan } from '../store/log/plan.ts'
import type { Opened } from '../store/open.ts'
import type { EntryPath, OperationOptions } from '../types.ts'
import type { Exchange } from './exchange.ts'
import type { Mirror } from './mirror/mirror.ts'
import { NOTHING, type PullResult } from './pull.ts'
import { type Received, receive } from './transfer/receive.ts'

export interface FetchRequest extends OperationOptions {
  /** Partial ones; others are passed over. */
  readonly versions: readonly VersionRow[]
  /** What of them: these paths, and what is below them; undefined: everything. */
  readonly paths?: readonly EntryPath[] | undefined
}

/** @throws ArtifactsError ERR_NOT_FOUND for a version that the remote does not have, ERR_REMOTE_*, ERR_DAMAGED */
export async function fetchContent(
  opened: Opened,
  exchange: Exchange,
  mirror: Mirror,
  request: FetchRequest,
): Promise<PullResult> {
  const versions = request.versions.filter(({ partial }) => partial === true)
  if (versions.length === 0) return NOTHING
  return untilItHolds(opened, request.signal, (on) =>
    attempt(opened, exchange, mirror, { ...request, versions }, on),
  )
}

/** Undefined: what it relied on is gone. */
async function attempt(
  opened: Opened,
  { backend }: Exchange,
  mirror: Mirror,
  { versions, paths, signal, onProgress }: FetchRequest,
  on: Attempt,
): Promise<PullResult | undefined> {
  const wanted = versions.map(({ id, object }) => ({ id, object }))
  using received = await receive(opened, { backend, mirror }, wanted, {
    ...on,
    content: paths === undefined ? 'all' : { paths },
    signal,
    onProgress,
  }).catch((error: unknown) => {
    throw partialThere(error, mirror, versions) ?? error
  })
  const { outcome, operation } = await commitOperation(opened, {
    packs: received.packs,
    plan: (state): Plan<'stale' | 'done'> => {
      if (!received.holds(state)) return { changes: [], outcome: 'stale' }
      return { changes: arrivals(state, versions, received), outcome: 'done' }
    },
    signal,
  })
  if (outcome === 'stale') return undefined
  const { packs, objects, bytes } = received
  const facts = { versions: wanted, remarks: [], packs: packs.length, objects, bytes }
  return operation === undefined ? facts : { ...facts, operation }
}

/** A store may have taken a version over without its bytes, like this one: that is no damage. */
function partialThere(
  error: unknown,
  mirror: Mirror,
  versions: readonly VersionRow[],
): ArtifactsError | undefined {
  const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
  const version = versions.find(({ id }) => mirror.state.isPartial(id))
  if (!isDamage || version === undefined) return undefined
  return new ArtifactsError(
    'ERR_NOT_FETCHED',
    `The remote does not have all of "@${version.id.slice(0, 12)}" either.`,
    {
      hint: 'Fetch it from where it was committed: `artifacts fetch REF --remote R`.',
      cause: error,
    },
  )
}

/** Those that are whole now; others only where something came, since packs need an operation. */
function arrivals(state: StateView, versions: readonly VersionRow[], received: Received): Change[] {
  return versions.flatMap(({ id, artifact }): Change[] => {
    const now = state.versionById(id)
    if (now?.partial !== true || now.deleted !== undefined) return []
    if (received.whole.has(id))
      return [{ kind: 'version.fetch', artifact, version: id, whole: true }]
    return received.packs.length > 0 ? [{ kind: 'version.fetch', artifact, version: id }] : []
  })
}
