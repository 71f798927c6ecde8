/**
 * Takes over what is in a bundle (docs/remote.md section 9): a pull from volumes at hand. Versions of which all is there come
 * at once; packs of those that lack a volume wait in quarantine until it comes. Nothing counts before it was verified.
 */
import type { KeyObject } from 'node:crypto'
import { ArtifactsError } from '../../errors.ts'
import { type Attempt, untilItHolds } from '../../store/commit/kept-packs.ts'
import type { StateView } from '../../store/index/state.ts'
import type { Change } from '../../store/log/change.ts'
import type { Closure } from '../../store/log/sync-change.ts'
import type { Opened } from '../../store/open.ts'
import type { ArtifactId, ObjectId, OperationOptions } from '../../types.ts'
import { joinReceived } from '../join-received.ts'
import {
  type HistoriesInput,
  type HistoryRemark,
  mergeHistories,
  type Selection,
} from '../merge/histories.ts'
import { readClosureList } from '../transfer/index-pack.ts'
import type { WantedVersion } from '../transfer/missing-there.ts'
import { receive } from '../transfer/receive.ts'
import { type Applied, AppliedBases, noteApplied, readApplied } from './applied.ts'
import { ObjectsAtHand, PacksAtHand } from './at-hand.ts'
import { type BundleState, stateOf } from './contents.ts'
import { goneSince } from './gone.ts'
import type { Manifest } from './manifest.ts'
import { type Bundle, openBundle } from './open-bundle.ts'
import { forgetWaiting, keepWaiting, waitingPacks } from './waiting.ts'

export interface ApplyRequest extends OperationOptions {
  readonly paths: readonly [string, ...string[]]
  /** Whoever may have signed it; then an unsigned one is refused. */
  readonly signers?: readonly KeyObject[] | undefined
  readonly dryRun: boolean
}

export interface AppliedBundle {
  readonly manifest: Manifest
  /** What came, or with a dry run would come. */
  readonly versions: readonly WantedVersion[]
  /** Versions of which objects are in volumes that did not come yet. */
  readonly waiting: readonly ObjectId[]
  /** Numbers of the volumes that did not come yet. */
  readonly missing: readonly number[]
  readonly remarks: readonly HistoryRemark[]
  /** The operation that was created; absent: there was nothing to change, or it is a dry run. */
  readonly operation?: number
  readonly packs: number
  readonly objects: number
  readonly bytes: number
  readonly signed: boolean
  /** What the versions in the bundle are called there. */
  readonly names: ReadonlyMap<ObjectId, string>
}

/**
 * @throws ArtifactsError ERR_DAMAGED, ERR_UNSUPPORTED, ERR_REMOTE_CHANGED for a bundle that is not signed as it must be, or
 * is older than one that was applied; ERR_NOT_FOUND naming the versions that it needs and that are not here; ERR_TYPE_MISMATCH
 */
export async function applyBundle(opened: Opened, request: ApplyRequest): Promise<AppliedBundle> {
  const { paths, signers, signal, onProgress, dryRun } = request
  using bundle = openBundle(paths, { signers })
  using contents = stateOf(bundle.volumes[0])
  const { manifest, signed } = bundle
  opened.index.refresh()
  checkOrigin(opened, manifest)
  const applied = readApplied(opened, manifest.from.store)
  const lacking = manifest.versions.filter((id) => !isHere(opened.index.state, id))
  if (isOlder(manifest, contents, applied, lacking)) return nothing(bundle, contents)
  if (lacking.length > 0) checkPrerequisites(opened.index.state, bundle, contents)

  await using atHand = new PacksAtHand(bundle, waitingPacks(opened, manifest))
  const missing = manifest.volumes.flatMap((ids, index) =>
    ids.every((id) => atHand.has(id)) ? [] : [index + 1],
  )
  const waiting = missing.length === 0 ? [] : await lackingPacks(lacking, contents, atHand, signal)
  const coming = new Set(lacking)
  for (const id of waiting) coming.delete(id)
  const usable = (id: ObjectId): boolean => coming.has(id) || isHere(opened.index.state, id)
  using bases = new AppliedBases(opened, opened.id, manifest, applied)
  const gone = goneSince(contents.state, manifest.whole, (artifact) => bases.base(artifact))
  if (gone.length > 0) contents.add(gone)
  const { selection, whole } = select(contents.state, manifest, usable)
  const input: Input = {
    direction: 'pull',
    theirs: contents.state,
    base: (artifact) => bases.base(artifact),
    baseOfRun: (run) => bases.baseOfRun(run),
    selection,
    wins: 'theirs',
    areTheyPrimary: false,
    runs: missing.length === 0 ? 'all' : 'of-versions',
    withPatch: true,
  }
  const names = namesOf(manifest.versions, contents.state)
  const told = { manifest, waiting, missing, signed, names }
  if (dryRun) {
    const { wanted, remarks } = merged(opened.index.state, input, coming)
    return { ...told, versions: wanted, remarks, packs: 0, objects: 0, bytes: 0 }
  }
  if (missing.length > 0) {
    await keepWaiting(opened, bundle, contents.packs, { signal, onProgress })
  }
  const sender = await ObjectsAtHand.in(atHand, contents.packs.values(), { signal })
  const from = { backend: atHand, mirror: sender }
  const result = await untilItHolds(opened, signal, (on) =>
    attempt(opened, from, { manifest, input, coming }, request, on),
  )
  if (missing.length === 0) {
    const artifacts = contents.state.artifacts().map(({ id }) => id)
    const taken = new Set([...whole].filter((id) => !result.unmerged.has(id)))
    noteApplied(opened, bundle.volumes[0], artifacts, taken)
    forgetWaiting(opened, manifest)
  }
  return { ...told, ...result }
}

type Input = Omit<HistoriesInput, 'ours'>

/** Whether a version needs nothing of the bundle. */
function isHere(state: StateView, id: ObjectId): boolean {
  const row = state.versionById(id)
  return row !== undefined && row.partial !== true
}

function checkOrigin(opened: Opened, { from }: Manifest): void {
  if (from.store !== opened.id) return
  throw new ArtifactsError('ERR_CONFLICT', 'The bundle was made from this very store.', {
    hint: 'To have its versions in another store, run `artifacts bundle apply` there.',
  })
}

/**
 * Whether a later bundle of that store was applied already, and nothing of this one is lacking.
 * @throws ArtifactsError ERR_REMOTE_CHANGED where something is: labels would go back
 */
function isOlder(
  { from }: Manifest,
  { state }: BundleState,
  applied: Applied,
  lacking: readonly ObjectId[],
): boolean {
  let isOlder = false
  for (const { id, project, name } of state.artifacts()) {
    const before = applied.get(id)
    if (before === undefined) continue
    if (before.n === from.n && before.hash !== from.hash) {
      throw new ArtifactsError(
        'ERR_REMOTE_CHANGED',
        `The store "${from.store}" that the bundle was made from is not the one whose bundle was applied before: its operation ${from.n} is another one.`,
        { hint: 'It was replaced by an old copy, or copied. Ask who looks after it.' },
      )
    }
    if (before.n <= from.n) continue
    isOlder = true
    if (lacking.length === 0) continue
    throw new ArtifactsError(
      'ERR_REMOTE_CHANGED',
      `A later bundle of the same store was applied for "${project}/${name}": this one is of operation ${from.n}, that one of ${before.n}.`,
      { hint: 'Ask for a new one, made with `artifacts bundle create`.' },
    )
  }
  return isOlder
}

/** Names what is missing before anything is written. */
function checkPrerequisites(ours: StateView, { manifest }: Bundle, { state }: BundleState): void {
  const isThere = (id: ObjectId): boolean => {
    const row = ours.versionById(id)
    return row !== undefined && row.purged === undefined && row.partial !== true
  }
  const missing = manifest.prerequisites.filter((id) => !isThere(id))
  if (missing.length === 0) return
  const known = namesOf(missing, state)
  const names = missing.slice(0, 10).map((id) => `"${known.get(id) ?? `@${id.slice(0, 12)}`}"`)
  const more = missing.length > names.length ? ` and ${missing.length - names.length} more` : ''
  throw new ArtifactsError(
    'ERR_NOT_FOUND',
    `The bundle needs versions that are not whole in this store: ${names.join(', ')}${more}.`,
    {
      hint: 'Apply the bundle that brings them first, or ask for one made without `--since`.',
      data: { missing },
    },
  )
}

function namesOf(ids: readonly ObjectId[], state: StateView): Map<ObjectId, string> {
  const names = new Map<ObjectId, string>()
  for (const id of ids) {
    const version = state.versionById(id)
    const artifact = version && state.artifactById(version.artifact)
    if (version === undefined || artifact === undefined) continue
    names.set(id, `${artifact.project}/${artifact.name}:v${version.number}`)
  }
  return names
}

function nothing(bundle: Bundle, { state }: BundleState): AppliedBundle {
  const { manifest, signed } = bundle
  const none = { versions: [], waiting: [], missing: [], remarks: [] }
  const names = namesOf(manifest.versions, state)
  return { ...none, manifest, signed, packs: 0, objects: 0, bytes: 0, names }
}

/** The versions of which not all packs are at hand. */
async function lackingPacks(
  versions: readonly ObjectId[],
  { closures, packs }: BundleState,
  atHand: PacksAtHand,
  signal: AbortSignal | undefined,
): Promise<ObjectId[]> {
  const lists = new Map<ObjectId, readonly ObjectId[]>()
  const packsOf = async (closure: Closure): Promise<readonly ObjectId[]> => {
    if (!('list' in closure)) return closure.packs
    const known = lists.get(closure.list)
    const [holder] = closure.packs
    const pack = packs.get(holder)
    if (known !== undefined || pack === undefined || !atHand.has(holder)) return known ?? [holder]
    const list = await readClosureList(atHand, pack, closure.list, { signal })
    lists.set(closure.list, list)
    return list
  }
  const lacking: ObjectId[] = []
  for (const id of versions) {
    const closure = closures.get(id)
    const needed = closure === undefined ? [] : await packsOf(closure)
    if (closure === undefined || !needed.every((pack) => atHand.has(pack))) lacking.push(id)
  }
  return lacking
}

/** What is taken of each artifact: everything, where the bundle tells everything and all of it can be here. */
function select(
  theirs: StateView,
  manifest: Manifest,
  usable: (version: ObjectId) => boolean,
): { readonly selection: Selection; readonly whole: ReadonlySet<ArtifactId> } {
  const selection = new Map<ArtifactId, 'all' | ReadonlySet<ObjectId>>()
  const told = new Set(manifest.whole)
  const whole = new Set<ArtifactId>()
  for (const { id, portfolio } of theirs.artifacts()) {
    const versions =
      portfolio === true
        ? theirs.links(id).map(({ version }) => version)
        : theirs.versions(id).map((row) => row.id)
    const some = versions.filter(usable)
    if (told.has(id) && some.length === versions.length) {
      selection.set(id, 'all')
      whole.add(id)
    } else if (some.length > 0) selection.set(id, new Set(some))
  }
  return { selection, whole }
}

interface Merged {
  readonly changes: readonly Change[]
  /** Versions that are new here, and those that were here without their bytes. */
  readonly wanted: readonly WantedVersion[]
  readonly remarks: readonly HistoryRemark[]
  readonly unmerged: ReadonlySet<ArtifactId>
}

function merged(ours: StateView, input: Input, coming: ReadonlySet<ObjectId>): Merged {
  const { changes, added, remarks, unmerged } = mergeHistories({ ...input, ours })
  const partial = [...coming].flatMap((id) => {
    const row = ours.versionById(id)
    return row?.partial === true && row.deleted === undefined ? [row] : []
  })
  const fetched = partial.map(({ artifact, id: version }): Change => {
    return { kind: 'version.fetch', artifact, version, whole: true }
  })
  const wanted = [...added, ...partial].map(({ id, object }) => ({ id, object }))
  return { changes: [...fetched, ...changes], wanted, remarks, unmerged }
}

interface Came
  extends Pick<
    AppliedBundle,
    'versions' | 'remarks' | 'operation' | 'packs' | 'objects' | 'bytes'
  > {
  readonly unmerged: ReadonlySet<ArtifactId>
}

interface ToApply {
  readonly manifest: Manifest
  readonly input: Input
  /** Versions that can be whole here. */
  readonly coming: ReadonlySet<ObjectId>
}

/** Undefined: what it relied on is gone. */
async function attempt(
  opened: Opened,
  from: { readonly backend: PacksAtHand; readonly mirror: ObjectsAtHand },
  { manifest, input, coming }: ToApply,
  { signal, onProgress }: ApplyRequest,
  on: Attempt,
): Promise<Came | undefined> {
  const { wanted, unmerged } = merged(opened.index.state, input, coming)
  const asked = { ...on, content: 'all', signal, onProgress } as const
  using received = await receive(opened, from, wanted, asked)
  const joined = await joinReceived(opened, {
    received,
    added: wanted,
    from: manifest.from,
    mean: (ours) => {
      const { wanted: added, changes, remarks } = merged(ours, input, coming)
      return { added, changes, remarks }
    },
    signal,
  })
  if (joined === undefined) return undefined
  const { packs, objects, bytes } = received
  return { versions: wanted, packs: packs.length, objects, bytes, unmerged, ...joined }
}
