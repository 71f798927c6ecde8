/** Which packs of a remote nobody needs, and which deleted versions they cost. */
import { ArtifactsError } from '../../errors.ts'
import { type Fate, fatesOf } from '../../store/gc/retention.ts'
import type { Change, DroppedPack } from '../../store/log/change.ts'
import type { ObjectId } from '../../types.ts'
import type { Backend, ListedFile, RequestOptions } from '../backend.ts'
import type { Mirror } from '../mirror/mirror.ts'
import type { RemotePack } from '../mirror/tables.ts'
import { readClosureList } from '../transfer/index-pack.ts'

export interface Age {
  /** Milliseconds since 1970. */
  readonly now: number
  /** How long what was deleted, or never named, stays; in milliseconds. */
  readonly grace: number
}

export interface Leaving {
  /** Of the remote's next operation; none: nothing is to be dropped. */
  readonly changes: readonly Change[]
  readonly purged: readonly ObjectId[]
  readonly dropped: number
  readonly leftover: number
  /** Packs whose files go after that, and those that went in the log before. */
  readonly files: readonly ObjectId[]
}

/** @throws ArtifactsError ERR_CLOCK, ERR_UNSUPPORTED where closures are missing, as in a store that was not pushed to */
export async function planCollection(
  mirror: Mirror,
  backend: Backend,
  files: ReadonlyMap<ObjectId, ListedFile>,
  options: Age & RequestOptions,
): Promise<Leaving> {
  refuseEarly(mirror, options)
  const lists = new ClosureLists(mirror, backend, options)
  const needed = new Set<ObjectId>()
  const leaving: Fate[] = []
  for (const fate of fatesOf(mirror.state, {
    ...options,
    dryRun: false,
    nameOf: ({ name }) => name,
  })) {
    if (fate.stays) for (const pack of await lists.packsOf(fate)) needed.add(pack)
    else leaving.push(fate)
  }
  // Those of versions that leave are not among them yet.
  for (const pack of lists.holders) needed.add(pack)
  const named = mirror.packs()
  const unneeded = unneededOf(named, needed)
  const gone = new Set(unneeded.map(({ id }) => id))
  const purged: Fate[] = []
  for (const fate of unneeded.length === 0 ? [] : leaving) {
    const packs = await lists.packsOf(fate)
    if (packs.length === 0 || packs.some((id) => gone.has(id))) purged.push(fate)
  }
  const strays = straysOf(mirror, named, files, options)
  const drop: DroppedPack[] = [
    ...unneeded.map(({ id }) => ({ id })),
    ...strays.map((id) => ({ id })),
  ]
  const purges = purged.map(
    ({ artifact, version }): Change => ({ kind: 'version.purge', artifact, version }),
  )
  const forgotten = [...files.keys()].filter((id) => mirror.isDropped(id))
  return {
    changes: drop.length === 0 ? [] : [...purges, { kind: 'packs.drop', packs: drop }],
    purged: purged.map(({ version }) => version),
    dropped: unneeded.length,
    leftover: strays.length,
    files: [...drop.map(({ id }) => id).filter((id) => files.has(id)), ...forgotten],
  }
}

/** Clocks of several machines are never quite the same, in milliseconds. */
const CLOCK_TOLERANCE = 5 * 60_000

/** A clock that is far behind was set, and may have been set before: times of this machine mean nothing. */
function refuseEarly(mirror: Mirror, { now }: Age): void {
  const at = mirror.state.operation(mirror.head.n)?.at
  if (at === undefined || Date.parse(at) <= now + CLOCK_TOLERANCE) return
  throw new ArtifactsError(
    'ERR_CLOCK',
    `The newest operation of the remote is of ${at}, and the clock here is at ${new Date(now).toISOString()}.`,
    { hint: 'Set the clock, then run it again.' },
  )
}

/** An index pack stays as long as one of the packs that joined with it. */
function unneededOf(named: readonly RemotePack[], needed: ReadonlySet<ObjectId>): RemotePack[] {
  const serving = new Set<number>()
  for (const { id, kind, operation } of named) {
    if (kind !== 'index' && needed.has(id)) serving.add(operation)
  }
  return named.filter(({ id, kind, operation }) => {
    if (needed.has(id)) return false
    return kind !== 'index' || !serving.has(operation)
  })
}

/** What pushes that were cut have left, and nobody goes on with. */
function straysOf(
  mirror: Mirror,
  named: readonly RemotePack[],
  files: ReadonlyMap<ObjectId, ListedFile>,
  { now, grace }: Age,
): ObjectId[] {
  const known = new Set(named.map(({ id }) => id))
  return [...files].flatMap(([id, { modified }]) =>
    known.has(id) || mirror.isDropped(id) || (grace > 0 && now - modified < grace) ? [] : [id],
  )
}

/** In which packs versions lie today. */
class ClosureLists {
  /** Packs that hold the lists of versions that were asked for. */
  readonly holders: Set<ObjectId> = new Set()
  readonly #mirror: Mirror
  readonly #backend: Backend
  readonly #options: RequestOptions
  readonly #lists = new Map<ObjectId, readonly ObjectId[]>()

  constructor(mirror: Mirror, backend: Backend, { signal }: RequestOptions) {
    this.#mirror = mirror
    this.#backend = backend
    this.#options = { signal }
  }

  async packsOf({ version, ref }: Fate): Promise<ObjectId[]> {
    const closure = this.#mirror.state.closureOf(version)
    if (closure === undefined) {
      throw new ArtifactsError(
        'ERR_UNSUPPORTED',
        `"${ref}" was not pushed to "${this.#backend.address}", but made there: that is a store of its own.`,
        { hint: 'Run `artifacts gc` where that store lies.' },
      )
    }
    const packs =
      'list' in closure ? await this.#read(closure.list, closure.packs[0]) : closure.packs
    return packs.flatMap((id) => this.#mirror.successor(id) ?? [])
  }

  async #read(list: ObjectId, holder: ObjectId): Promise<readonly ObjectId[]> {
    const known = this.#lists.get(list)
    if (known !== undefined) return known
    const pack = this.#mirror.pack(holder)
    if (pack === undefined) {
      throw new ArtifactsError(
        'ERR_DAMAGED',
        `Pack "${holder}" of "${this.#backend.address}" is gone, which says where versions lie.`,
        { hint: 'Run `artifacts fsck --remote` to see what is affected.' },
      )
    }
    this.holders.add(holder)
    const packs = await readClosureList(this.#backend, pack, list, this.#options)
    this.#lists.set(list, packs)
    return packs
  }
}
