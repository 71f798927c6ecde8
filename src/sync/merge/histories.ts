/**
 * Merging what two stores have (docs/remote.md section 7): artifacts that are one, in whole or in part, portfolios, and the
 * runs of what moves. A pure function of states: a pull merges a remote into this store, a push this store into a remote.
 *
 * Single artifacts merge in merge.ts. Here is what is between them: ids and names, links that hold versions, and the order
 * in which all changes fold.
 */
import type { LinkRow, RunRow, StateView } from '../../store/index/state.ts'
import type { Change, VersionAdd } from '../../store/log/change.ts'
import type { ArtifactId, ObjectId, VersionObject } from '../../types.ts'
import { artifactState, linkedVersion } from './artifact-state.ts'
import type { MergeInput, Remark } from './input.ts'
import { linksFrom } from './links.ts'
import { merge } from './merge.ts'
import { type Pair, pairArtifacts } from './pairs.ts'
import { mergeNames } from './renames.ts'
import { mergeRuns, type RunConflict } from './runs.ts'
import { seenOf } from './seen.ts'
import type { ArtifactState } from './state.ts'
import type { Conflict, Side } from './values.ts'

/** What to take, by ids as in `theirs`: everything of an artifact, or some versions of it with their labels and aliases. */
export type Selection = ReadonlyMap<ArtifactId, 'all' | ReadonlySet<ObjectId>>

export interface HistoriesInput {
  readonly direction: 'pull' | 'push'
  readonly ours: StateView
  readonly theirs: StateView
  /** By its id in the remote's log: what both had of an artifact when they last met; undefined: they never did. */
  readonly base: (artifact: ArtifactId) => ArtifactState | undefined
  readonly selection: Selection
  /** Whose value stands where both changed one: the remote's side. */
  readonly wins: Side
  /** They are our primary remote, whose numbers stand. */
  readonly areTheyPrimary: boolean
  /**
   * Which runs come along. `of-versions`: those that logged what is selected; in a pull those that used it too, and always
   * those that both sides know.
   */
  readonly runs: 'of-versions' | 'all'
  /** Whether what differed from a run's commit of git comes along. */
  readonly withPatch: boolean
  /** What a run was when both sides last met. */
  readonly baseOfRun: (run: string) => RunRow | undefined
}

export interface AddedVersion {
  readonly id: ObjectId
  readonly object: VersionObject
}

export interface MergedHistories {
  /** For our side, in an order that folds: whole, or in several operations one after another. */
  readonly changes: readonly Change[]
  readonly remarks: readonly HistoryRemark[]
  /** The versions whose bytes our side needs. */
  readonly added: readonly AddedVersion[]
  /** Artifacts, by their ids in the remote's log, of which not all that was selected could be taken: they are not merged up to today. */
  readonly unmerged: ReadonlySet<ArtifactId>
}

/** An artifact of our side, with its name after the merge. */
export interface NamedArtifact {
  readonly id: ArtifactId
  readonly project: string
  readonly name: string
}

/** What a person should hear of a merge. */
export type HistoryRemark =
  /** Both sides changed it; `dropped` is what one of them wanted. An alias is a version's id. */
  | ({
      readonly kind: 'conflict'
      readonly artifact: NamedArtifact
      /** `name`, `type`, `description`, `ttl`, `metadata.<key>`, `alias <name>`. */
      readonly field: string
      /** Absent: it is the artifact's. */
      readonly version?: ObjectId
    } & Conflict)
  /** As `conflict`, of a run: `name`, `job`, `group`, `notes`, `config.<key>`. */
  | ({ readonly kind: 'run-conflict' } & RunConflict)
  /** One side deleted the version, and the other has begun to need it. `users`: `alias:…`, `run:…`, `portfolio:…`, `version:…`, `draft:…`. */
  | {
      readonly kind: 'kept'
      readonly artifact: NamedArtifact
      readonly version: ObjectId
      readonly users: readonly string[]
    }
  /** The primary calls another version so. */
  | {
      readonly kind: 'renumbered'
      readonly artifact: NamedArtifact
      readonly version: ObjectId
      readonly old: number
      readonly number: number
    }
  /** An artifact is called so on the other side, and another one on this side: nothing was taken, or its name was not. */
  | {
      readonly kind: 'name-taken'
      readonly project: string
      readonly name: string
      /** Absent: the artifact is new to our side, and waits. */
      readonly artifact?: NamedArtifact
    }
  /** A link to a version that can't be here. */
  | {
      readonly kind: 'waiting'
      readonly portfolio: NamedArtifact
      /** The number of the link on their side. */
      readonly number: number
      readonly version: ObjectId
    }
  /** gc has removed the version on our side, and it is live on the other. */
  | { readonly kind: 'purged'; readonly artifact: NamedArtifact; readonly version: ObjectId }
  /** Another artifact of our side has the version. */
  | { readonly kind: 'elsewhere'; readonly artifact: NamedArtifact; readonly version: ObjectId }

/** One artifact in the course of the merge. */
interface Merging {
  readonly pair: Pair
  readonly named: NamedArtifact
  readonly isWhole: boolean
  readonly base: ArtifactState | undefined
  readonly ours: ArtifactState | undefined
  readonly theirs: ArtifactState
  /** Whether one of their versions is selected and can be here. */
  readonly sees: (version: ObjectId) => boolean
}

/**
 * @throws ArtifactsError ERR_TYPE_MISMATCH when two artifacts that never met have one name and different types
 */
export function mergeHistories(input: HistoriesInput): MergedHistories {
  const { ours, theirs, wins } = input
  const remarks: HistoryRemark[] = []
  const unmerged = new Set<ArtifactId>()
  const selection = withLinkedVersions(input)
  const { pairs, unpaired } = pairArtifacts(ours, theirs, selection.keys())
  for (const { id, project, name } of unpaired) {
    remarks.push({ kind: 'name-taken', project, name })
    leaveOut(id)
  }

  const whole = pairs.filter(({ theirs: { id } }) => selection.get(id) === 'all')
  const bases = new Map(pairs.map((pair) => [pair, baseOf(pair)]))
  const names = mergeNames(
    ours,
    whole.map((pair) => ({ pair, base: bases.get(pair)?.name })),
    pairs,
    wins,
  )
  const nameAfter = new Map(
    names.changes.flatMap((change) =>
      change.kind === 'artifact.rename' ? [[change.artifact, change.name]] : [],
    ),
  )
  for (const { pair, ...conflict } of names.conflicts) {
    remarks.push({ kind: 'conflict', artifact: nameOf(pair), field: 'name', ...conflict })
  }
  for (const pair of names.refused) {
    const { project, name } = pair.theirs
    const artifact = pair.ours === undefined ? {} : { artifact: nameOf(pair) }
    remarks.push({ kind: 'name-taken', project, name, ...artifact })
    leaveOut(remoteId(pair))
  }

  const others = otherIds(pairs)
  const merging = pairs
    .filter((pair) => pair.ours !== undefined || !names.refused.has(pair))
    .map(prepare)
  const versions = merging.filter(({ theirs: { portfolio } }) => portfolio !== true)
  const portfolios = merging.filter(({ theirs: { portfolio } }) => portfolio === true)
  const byTheirId = new Map(versions.map((each) => [each.pair.theirs.id, each]))

  const holders = new Map<ObjectId, string[]>()
  const linkChanges = portfolios.flatMap((each) => mergePortfolio(each))
  const versionChanges = versions.flatMap((each) => mergeVersions(each))
  const added = versionChanges.filter(
    (change): change is VersionAdd => change.kind === 'version.add',
  )
  const runs = mergeRuns({
    ours,
    theirs,
    runs: runsToTake(),
    base: input.baseOfRun,
    wins,
    withPatch: input.withPatch,
    isHere: hereAfter(),
  })
  for (const conflict of runs.conflicts) remarks.push({ kind: 'run-conflict', ...conflict })
  const isDelete = ({ kind }: Change): boolean => kind === 'version.delete'
  return {
    changes: [
      ...names.changes,
      ...joins(),
      ...versionChanges.filter((change) => !isDelete(change)),
      ...linkChanges,
      ...versionChanges.filter(isDelete),
      ...runs.changes,
    ],
    remarks,
    added: added.map(({ version: id, object }) => ({ id, object })),
    unmerged,
  }

  function remoteId({ theirs: other, ours: mine }: Pair): ArtifactId | undefined {
    return input.direction === 'pull' ? other.id : mine?.id
  }

  function leaveOut(id: ArtifactId | undefined): void {
    if (id !== undefined) unmerged.add(id)
  }

  /** What is new to our side never met the other one, whatever was merged before. */
  function baseOf(pair: Pair): ArtifactState | undefined {
    const id = remoteId(pair)
    return pair.ours === undefined || id === undefined ? undefined : input.base(id)
  }

  function nameOf(pair: Pair): NamedArtifact {
    const { id, project, name } = pair.ours ?? pair.theirs
    return { id, project, name: nameAfter.get(id) ?? name }
  }

  function prepare(pair: Pair): Merging {
    const selected = selection.get(pair.theirs.id)
    const mine = pair.ours && artifactState(ours, pair.ours.id)
    const other = artifactState(theirs, pair.theirs.id)
    if (other === undefined) throw new Error(`There is no artifact "${pair.theirs.id}".`)
    const named = nameOf(pair)
    const isOut = new Set<ObjectId>()
    for (const [key, version] of other.portfolio === true ? [] : other.versions) {
      const isLive = mine?.versions.get(key)?.isDeleted === false
      if (version.isDeleted || isLive || !isSelected(key)) continue
      const row = ours.versionById(key)
      if (row === undefined) continue
      const isElsewhere = row.artifact !== pair.ours?.id
      if (!isElsewhere && row.purged === undefined) continue
      isOut.add(key)
      remarks.push({ kind: isElsewhere ? 'elsewhere' : 'purged', artifact: named, version: key })
      leaveOut(remoteId(pair))
    }
    return {
      pair,
      named,
      isWhole: selected === 'all',
      base: withOurIds(bases.get(pair), input.direction === 'pull'),
      ours: mine,
      theirs: withOurIds(other, true),
      sees: (key) => isSelected(key) && !isOut.has(key),
    }

    function isSelected(key: ObjectId): boolean {
      return selected === 'all' || selected?.has(linkedVersion(key)) === true
    }
  }

  /** Users of versions are compared by name: portfolios have our ids. */
  function withOurIds<T extends ArtifactState | undefined>(state: T, areTheirs: boolean): T {
    if (state === undefined || !areTheirs || others.size === 0) return state
    const versions = [...state.versions].map(
      ([id, version]) =>
        [id, { ...version, users: version.users.map((user) => others.get(user) ?? user) }] as const,
    )
    return { ...state, versions: new Map(versions) }
  }

  function mergeInput({ base, ours: mine, theirs: other, isWhole }: Merging): MergeInput {
    const { areTheyPrimary } = input
    return { base, ours: mine, theirs: other, wins, areTheyPrimary, isPart: !isWhole }
  }

  function mergePortfolio(each: Merging): readonly Change[] {
    const { ours: mine, theirs: other, isWhole, named } = each
    const waits = new Set<ObjectId>()
    for (const [key, { number, isDeleted }] of other.versions) {
      const isThere = mine?.versions.get(key)?.isDeleted === false
      if (isDeleted || isThere || !each.sees(key) || canBeLive(key)) continue
      waits.add(key)
      remarks.push({ kind: 'waiting', portfolio: named, number, version: key })
      leaveOut(remoteId(each.pair))
    }
    const seen = seenOf(mine, other, (key) => each.sees(key) && !waits.has(key), isWhole)
    if (mine === undefined && !hasLive(seen)) return []
    const merged = merge({ ...mergeInput(each), theirs: seen })
    say(each, merged.remarks)
    const { changes, linked } = linksFrom(merged.changes, mine)
    for (const version of linked) {
      holders.set(version, [...(holders.get(version) ?? []), `portfolio:${named.id}`])
    }
    renumbered(each, changes)
    return changes
  }

  /** Whether a link can be made: the version is live with us, or comes, or comes back. */
  function canBeLive(version: ObjectId): boolean {
    const mine = ours.versionById(version)
    if (mine !== undefined && mine.deleted === undefined) return true
    const artifact = theirs.versionById(version)?.artifact
    return artifact !== undefined && byTheirId.get(artifact)?.sees(version) === true
  }

  function mergeVersions(each: Merging): readonly Change[] {
    const seen = seenOf(each.ours, each.theirs, each.sees, each.isWhole)
    if (each.ours === undefined && !hasLive(seen)) return []
    const merged = merge({ ...mergeInput(each), theirs: seen, holds })
    say(each, merged.remarks)
    renumbered(each, merged.changes)
    return merged.changes
  }

  /** The portfolios that hold a version after the merge, and the drafts that start from it. */
  function holds(version: ObjectId): readonly string[] {
    const merged = new Set(portfolios.map(({ named: { id } }) => id))
    const others = ours.linksOf(version).filter(({ portfolio }) => !merged.has(portfolio))
    const drafts = ours.openDrafts().filter(({ base }) => base === version)
    return [
      ...(holders.get(version) ?? []),
      ...others.map(({ portfolio }) => `portfolio:${portfolio}`),
      ...drafts.map(({ key }) => `draft:${key}`),
    ]
  }

  function say({ named: artifact }: Merging, said: readonly Remark[]): void {
    for (const remark of said) remarks.push({ ...remark, artifact })
  }

  function renumbered({ named: artifact, ours: mine }: Merging, changes: readonly Change[]): void {
    const moved = new Map<ObjectId, { old: number; number: number }>()
    for (const change of changes) {
      if (change.kind !== 'version.renumber') continue
      const { version, number, old } = change
      moved.set(version, { old: moved.get(version)?.old ?? old, number })
    }
    for (const [version, { old, number }] of moved) {
      if (mine?.versions.get(version)?.isDeleted !== false || old === number) continue
      remarks.push({ kind: 'renumbered', artifact, version, old, number })
    }
  }

  function joins(): Change[] {
    if (input.direction === 'push') return []
    return merging.flatMap(({ pair: { ours: mine, theirs: other } }): Change[] =>
      mine === undefined || ours.artifactByJoinedId(other.id) !== undefined
        ? []
        : [{ kind: 'artifact.join', artifact: mine.id, as: other.id }],
    )
  }

  function hereAfter(): (version: ObjectId) => boolean {
    const come = new Set(added.map(({ version }) => version))
    return (version) => come.has(version) || ours.versionById(version) !== undefined
  }

  function runsToTake(): RunRow[] {
    if (input.runs === 'all') return theirs.runs({}, Number.MAX_SAFE_INTEGER).reverse()
    const ids = new Set<string>()
    const others = new Set<string>()
    for (const { theirs: other, sees } of versions) {
      for (const [version] of other.versions) {
        if (!sees(version)) continue
        for (const { run, direction } of theirs.edgesOfVersion(version)) {
          if (direction === 'output' || input.direction === 'pull') ids.add(run)
          else others.add(run)
        }
      }
    }
    for (const run of others) if (!ids.has(run) && knows(ours, run)) ids.add(run)
    return [...ids]
      .flatMap((id) => theirs.run(id) ?? [])
      .sort((one, other) => one.operation - other.operation)
  }
}

/** A run that nobody knows is looked for in all of them, so by its beginning, which is not. */
function knows(state: StateView, run: string): boolean {
  return state.runsByPrefix(run, 1).some(({ id }) => id === run)
}

/** What portfolios that are called otherwise there are called here, as users of versions. */
function otherIds(pairs: readonly Pair[]): ReadonlyMap<string, string> {
  return new Map(
    pairs.flatMap(({ theirs, ours }) =>
      ours === undefined || ours.id === theirs.id || theirs.portfolio !== true
        ? []
        : [[`portfolio:${theirs.id}`, `portfolio:${ours.id}`]],
    ),
  )
}

function hasLive({ versions }: ArtifactState): boolean {
  return [...versions.values()].some(({ isDeleted }) => !isDeleted)
}

/** What portfolios that are selected hold comes along, as far as we do not have it. */
function withLinkedVersions({ ours, theirs, selection }: HistoriesInput): Selection {
  const all = new Map<ArtifactId, 'all' | Set<ObjectId>>()
  for (const [id, which] of selection) all.set(id, which === 'all' ? which : new Set(which))
  const isAsked = ({ portfolio, version }: LinkRow): boolean => {
    const which = selection.get(portfolio)
    return which === 'all' || which?.has(version) === true
  }
  for (const id of selection.keys()) {
    for (const link of theirs.artifactById(id)?.portfolio === true ? theirs.links(id) : []) {
      if (!isAsked(link)) continue
      const mine = ours.versionById(link.version)
      const artifact = theirs.versionById(link.version)?.artifact
      if (artifact === undefined || (mine !== undefined && mine.deleted === undefined)) continue
      const which = all.get(artifact)
      if (which === undefined) all.set(artifact, new Set([link.version]))
      else if (which !== 'all') which.add(link.version)
    }
  }
  return all
}
