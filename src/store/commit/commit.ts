/**
 * Stores a version: scan the sources, store new chunks, build the tree, and create one operation.
 *
 * Order of durability: data packs, then the metadata pack, then the operation, then index rows. Until the operation is
 * there nothing refers to what was written; after it, everything it names is on disk.
 */
import { randomBytes } from 'node:crypto'
import { ArtifactsError, isLoss } from '../../errors.ts'
import type {
  ArtifactId,
  Entry,
  EntryPath,
  Metadata,
  ObjectId,
  OperationOptions,
  VersionObject,
} from '../../types.ts'
import { refuseAbsent } from '../absent.ts'
import { type Merge, mergeSmallPacks, removeMerged, stands } from '../gc/merge.ts'
import { commitOperation } from '../index/commit-point.ts'
import { isSqliteError } from '../index/connection.ts'
import type { StateView, VersionRow } from '../index/state.ts'
import type { WrittenPack } from '../ingest/protocol.ts'
import type { ScanReport, Source } from '../ingest/scan.ts'
import type { Change } from '../log/change.ts'
import {
  type CommitIntent,
  type CommitOutcome,
  currentVersion,
  type Plan,
  planCommit,
} from '../log/plan.ts'
import { type FinishedDraft, withDraft } from '../log/plan-draft.ts'
import { encodeVersionObject, versionId } from '../log/version-object.ts'
import { VERSION } from '../object/id.ts'
import { nodeReader, type OpenedStore } from '../opened.ts'
import { diffTrees } from '../tree/diff.ts'
import { type Attempt, type KeptPacks, untilItHolds } from './kept-packs.ts'
import type { Reliance } from './reliance.ts'
import { type BuiltVersion, VersionWriter } from './version-writer.ts'

export interface CommitRequest extends OperationOptions {
  readonly project: string
  readonly name: string
  readonly type?: string
  readonly sources: readonly Source[]
  /** Entries that are not read from files; those of files have their bytes in the store. They do not overlap with the sources. */
  readonly entries?: readonly Entry[]
  /** Packs with bytes of these entries that were written for this commit; no operation names them yet. */
  readonly packs?: readonly WrittenPack[]
  readonly base?: BaseVersion
  readonly aliases: readonly string[]
  readonly tags: readonly string[]
  readonly description?: string
  readonly metadata?: Metadata
  readonly reuse: 'latest' | 'any' | 'never'
  /** The run that logs it, and the name this has in the run; by default the artifact's. */
  readonly run?: { readonly id: string; readonly slot?: string }
  /** The draft that ends with the commit, its entries being those of the draft. */
  readonly finishes?: FinishedDraft
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly allowSecrets: boolean
  readonly dryRun: boolean
  /** Worker threads; 0: none; default: as many as there are cores. */
  readonly jobs?: number
}

/** The version whose entries the new one starts from. */
export interface BaseVersion extends Previous {
  /** Entries of it that the new one does not have. */
  readonly removed?: readonly EntryPath[]
  /** False: the new version is not its child. Default true. */
  readonly isParent?: boolean
}

export interface CommitResult {
  readonly outcome: CommitOutcome
  /** What was made from the sources; not stored when `outcome` is `unchanged`. */
  readonly object: VersionObject
  readonly storedBytes: number
  /** Bytes of content that the store had already. */
  readonly reusedBytes: number
  readonly scan: ScanReport
  /** Against the base, else the version before; undefined where that is damaged. */
  readonly changes: ChangeCounts | undefined
}

/** Entries. */
export interface ChangeCounts {
  readonly added: number
  readonly changed: number
  readonly removed: number
  readonly unchanged: number
}

/**
 * Commits the sources as a version of an artifact. Where gc dropped meanwhile what was found in the store, or deleted
 * versions went that the new one builds on, the sources are looked through once more; what was written is kept.
 * @throws ArtifactsError ERR_TYPE_MISMATCH, ERR_SECRETS, and whatever keeps the sources from being read; nothing is
 * committed then. ERR_DURABILITY_UNKNOWN: it is committed, but may not survive a power loss.
 */
export async function commitVersion(
  store: OpenedStore,
  request: CommitRequest,
): Promise<CommitResult> {
  const { signal, packs } = request
  return untilItHolds(store, signal, (on) => attempt(store, request, on), packs)
}

/** Undefined: what it relied on is gone, and `kept` holds what it wrote. */
async function attempt(
  store: OpenedStore,
  request: CommitRequest,
  { reliance, kept }: Attempt,
): Promise<CommitResult | undefined> {
  const previous = previousVersion(store, request)
  const writer = new VersionWriter(store, request, previous, reliance)
  try {
    const built = await writer.build()
    // Stopped any later, it leaves packs behind that nothing names.
    request.signal?.throwIfAborted()
    const { base } = request
    const parents = base === undefined || base.isParent === false ? [] : [base.version]
    const made = { built, previous, parents, reliance }
    return request.dryRun
      ? dryRun(store, request, made)
      : await publish(store, request, made, writer, kept)
  } finally {
    await writer.close()
  }
}

interface Made {
  readonly built: BuiltVersion
  readonly previous: Previous | undefined
  readonly parents: readonly ObjectId[]
  readonly reliance: Reliance
}

/** The version that the new one is built on and compared with: the base, else the one that `latest` names. */
export interface Previous {
  /** Not all of it is here: nothing of it can be taken for present. */
  readonly isPartial?: boolean
  readonly version: ObjectId
  readonly root: ObjectId
}

function previousVersion(store: OpenedStore, request: CommitRequest): Previous | undefined {
  const { state } = store.index
  if (request.base !== undefined) {
    const base = state.versionById(request.base.version)
    if (base?.partial === true) refusePartial(store, base)
    if (base?.deleted === undefined) return request.base
    throw new ArtifactsError(
      'ERR_NOT_FOUND',
      `Version "${request.base.version}", which the new one starts from, is deleted.`,
      { hint: `Bring it back first: \`artifacts restore @${request.base.version}\`` },
    )
  }
  const artifact = state.artifactByName(request.project, request.name)
  const current = artifact === undefined ? undefined : currentVersion(state, artifact.id)
  if (current === undefined) return undefined
  const { id: version, object, partial = false } = current
  return { version, root: object.root, isPartial: partial }
}

/** Of a version that another starts from all must be here: nobody looks at what it hands on. */
function refusePartial(store: OpenedStore, { artifact, number, object }: VersionRow): void {
  const { project = '', name = '' } = store.index.state.artifactById(artifact) ?? {}
  refuseAbsent(store, { ...object, ref: `${project}/${name}:v${number}` })
}

async function publish(
  store: OpenedStore,
  request: CommitRequest,
  made: Made,
  writer: VersionWriter,
  kept: KeptPacks,
): Promise<CommitResult | undefined> {
  const newArtifact = randomBytes(16).toString('hex') as ArtifactId
  const written: WrittenPack[] = []
  // The same content as before, and yet not all of it was there: that version is damaged, and this one is whole.
  const { previous } = made
  const hasNew = writer.hasNew || kept.usedBy(made.reliance).length > 0
  const mends = previous?.root === made.built.root && previous.isPartial !== true && hasNew
  const reuse = mends ? 'never' : request.reuse
  for (let createdAt = Date.now(); ; createdAt++) {
    const object = versionObject(made, request, createdAt)
    const intent = { ...request, reuse, newArtifact, object, versionId: versionId(object) }
    // Content that is there needs no version object, unless another process changes the plan meanwhile.
    const isStored = planCommit(store.index.state, intent).outcome.kind === 'created'
    if (isStored) writer.metadata.add(VERSION, intent.versionId, encodeVersionObject(object))
    const fetched = isStored ? undefined : partialOf(store.index.state, intent)
    if (fetched !== undefined) {
      writer.metadata.add(VERSION, fetched.id, encodeVersionObject(fetched.object))
    }
    written.push(...(await writer.finish()))
    const packs = [...kept.usedBy(made.reliance), ...written]
    const own = packs.map(({ id }) => id)
    const merge = isStored ? await mergeSmallPacks(store, own) : undefined
    if (packs.length > 0 || merge !== undefined) store.io.fsyncDirectory(store.layout.packs)
    let merged = false
    const { outcome, operation } = await commitOperation(store, {
      packs,
      plan: (state): Plan<CommitOutcome | Stale> => {
        const commit = planCommit(state, intent)
        const { finishes } = request
        const plan = finishes === undefined ? commit : withDraft(state, commit, finishes)
        const partial = partialOf(state, intent)
        if (plan.outcome.kind !== 'created' && partial === undefined) return plan
        if (plan.outcome.kind === 'created' ? !isStored : partial?.id !== fetched?.id) return AGAIN
        if (!made.reliance.holds(state, own)) return STALE
        if (partial !== undefined) return withFetch(plan, partial)
        merged = merge !== undefined && stands(merge, state)
        return merged && merge !== undefined ? withMerge(plan, packs, merge) : plan
      },
      signal: request.signal,
    })
    if (outcome.kind === 'taken') continue
    if (merged && merge !== undefined && operation !== undefined) removeMerged(store, merge)
    writer.rememberFiles()
    if (outcome.kind !== 'stale') return result(store, made, outcome, object, packs)
    kept.keep([...kept.packs, ...written])
    return undefined
  }
}

/** The partial version that has this very content: with the commit all of it is here. */
function partialOf(state: StateView, intent: CommitIntent): VersionRow | undefined {
  const { outcome } = planCommit(state, intent)
  const version = outcome.kind === 'unchanged' ? state.versionById(outcome.version) : undefined
  return version?.partial === true ? version : undefined
}

/** The same commit; the version that was partial is whole by it, and no other one is made. */
function withFetch(
  { changes, outcome }: Plan<CommitOutcome>,
  { artifact, id: version }: VersionRow,
): Plan<CommitOutcome> {
  const fetch: Change = { kind: 'version.fetch', artifact, version, whole: true }
  return { changes: [...changes, fetch], outcome }
}

/** The same commit, with which many small packs become few. */
function withMerge(
  { changes, outcome }: Plan<CommitOutcome>,
  packs: readonly WrittenPack[],
  merge: Merge,
): Plan<CommitOutcome> {
  return { changes: [...changes, merge.drop], packs: [...packs, ...merge.packs], outcome }
}

interface Stale {
  readonly kind: 'stale'
}

const AGAIN: Plan<CommitOutcome> = { changes: [], outcome: { kind: 'taken' } }
const STALE: Plan<Stale> = { changes: [], outcome: { kind: 'stale' } }

function dryRun(store: OpenedStore, request: CommitRequest, made: Made): CommitResult {
  const object = versionObject(made, request, Date.now())
  const newArtifact = '0'.repeat(32) as ArtifactId
  const intent = { ...request, newArtifact, object, versionId: versionId(object) }
  return result(store, made, planCommit(store.index.state, intent).outcome, object, [])
}

function versionObject(
  { built, parents }: Made,
  { run }: CommitRequest,
  time: number,
): VersionObject {
  const { root, files, bytes } = built
  const createdAt = new Date(time).toISOString()
  return { bytes, createdAt, files, parents, root, ...(run === undefined ? {} : { run: run.id }) }
}

function result(
  store: OpenedStore,
  { built, previous }: Made,
  outcome: CommitOutcome,
  object: VersionObject,
  packs: readonly WrittenPack[],
): CommitResult {
  const changes = countChanges(store, previous?.root, built)
  const storedBytes = packs.reduce((sum, pack) => sum + pack.bytes, 0)
  const { reusedBytes } = built
  return { outcome, object, storedBytes, reusedBytes, scan: built.scan, changes }
}

/** Undefined where that cannot be told, as when the version before is damaged: the commit itself stands. */
function countChanges(
  store: OpenedStore,
  before: ObjectId | undefined,
  built: BuiltVersion,
): ChangeCounts | undefined {
  if (before === undefined) return { added: built.entries, changed: 0, removed: 0, unchanged: 0 }
  const stored = nodeReader(store)
  const counts = { added: 0, changed: 0, removed: 0 }
  try {
    for (const change of diffTrees((id) => built.nodes.get(id) ?? stored(id), before, built.root)) {
      if (change.before === undefined) counts.added++
      else if (change.after === undefined) counts.removed++
      else counts.changed++
    }
  } catch (error) {
    // Where the index has no room to take the commit up, it cannot be compared either.
    const isBehind = error instanceof ArtifactsError && error.code === 'ERR_BUSY'
    if (isLoss(error) || isBehind || isSqliteError(error)) return undefined
    throw error
  }
  return { ...counts, unchanged: built.entries - counts.added - counts.changed }
}
