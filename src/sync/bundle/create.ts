/**
 * Makes a bundle (docs/remote.md section 9): what was asked for, merged into a store that has nothing, less the objects that
 * the receiver has by the versions that it is taken to have.
 */
import type { KeyObject } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { damaged } from '../../errors.ts'
import { readFormat } from '../../store/format.ts'
import { pastState } from '../../store/index/past.ts'
import type { StateView, VersionRow } from '../../store/index/state.ts'
import type { Change } from '../../store/log/change.ts'
import { MAX_PACK_BYTES } from '../../store/object/pack.ts'
import type { Opened } from '../../store/open.ts'
import type { ArtifactId, ObjectId, OperationOptions } from '../../types.ts'
import { artifactState } from '../merge/artifact-state.ts'
import { mergeHistories, type Selection } from '../merge/histories.ts'
import { closures, type OutgoingPack, outgoingPacks, StalePlanError } from '../transfer/outgoing.ts'
import { planSend, type SendPlan } from '../transfer/plan-send.ts'
import { meetings } from './applied.ts'
import type { Meeting, StorePosition } from './manifest.ts'
import { KnownVersions } from './prerequisites.ts'
import { emptyState } from './state.ts'
import { type WrittenBundle, writeBundle } from './write-bundle.ts'

/** What the receiver is taken to have. */
export type Since =
  | { readonly kind: 'nothing' }
  /** These versions; also ids that this store does not know. */
  | { readonly kind: 'versions'; readonly ids: ReadonlySet<ObjectId> }
  /** All versions that were live after this operation. */
  | { readonly kind: 'operation'; readonly n: number }

export interface CreateBundleRequest extends OperationOptions {
  /** Absolute, ends with `.tar`. */
  readonly path: string
  /** What is asked for; undefined: everything. */
  readonly select: ((state: StateView) => Selection) | undefined
  readonly since: Since
  /** Bytes that a volume may have. */
  readonly maxSize?: number | undefined
  readonly key?: KeyObject | undefined
  /** Whether patches of runs' sources go along. */
  readonly withPatch: boolean
}

export interface CreatedBundle extends WrittenBundle {
  /** Versions that the bundle brings. */
  readonly versions: readonly ObjectId[]
  readonly prerequisites: readonly ObjectId[]
  readonly objects: number
  readonly packs: number
}

/** A part of a volume that its packs may have: what else is in it is small, unless it is asked to be tiny. */
const PACK_SHARE = 0.75

/**
 * Returns undefined, and writes nothing, when there is nothing that the receiver does not have.
 * @throws ArtifactsError ERR_NOT_FETCHED for versions that are not whole here, ERR_DAMAGED; else as `writeBundle`
 */
export async function createBundle(
  opened: Opened,
  request: CreateBundleRequest,
): Promise<CreatedBundle | undefined> {
  for (;;) {
    try {
      return await attempt(opened, request)
    } catch (error) {
      // gc was faster: what was to be sent is elsewhere now.
      if (!(error instanceof StalePlanError)) throw error
    }
  }
}

async function attempt(
  opened: Opened,
  request: CreateBundleRequest,
): Promise<CreatedBundle | undefined> {
  const { signal, onProgress, maxSize } = request
  opened.index.refresh()
  const said = opened.index.snapshot((state, { applied, hash }) =>
    sayAll(opened, state, { n: applied, hash, store: opened.id }, request),
  )
  if (said === undefined) return undefined
  const receiver = await KnownVersions.of(opened, said.known, { signal, onProgress })
  const largestPack = Math.min(MAX_PACK_BYTES, Math.floor((maxSize ?? Infinity) * PACK_SHARE))
  const plan = await planSend(opened, receiver, said.sent, { signal, onProgress, largestPack })
  const packs: OutgoingPack[] = []
  try {
    const outgoing = outgoingPacks(opened, plan, { signal, keep: true })
    // An index pack of nothing else than that there is nothing.
    for await (const pack of said.sent.length === 0 ? [] : outgoing) packs.push(pack)
    const { from, met, at, whole } = said
    const versions = said.sent.map(({ id }) => id)
    const prerequisites = [...plan.relied]
    const changes = withPlaces(said.changes, versions, plan)
    const { tool } = opened
    const parts = { from, met, prerequisites, versions, whole, changes, packs, at, tool }
    const written = await writeBundle(opened.io, request.path, parts, request)
    return { ...written, versions, prerequisites, objects: plan.objects, packs: packs.length }
  } finally {
    for (const pack of packs) pack.release()
  }
}

interface Said {
  readonly from: StorePosition
  readonly met: readonly Meeting[]
  /** The time of that operation. */
  readonly at: string
  readonly changes: readonly Change[]
  readonly sent: readonly VersionRow[]
  /** Of the versions that the receiver is taken to have, those that are whole here, the newest first. */
  readonly known: readonly VersionRow[]
  readonly whole: readonly ArtifactId[]
}

/** What the log of the bundle says; undefined: nothing. */
function sayAll(
  opened: Opened,
  state: StateView,
  from: StorePosition,
  { select, since, withPatch }: CreateBundleRequest,
): Said | undefined {
  const { has, isUnchanged } = knownThere(opened, state, since)
  const selection = select?.(state) ?? everythingBut(state, isUnchanged)
  using nothing = emptyState(from.store)
  const { changes, added } = mergeHistories({
    direction: 'push',
    ours: nothing.state,
    theirs: state,
    base: () => undefined,
    baseOfRun: () => undefined,
    selection,
    wins: 'theirs',
    areTheyPrimary: true,
    runs: select === undefined ? 'all' : 'of-versions',
    withPatch,
  })
  const sent = added.flatMap(({ id }) => (has(id) ? [] : (state.versionById(id) ?? [])))
  if (changes.length === 0) return undefined
  const whole = [...selection].flatMap(([id, what]) => (what === 'all' ? [id] : []))
  const at = state.operation(from.n)?.at
  if (at === undefined) throw damaged(`Operation ${from.n} is not in the index.`)
  const known = state
    .artifacts()
    .flatMap(({ id }) => state.versions(id))
    .filter(({ id, partial }) => partial !== true && has(id))
    .sort((a, b) => b.operation - a.operation || b.number - a.number)
  const told = new Set(whole)
  const met = meetings(opened, (there) => told.has(state.artifactByJoinedId(there)?.id ?? there))
  return { from, met, at, changes, sent, known, whole }
}

interface There {
  readonly has: (version: ObjectId) => boolean
  /** Whether the receiver is taken to have all of an artifact, to the last label. */
  readonly isUnchanged: (artifact: ArtifactId) => boolean
}

function knownThere(opened: Opened, state: StateView, since: Since): There {
  if (since.kind === 'nothing') return { has: () => false, isUnchanged: () => false }
  if (since.kind === 'versions') {
    return { has: (version) => since.ids.has(version), isUnchanged: () => false }
  }
  const { layout } = opened
  using past = pastState(layout, readFormat(layout.format), since.n)
  const ids = new Set<ObjectId>()
  const unchanged = new Set<ArtifactId>()
  for (const artifact of past.state.artifacts()) {
    for (const version of past.state.versions(artifact.id)) ids.add(version.id)
    const [then, now] = [past.state, state].map((at) => asSaid(at, artifact.id))
    if (isDeepStrictEqual(then, now)) unchanged.add(artifact.id)
  }
  return { has: (version) => ids.has(version), isUnchanged: (id) => unchanged.has(id) }
}

/** What is said of an artifact, whenever it was said. */
function asSaid(state: StateView, artifact: ArtifactId): object | undefined {
  const said = artifactState(state, artifact)
  return said && { ...said, runs: state.runsOfArtifact(artifact) }
}

function everythingBut(
  state: StateView,
  isUnchanged: (artifact: ArtifactId) => boolean,
): Selection {
  const artifacts = state.artifacts().filter(({ id }) => !isUnchanged(id))
  return new Map(artifacts.map(({ id }) => [id, 'all' as const]))
}

/** Says of each version in which packs it lies, or that its objects are not in the bundle. */
function withPlaces(
  changes: readonly Change[],
  sent: readonly ObjectId[],
  plan: SendPlan,
): Change[] {
  const places = sent.length === 0 ? undefined : closures(plan)
  return changes.map((change) => {
    if (change.kind !== 'version.add') return change
    const closure = places?.get(change.version)
    return closure === undefined ? { ...change, partial: true } : { ...change, closure }
  })
}
