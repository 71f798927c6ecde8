/**
 * Brings a remote what it lacks (docs/remote.md sections 4, 5 and 7): packs first, then an operation of the remote's log that
 * names them. What it lacks is computed from what is known of it; nothing is listed, and nothing asked object by object.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { ArtifactsError } from '../errors.ts'
import { encodeFormat } from '../store/format.ts'
import type { StateView } from '../store/index/state.ts'
import type { Change } from '../store/log/change.ts'
import { encodeOperation, type Operation } from '../store/log/operation.ts'
import type { Closure } from '../store/log/sync-change.ts'
import { decodeTable } from '../store/object/pack.ts'
import type { Opened } from '../store/open.ts'
import type { ObjectId, OperationOptions } from '../types.ts'
import type { Exchange } from './exchange.ts'
import { limitedChanges } from './limited-changes.ts'
import { FORMAT_NAME } from './log/names.ts'
import { announce, checkPosition, createOperation } from './log/remote-log.ts'
import { putSegments } from './log/segments.ts'
import { checkMayPush } from './may-push.ts'
import { readBases } from './merge/bases.ts'
import {
  type HistoryRemark,
  type MergedHistories,
  mergeHistories,
  type Selection,
} from './merge/histories.ts'
import { counterpart } from './merge/pairs.ts'
import { mergedUpTo, readMerged } from './merged.ts'
import { Mirror } from './mirror/mirror.ts'
import { adopt, type PullResult, pull } from './pull.ts'
import { readNewsToWrite } from './read-news.ts'
import { sendPacks } from './send-packs.ts'
import { SentPacks } from './sent.ts'
import { bytesSource } from './source.ts'
import type { WantedVersion } from './transfer/missing-there.ts'
import {
  closures,
  leaves,
  type OutgoingPack,
  outgoingPacks,
  StalePlanError,
} from './transfer/outgoing.ts'
import { planSend, type SendPlan } from './transfer/plan-send.ts'

export interface PushRequest extends OperationOptions {
  /** What is to be pushed; undefined: everything that is not there. */
  readonly select?: ((ours: StateView) => Selection) | undefined
  /** Whether news of the remote that touch what is pushed are pulled first. */
  readonly pulls: boolean
  /** Whether patches of runs' sources go along. */
  readonly withPatch: boolean
  readonly dryRun: boolean
  /** Packs sent at once. */
  readonly jobs: number
}

export interface PushResult {
  readonly versions: readonly WantedVersion[]
  /** Of the merge there, and of what that meant here. */
  readonly remarks: readonly HistoryRemark[]
  /** The remote's operation; absent: there was nothing to push, or it is a dry run. */
  readonly operation?: number
  readonly packs: number
  readonly objects: number
  readonly bytes: number
  /** What was pulled before. */
  readonly pulled?: PullResult
}

/**
 * @throws ArtifactsError ERR_REMOTE_*, ERR_UNSUPPORTED for a remote that can't be pushed to, ERR_NOT_FETCHED for versions that are not
 * whole here, ERR_TYPE_MISMATCH, ERR_DAMAGED. After ERR_REMOTE_UNREACHABLE the operation may be there; pushing again finds out.
 */
export async function push(
  opened: Opened,
  exchange: Exchange,
  request: PushRequest,
): Promise<PushResult> {
  const { remote, backend } = exchange
  if (!request.dryRun) await checkMayPush(opened, remote, backend, request)
  const mirror = exchange.mirror ?? (await begin(opened, exchange, request))
  await readNewsToWrite(mirror, exchange.backend, request)
  const pulled = request.pulls ? await pullFirst(opened, exchange, mirror, request) : undefined
  for (;;) {
    const result = await attempt(opened, exchange, mirror, request)
    if (result === undefined) continue
    const remarks = [...(pulled?.remarks ?? []), ...result.remarks]
    return { ...result, remarks, ...(pulled === undefined ? {} : { pulled }) }
  }
}

/** Makes the store at an address where nothing lies. */
async function begin(
  opened: Opened,
  exchange: Exchange,
  { dryRun, signal }: PushRequest,
): Promise<Mirror> {
  const format = encodeFormat({ id: randomBytes(16).toString('hex'), tool: opened.tool })
  if (dryRun) return Mirror.imagined(opened, format)
  await exchange.backend.putIfAbsent(FORMAT_NAME, bytesSource(format), { signal })
  // It may be another one's that is there.
  await exchange.identify({ signal })
  if (exchange.mirror !== undefined) return exchange.mirror
  throw new ArtifactsError(
    'ERR_REMOTE_CHANGED',
    `"${exchange.backend.address}${FORMAT_NAME}" is not there after it was written.`,
    { hint: 'The remote loses what it is given. Ask who looks after it.' },
  )
}

/** Pulls what others have done to what is to be pushed, if they have. */
async function pullFirst(
  opened: Opened,
  exchange: Exchange,
  mirror: Mirror,
  request: PushRequest,
): Promise<PullResult | undefined> {
  const merged = readMerged(opened, mirror.store)
  const ours = opened.index.state
  const wanted = request.select?.(ours)
  const touched = mirror.state.artifacts().filter((row) => {
    if (mirror.touched(row.id) <= mergedUpTo(merged, row.id)) return false
    // What is not here at all is no business of a push.
    const mine = counterpart(ours, mirror.state, row)
    return mine !== undefined && wanted?.has(mine.id) !== false
  })
  if (touched.length === 0 || request.dryRun) return undefined
  const { signal, onProgress } = request
  return pull(opened, exchange, {
    select: () => new Map(touched.map(({ id }) => [id, 'all' as const])),
    content: 'all',
    signal,
    onProgress,
  })
}

/** Undefined: what was relied on there is gone, or what it needs has changed, and all is to be planned anew. */
async function attempt(
  opened: Opened,
  exchange: Exchange,
  mirror: Mirror,
  request: PushRequest,
): Promise<PushResult | undefined> {
  const { backend } = exchange
  const { signal, onProgress, dryRun, jobs } = request
  const wanted = await mergeThere(opened, mirror, request)
  if (wanted.changes.length === 0) return { ...NOTHING, remarks: wanted.remarks }
  await mirror.loadTables(backend, { signal })
  const plan = await planSend(opened, mirror, wanted.added, { signal, onProgress })
  const { objects, bytes } = plan
  const told = { versions: wanted.added, remarks: wanted.remarks, objects, bytes }
  if (dryRun) return { ...told, packs: plan.packs }
  await checkPosition(backend, mirror.head, { signal })
  tellSent(exchange, bytes, onProgress)
  const outgoing = outgoingPacks(opened, plan, { signal })
  const packs = await unlessStale(
    sendPacks(opened, { backend, mirror }, outgoing, { jobs, signal }),
  )
  if (packs === undefined) return undefined
  const published = await publish(opened, exchange, mirror, request, { wanted, plan, packs })
  if (published === undefined) return undefined
  new SentPacks(opened, mirror.store).clear()
  const adopted = await adopt(opened, exchange, mirror, published.since)
  return {
    ...told,
    remarks: [...wanted.remarks, ...adopted],
    operation: published.n,
    packs: packs.length,
    bytes: packs.reduce((sum, pack) => sum + pack.bytes, 0),
  }
}

/** Tells how far it is; what is sent beside the packs is little, and not counted. */
function tellSent(exchange: Exchange, total: number, onProgress: PushRequest['onProgress']): void {
  let sent = 0
  exchange.onSent = (bytes) => {
    sent = Math.min(total, sent + bytes)
    onProgress?.({ phase: 'send', files: 0, bytes: sent, total: { files: 0, bytes: total } })
  }
}

/** Undefined where gc was faster than the push: what was to be sent is elsewhere now. */
async function unlessStale<T>(sending: Promise<T>): Promise<T | undefined> {
  try {
    return await sending
  } catch (error) {
    if (error instanceof StalePlanError) return undefined
    throw error
  }
}

const NOTHING: PushResult = { versions: [], remarks: [], packs: 0, objects: 0, bytes: 0 }

/** What this store has, in changes of the remote. */
async function mergeThere(
  opened: Opened,
  mirror: Mirror,
  { select, withPatch }: PushRequest,
): Promise<MergedHistories> {
  opened.index.refresh()
  const ours = opened.index.state
  const selection = select?.(ours) ?? everything(ours)
  const bases = await readBases(mirror, readMerged(opened, mirror.store), (row) => {
    if (select === undefined) return true
    const mine = counterpart(ours, mirror.state, row)
    return mine !== undefined && selection.has(mine.id)
  })
  return mergeHistories({
    ours: mirror.state,
    theirs: ours,
    ...bases,
    selection,
    wins: 'ours',
    areTheyPrimary: false,
    direction: 'push',
    runs: select === undefined ? 'all' : 'of-versions',
    withPatch,
  })
}

export function everything(state: StateView): Selection {
  return new Map(state.artifacts().map(({ id }) => [id, 'all' as const]))
}

interface Sent {
  readonly wanted: MergedHistories
  readonly plan: SendPlan
  readonly packs: readonly OutgoingPack[]
}

interface Published {
  /** The newest own operation. */
  readonly n: number
  /** The newest operation before the own ones, unless others came in between. */
  readonly since: number
}

/** Creates operations until all is said. */
async function publish(
  opened: Opened,
  exchange: Exchange,
  mirror: Mirror,
  request: PushRequest,
  { wanted, plan, packs }: Sent,
): Promise<Published | undefined> {
  const { backend } = exchange
  const { signal } = request
  const sent = new Set(wanted.added.map(({ id }) => id))
  let { changes } = wanted
  let own = 0
  for (let lost = 0; ; ) {
    if (!holds(mirror, plan, packs)) return undefined
    const { some, isAll } = limitedChanges(withClosures(changes, closures(plan)))
    const operation: Operation = {
      n: mirror.head.n + 1,
      prev: mirror.head.hash,
      at: new Date().toISOString(),
      by: opened.by,
      tool: opened.tool,
      nonce: randomBytes(16).toString('hex'),
      packs: packs.filter(({ id }) => !mirror.state.isNamed(id)).map(joining),
      changes: some,
    }
    const { kind } = await createOperation(backend, operation, { signal })
    if (kind === 'created') {
      take(mirror, operation, packs, backend.address)
      mirror.noteLeaves(leaves(plan))
      await tell(exchange, mirror, request)
      own++
      if (isAll) return { n: operation.n, since: operation.n - own }
    } else {
      await pause(++lost, signal)
      await readNewsToWrite(mirror, exchange.backend, request)
    }
    const again = await mergeThere(opened, mirror, request)
    if (again.changes.length === 0) return { n: mirror.head.n, since: mirror.head.n - own }
    if (again.added.some(({ id }) => !sent.has(id))) return undefined
    changes = again.changes
  }
}

/** Whether what the sent packs do not hold is still there, and what was sent can still join. */
function holds(mirror: Mirror, plan: SendPlan, packs: readonly OutgoingPack[]): boolean {
  return ![...plan.relied, ...packs.map(({ id }) => id)].some((id) => mirror.isDropped(id))
}

function withClosures(changes: readonly Change[], known: ReadonlyMap<ObjectId, Closure>): Change[] {
  return changes.map((change) => {
    const closure = change.kind === 'version.add' ? known.get(change.version) : undefined
    return closure === undefined ? change : ({ ...change, closure } as Change)
  })
}

function joining({ id, bytes, kind, toc, sha256 }: OutgoingPack): Operation['packs'][number] {
  return { id, bytes, kind, toc, sha256 }
}

/** Takes up the own operation, and where its objects are, without asking for what is known. */
function take(
  mirror: Mirror,
  operation: Operation,
  packs: readonly OutgoingPack[],
  address: string,
): void {
  const { bytes, hash } = encodeOperation(operation)
  const entry = { kind: 'operation', operation, hash } as const
  mirror.take([{ n: operation.n, hash, bytes, entry }], address)
  mirror.takeTables(
    new Map(packs.map(({ id, table, toc }) => [id, decodeTable(table, toc[0], `Pack "${id}"`)])),
  )
}

/** Hints for those who read. That they fail is no failure of the push. */
async function tell({ backend }: Exchange, mirror: Mirror, { signal }: PushRequest): Promise<void> {
  try {
    await announce(backend, mirror.head, { signal })
    await putSegments(backend, mirror.head.n, (range) => mirror.records(range), { signal })
  } catch (error) {
    if (!(error instanceof ArtifactsError)) throw error
  }
}

/** Those who collided wait for a random time that grows, so that they do not collide again. */
async function pause(lost: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(Math.random() * Math.min(1000, 2 ** Math.min(lost, 10)), undefined, { signal })
}
