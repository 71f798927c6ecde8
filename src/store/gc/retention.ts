/**
 * Which versions stay and which go. Live ones stay, and deleted ones until their grace is over; a live one whose time has
 * come is deleted first, like by `rm`, so that it too has its grace.
 */
import type { ObjectId } from '../../types.ts'
import type { ArtifactRow, StateView, VersionRow } from '../index/state.ts'
import { LATEST, type Plan } from '../log/plan.ts'
import { planRemove } from '../log/plan-remove.ts'

export interface Moment {
  /** Milliseconds since 1970. */
  readonly now: number
  /** How long what was deleted stays, in milliseconds. */
  readonly grace: number
  /** What people call an artifact. */
  readonly nameOf: (artifact: ArtifactRow) => string
  /** Nothing is to happen: live versions that would be deleted count as if they were. */
  readonly dryRun: boolean
}

/** What becomes of a version. */
export interface Fate {
  readonly artifact: ArtifactRow['id']
  readonly version: ObjectId
  readonly root: ObjectId
  /** `bike:v3`. */
  readonly ref: string
  readonly files: number
  /** Of its entries. */
  readonly bytes: number
  readonly stays: boolean
  /** Not all of it is here. */
  readonly partial?: true
  /**
   * `live`; `expired`: its time has come, and gc deletes it; `grace`: it is deleted, and stays until `until`; `deleted`:
   * its grace is over.
   */
  readonly reason: 'live' | 'grace' | 'expired' | 'deleted'
  readonly aliases: readonly string[]
  /** When it goes, or when a live one expires. ISO 8601. */
  readonly until?: string
}

/** All versions that are not purged, by artifact and number. */
export function* fatesOf(state: StateView, moment: Moment): Generator<Fate> {
  const times = new Map<number, number>()
  const timeOf = (n: number): number => {
    const known = times.get(n) ?? Date.parse(state.operation(n)?.at ?? '')
    times.set(n, known)
    return known
  }
  for (const artifact of state.artifacts()) {
    const name = moment.nameOf(artifact)
    for (const version of state.everyVersion(artifact.id)) {
      if (version.purged !== undefined) continue
      const { id, number, object } = version
      yield {
        artifact: artifact.id,
        version: id,
        root: object.root,
        ref: `${name}:v${number}`,
        files: object.files,
        bytes: object.bytes,
        ...(version.partial === undefined ? {} : { partial: true }),
        ...(version.deleted === undefined
          ? fateOfLive(state, version, moment)
          : fateOfDeleted(timeOf(version.deleted), moment)),
      }
    }
  }
}

type Verdict = Pick<Fate, 'stays' | 'reason' | 'aliases' | 'until'>

function fateOfLive(
  state: StateView,
  version: VersionRow,
  { now, grace, dryRun }: Moment,
): Verdict {
  const aliases = state.aliasesOf(version.id)
  const expires = expiryOf(version)
  if (expires === undefined) return { stays: true, reason: 'live', aliases }
  if (expires > now || isInUse(state, version)) {
    return { stays: true, reason: 'live', aliases, until: isoTime(expires) }
  }
  // As long as it is live it is needed, whatever its time.
  const stays = !dryRun || grace > 0
  return { stays, reason: 'expired', aliases, until: isoTime(now + grace) }
}

function fateOfDeleted(deletedAt: number, { now, grace }: Moment): Verdict {
  const ends = deletedAt + grace
  const stays = ends > now
  return { stays, reason: stays ? 'grace' : 'deleted', aliases: [], until: isoTime(ends) }
}

/**
 * Plans the deletion of live versions whose time has come. What is in use stays: `latest` is no use, as with `rm`.
 */
export function planExpiry(state: StateView, { now, nameOf }: Moment): Plan<readonly string[]> {
  const targets = state.artifacts().flatMap((artifact) =>
    state
      .versions(artifact.id)
      .filter((version) => {
        const expires = expiryOf(version)
        return expires !== undefined && expires <= now && !isInUse(state, version)
      })
      .map(({ id, number }) => ({
        version: id,
        name: nameOf(artifact),
        ref: `${nameOf(artifact)}:v${number}`,
      })),
  )
  const { changes } = planRemove(state, { versions: targets, aliases: false })
  return { changes, outcome: targets.map(({ ref }) => ref) }
}

/** When a version's time has come; undefined: never. */
function expiryOf({ ttl, object }: VersionRow): number | undefined {
  return typeof ttl === 'number' ? Date.parse(object.createdAt) + ttl * 1000 : undefined
}

/** Whether an alias other than `latest`, a portfolio, a draft or a run's use keeps a version beyond its time. */
function isInUse(state: StateView, { id }: VersionRow): boolean {
  const isAliased = state.aliasesOf(id).some((alias) => alias !== LATEST)
  const isBase = state.openDrafts().some(({ base }) => base === id)
  return isAliased || isBase || state.linksOf(id).length > 0 || state.isUsed(id)
}

/** The end of time where a duration leads beyond it. */
function isoTime(time: number): string {
  return new Date(Math.min(time, 8.64e15)).toISOString()
}
