/**
 * What of the store is needed, as of one operation. A survey of a later operation takes over what was counted before, and
 * so costs only what the operations between have added; unless one of them dropped packs: then all is counted anew.
 */
import { ArtifactsError, damaged } from '../../errors.ts'
import type { ObjectId, OperationOptions } from '../../types.ts'
import type { OpenedStore } from '../opened.ts'
import { Census, IndexReplacedError, LEAVING } from './census.ts'
import { listPackFiles, type PackFiles } from './leftovers.ts'
import { Marker, type Missing } from './mark.ts'
import { type Fate, fatesOf, type Moment } from './retention.ts'

export interface SurveyRequest extends OperationOptions, Moment {
  /** Tell the versions apart: what each alone needs. */
  readonly explain: boolean
}

/** A version in a survey. With `explain`, `owner` is its own; else all that stay share one, and the others have none. */
export interface Surveyed extends Fate {
  readonly owner: number
}

export interface Survey {
  /** The newest operation that was taken into account. */
  readonly head: number
  readonly versions: readonly Surveyed[]
  readonly census: Census
  readonly files: PackFiles
  /** Versions that were counted, and whether as ones that stay. */
  readonly counted: ReadonlyMap<ObjectId, boolean>
}

const EVERYBODY = 1
/** Others may drop packs at any moment, but not for ever. */
const MOST_ROUNDS = 20

/**
 * Counts what the versions that stay need. `before` is an earlier survey of this run; then nothing is told apart any more.
 * @throws ArtifactsError ERR_DAMAGED when something they need is missing, ERR_UNSUPPORTED when a newer program has written
 * to the store, ERR_BUSY when others keep dropping packs meanwhile.
 */
export async function survey(
  store: OpenedStore,
  request: SurveyRequest,
  before?: Survey,
): Promise<Survey> {
  let last = before
  for (let round = 0; round < MOST_ROUNDS; round++) {
    request.signal?.throwIfAborted()
    const made = await attempt(store, request, last)
    if (made !== undefined) return made
    last = undefined
  }
  throw new ArtifactsError('ERR_BUSY', 'Other processes keep dropping packs of this store.', {
    hint: 'Try again when they have finished.',
  })
}

/** Undefined: the packs are not those any more that were counted. */
async function attempt(
  store: OpenedStore,
  request: SurveyRequest,
  before: Survey | undefined,
): Promise<Survey | undefined> {
  const { index, layout } = store
  const head = index.refresh().applied
  try {
    const census = before?.census ?? new Census(index, layout)
    if (!census.update()) return undefined
    const explain = request.explain && before === undefined
    const versions = numbered(fatesOf(index.state, request), explain)
    const files = listPackFiles(layout, index.state, request)
    const counted = new Map(before?.counted)
    const marker = new Marker(store, census, request)
    // Those that stay come first: what goes with the others is what is left.
    await markDrafts(store, marker, explain ? EVERYBODY + versions.length : EVERYBODY)
    // So do whole ones: what they share with partial ones is looked for where nothing may be missing.
    const partialLast = versions.toSorted((a, b) => Number(a.partial ?? 0) - Number(b.partial ?? 0))
    for (const stays of [true, false]) {
      for (const version of partialLast) {
        const known = counted.get(version.version)
        if (version.stays !== stays || version.owner === 0 || known === true || known === stays)
          continue
        await marker.mark(version)
        counted.set(version.version, stays)
      }
    }
    markTables(store, census, explain ? EVERYBODY + versions.length : EVERYBODY)
    const { missing } = marker
    if (missing.count === 0) return { head, versions, census, files, counted }
    if (index.hasMovedOn(head)) return undefined
    throw refusal(missing.count, missing.named)
  } catch (error) {
    if (error instanceof IndexReplacedError) return undefined
    throw error
  }
}

/** What was added to drafts that are not finished is needed as live versions are. */
async function markDrafts({ index }: OpenedStore, marker: Marker, owner: number): Promise<void> {
  for (const { id, name, key } of index.state.openDrafts()) {
    for (const { root, part } of index.state.draftParts(id)) {
      await marker.mark({ root, owner, ref: `part ${part} of the draft "${key}" of "${name}"` })
    }
  }
}

/**
 * Index packs hold the tables of packs, and the lists of packs that closures name: those are needed as long as the packs are,
 * and the versions. No version reaches them.
 */
function markTables({ index }: OpenedStore, census: Census, owner: number): void {
  const packs = [...census.packs]
  if (!packs.some(({ kind }) => kind === 'index')) return
  for (const { id, reached } of packs) if (reached > 0) census.meet(Buffer.from(id, 'hex'), owner)
  for (const list of index.state.closureLists()) census.meet(Buffer.from(list, 'hex'), owner)
}

function numbered(fates: Iterable<Fate>, explain: boolean): Surveyed[] {
  return Array.from(fates, (fate, index) => {
    const own = (fate.stays ? EVERYBODY : LEAVING) + index
    const owner = explain ? own : fate.stays ? EVERYBODY : 0
    return { ...fate, owner }
  })
}

function refusal(count: number, named: readonly Missing[]): ArtifactsError {
  const lines = named.map(({ ref, path, reason }) => {
    const where = path === '' ? `"${ref}"` : `"${ref}:${path}"`
    return `  ${where}: ${reason}`
  })
  if (count > named.length) lines.push(`  and ${count - named.length} more`)
  return damaged(
    `Nothing was removed, because what versions need can't be found:\n${lines.join('\n')}`,
    {
      hint: 'Run `artifacts fsck --repair` to find and mend what is damaged.',
      data: { missing: named },
    },
  )
}
