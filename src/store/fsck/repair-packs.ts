/**
 * Repairs packs. What is left of each damaged one goes back under its name, or into a new pack; what versions have lost
 * is looked for in bound directories. All new packs join with one operation, which drops those they stand in for, and
 * purges the deleted versions that are not whole even so: they could not be restored.
 *
 * Until that operation is there nothing is removed; after it, only files that are in quarantine too.
 */
import type { ObjectId, OperationOptions } from '../../types.ts'
import { removePacks } from '../gc/leftovers.ts'
import { commitOperation } from '../index/commit-point.ts'
import { readHead } from '../index/refresh.ts'
import type { StateView } from '../index/state.ts'
import type { WrittenPack } from '../ingest/protocol.ts'
import { packPath } from '../layout.ts'
import type { Change, DroppedPack, VersionPurge } from '../log/change.ts'
import type { Plan } from '../log/plan.ts'
import type { OpenedStore } from '../opened.ts'
import type { Examination } from './examination.ts'
import type { NamedPack } from './fresh-index.ts'
import { findLosses, healObjects, type Losses } from './heal-objects.ts'
import type { Repair } from './mend-files.ts'
import type { Quarantine } from './quarantine.ts'
import { PackRestorer, type Replaced } from './restore-packs.ts'

export interface PackRepairs {
  readonly repairs: readonly Repair[]
  /** Packs that were written or changed. */
  readonly packs: readonly ObjectId[]
}

export interface RepairPacksOptions extends OperationOptions {
  readonly jobs?: number | undefined
}

export async function repairPacks(
  examination: Examination,
  store: OpenedStore,
  quarantine: Quarantine,
  options: RepairPacksOptions,
): Promise<PackRepairs> {
  const { fresh, problems, layout } = examination
  const files = new Set(problems.filesOf('packs'))
  const damaged = fresh.packs().filter(({ name }) => files.has(packPath(layout, name)))
  const before = findLosses(examination, undefined)
  if (damaged.length === 0 && before.count === 0) return { repairs: [], packs: [] }

  const isDropped = (id: string): boolean => store.index.state.isDropped(id as ObjectId)
  const isWanted = (id: Buffer): boolean => before.ids.has(id, 0)
  const restorer = new PackRestorer(examination, damaged, quarantine, { isWanted, isDropped })
  const restored: NamedPack[] = []
  const replaced: Replaced[] = []
  for (const pack of damaged) {
    options.signal?.throwIfAborted()
    const result = await restorer.restore(pack)
    if (result === 'restored') restored.push(pack)
    else replaced.push(result)
  }
  takeUp(examination, restored, replaced)

  const lost = findLosses(examination, undefined)
  const healed = lost.count === 0 ? [] : await healObjects(examination, store, lost, options)
  for (const { id } of healed) fresh.adopt(id, nextOperation(examination))
  // An operation has a change: where none is needed, the smallest pack is replaced by a copy of itself.
  if (healed.length > 0 && replaced.length === 0) {
    const [smallest] = soundPacks(examination, healed).sort((a, b) => sizeOf(a) - sizeOf(b))
    if (smallest !== undefined) replaced.push(await restorer.copy(smallest))
    takeUp(examination, [], replaced)
  }
  const left = healed.length === 0 ? lost : findLosses(examination, undefined)
  const joining = [...replaced.flatMap(({ into }) => into ?? []), ...healed]
  if (joining.length > 0) store.io.fsyncDirectory(layout.packs)
  const dropped = await commit(store, replaced, joining, left, options)
  removePacks(store, dropped)
  return {
    repairs: describe(examination, { restored, replaced, healed: lost.count - left.count }),
    packs: [...restored.map(({ name }) => name), ...joining.map(({ id }) => id)],
  }
}

interface Done {
  readonly restored: readonly NamedPack[]
  readonly replaced: readonly Replaced[]
  /** Objects. */
  readonly healed: number
}

function describe({ problems, layout }: Examination, done: Done): Repair[] {
  const { restored, replaced, healed } = done
  const nameOf = (id: ObjectId): string => problems.nameOf(packPath(layout, id))
  const repairs: Repair[] = restored.map(({ name }) => ({
    file: nameOf(name),
    message: 'is as it was again',
  }))
  for (const { pack, into, records } of replaced) {
    const message =
      into === undefined
        ? 'dropped: nothing in it can be read'
        : `dropped: its ${records} objects that can be read are in ${nameOf(into.id)}`
    repairs.push({ file: nameOf(pack.name), message })
  }
  if (healed > 0) {
    const what = `${healed} lost object${healed === 1 ? '' : 's'}`
    repairs.push({ message: `${what} found in bound directories or the log` })
  }
  return repairs
}

/** Lets the fresh index find objects where they are now. */
function takeUp(
  examination: Examination,
  restored: readonly NamedPack[],
  replaced: readonly Replaced[],
): void {
  const { fresh } = examination
  const n = nextOperation(examination)
  for (const { pack, into } of replaced) fresh.replace(pack, into?.id, n)
  fresh.takeAgain(restored.map(({ row }) => row))
}

function nextOperation({ fresh }: Examination): number {
  return readHead(fresh.connection).applied + 1
}

function soundPacks({ fresh }: Examination, own: readonly WrittenPack[]): NamedPack[] {
  return fresh
    .packs()
    .filter(({ name, state }) => state === 'present' && own.every(({ id }) => id !== name))
}

function sizeOf({ bytes }: NamedPack): number {
  return bytes ?? Number.POSITIVE_INFINITY
}

/** Names the new packs and drops the old ones; returns those that were dropped. */
async function commit(
  store: OpenedStore,
  replaced: readonly Replaced[],
  joining: readonly WrittenPack[],
  left: Losses,
  { signal }: OperationOptions,
): Promise<readonly { readonly id: ObjectId; readonly bytes: number }[]> {
  const { outcome } = await commitOperation(store, {
    packs: joining,
    plan: (state): Plan<readonly DroppedPack[]> => {
      const drops = replaced
        .filter(({ pack }) => state.isNamed(pack.name))
        .map(({ pack, into }): DroppedPack => ({ id: pack.name, ...(into && { into: into.id }) }))
      if (drops.length === 0) return { changes: [], outcome: [] }
      const drop: Change = { kind: 'packs.drop', packs: drops }
      return { changes: [drop, ...purges(state, left)], outcome: drops }
    },
    signal,
  })
  return outcome.map(({ id }) => ({ id, bytes: 0 }))
}

/** The deleted versions that can't be restored any more. */
function purges(state: StateView, { versions }: Losses): VersionPurge[] {
  return [...versions.keys()].flatMap((id) => {
    const version = state.versionById(id)
    if (version?.deleted === undefined || version.purged !== undefined) return []
    return [{ kind: 'version.purge' as const, artifact: version.artifact, version: id }]
  })
}
