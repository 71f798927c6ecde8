/**
 * Which artifacts of two stores are one: those with one id, here or as a store has noted it of others; else those that have
 * a version in common, whatever they are called by now; else those with one project and name. Of one store at most one is
 * paired with one of the other.
 */
import { ArtifactsError } from '../../errors.ts'
import type { ArtifactRow, StateView } from '../../store/index/state.ts'
import { isHidden } from '../../store/log/plan.ts'
import type { ArtifactId } from '../../types.ts'

export interface Pair {
  readonly theirs: ArtifactRow
  /** Undefined: it is new to us. */
  readonly ours: ArtifactRow | undefined
}

export interface Pairs {
  readonly pairs: readonly Pair[]
  /** Their artifacts that can't be taken: what they would be here is another of theirs already. */
  readonly unpaired: readonly ArtifactRow[]
}

/** @throws ArtifactsError ERR_TYPE_MISMATCH when two that never met have one name and different types */
export function pairArtifacts(
  ours: StateView,
  theirs: StateView,
  selected: Iterable<ArtifactId>,
): Pairs {
  const byName = new Map(ours.artifacts().map((row) => [nameOf(row), row]))
  const pairs: Pair[] = []
  const unpaired: ArtifactRow[] = []
  for (const id of selected) {
    const row = theirs.artifactById(id)
    if (row === undefined) continue
    const found = find(ours, theirs, row, (name) => byName.get(name))
    if (found === 'another') unpaired.push(row)
    else {
      if (found !== undefined) refuseOther(ours, theirs, found.row, row, found.haveMet)
      pairs.push({ theirs: row, ours: found?.row })
    }
  }
  return { pairs: pairs.sort(byTheirName), unpaired }
}

/** The artifact of ours that is one with one of theirs, whatever its type is. */
export function counterpart(
  ours: StateView,
  theirs: StateView,
  row: ArtifactRow,
): ArtifactRow | undefined {
  const found = find(ours, theirs, row, () => ours.artifactByName(row.project, row.name))
  return found === 'another' ? undefined : found?.row
}

/** `another`: what it is here is another one of theirs already. */
function find(
  ours: StateView,
  theirs: StateView,
  row: ArtifactRow,
  byName: (name: string) => ArtifactRow | undefined,
): { readonly row: ArtifactRow; readonly haveMet: boolean } | 'another' | undefined {
  const known = sameId(ours, theirs, row.id)
  if (known !== undefined && claimant(ours, theirs, known.id) !== row.id) return 'another'
  const met = known ?? related(ours, theirs, row)
  if (met !== undefined) return { row: met, haveMet: true }
  const named = byName(nameOf(row))
  // One of ours that is called so may be another one of theirs, and about to give up its name.
  if (named === undefined || isAnother(ours, theirs, named, row)) return undefined
  return { row: named, haveMet: false }
}

function nameOf({ project, name }: ArtifactRow): string {
  return `${project}/${name}`
}

function byTheirName({ theirs: one }: Pair, { theirs: other }: Pair): number {
  return nameOf(one) < nameOf(other) ? -1 : 1
}

function sameId(ours: StateView, theirs: StateView, id: ArtifactId): ArtifactRow | undefined {
  for (const each of [id, ...theirs.joinedIds(id)]) {
    const row = ours.artifactByJoinedId(each)
    if (row !== undefined) return row
  }
  return undefined
}

/** The one of their artifacts that is ours by its id; of several the one that was known first. */
function claimant(ours: StateView, theirs: StateView, id: ArtifactId): ArtifactId | undefined {
  for (const each of [id, ...ours.joinedIds(id)]) {
    const row = theirs.artifactByJoinedId(each)
    if (row !== undefined) return row.id
  }
  return undefined
}

/** The one of ours that has a version in common, if both see it so. */
function related(
  ours: StateView,
  theirs: StateView,
  { id, portfolio }: ArtifactRow,
): ArtifactRow | undefined {
  const found = portfolio === true ? undefined : relative(theirs, id, ours)
  if (found === undefined || claimant(ours, theirs, found) !== undefined) return undefined
  return relative(ours, found, theirs) === id ? ours.artifactById(found) : undefined
}

/** Whether an artifact of ours is one of theirs, and not this one. */
function isAnother(
  ours: StateView,
  theirs: StateView,
  { id, portfolio }: ArtifactRow,
  other: ArtifactRow,
): boolean {
  const owner =
    claimant(ours, theirs, id) ?? (portfolio === true ? undefined : relative(ours, id, theirs))
  return owner !== undefined && owner !== other.id
}

/** The artifact of another state that has the first version of this one's that it has at all. */
function relative(
  state: StateView,
  artifact: ArtifactId,
  other: StateView,
): ArtifactId | undefined {
  for (const { id } of state.everyVersion(artifact)) {
    const found = other.versionById(id)?.artifact
    if (found !== undefined) return found
  }
  return undefined
}

function refuseOther(
  ours: StateView,
  theirs: StateView,
  mine: ArtifactRow,
  other: ArtifactRow,
  haveMet: boolean,
): void {
  const isSameKind = mine.portfolio === other.portfolio
  if (isSameKind && (haveMet || mine.type === other.type)) return
  if (isSameKind && (isHidden(ours, mine) || isHidden(theirs, other))) return
  const [name, left, right] = [nameOf(mine), typeOf(mine), typeOf(other)]
  throw new ArtifactsError(
    'ERR_TYPE_MISMATCH',
    `"${name}" is a ${left} on one side and a ${right} on the other.`,
    { hint: `Give one of them another name: \`artifacts rename ${name} NEW\`.` },
  )
}

function typeOf({ type, portfolio }: ArtifactRow): string {
  return portfolio === true ? `portfolio of the type ${type}` : type
}
