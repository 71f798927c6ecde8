/** Names of artifacts, merged three ways, and brought about one after another, each to a name that is free by then. */
import type { StateView } from '../../store/index/state.ts'
import type { Change } from '../../store/log/change.ts'
import type { ArtifactId } from '../../types.ts'
import type { Pair } from './pairs.ts'
import { type Conflict, mergeValue, type Side } from './values.ts'

export interface Rename {
  readonly pair: Pair
  /** The name when both sides last met. */
  readonly base: string | undefined
}

export interface Renamed {
  readonly changes: readonly Change[]
  readonly conflicts: readonly ({ readonly pair: Pair } & Conflict)[]
  /** Whose name another artifact of ours has: the rename, or the artifact if it is new, has to wait. */
  readonly refused: ReadonlySet<Pair>
}

interface Move {
  readonly pair: Pair
  readonly id: ArtifactId
  readonly project: string
  readonly to: string
}

/** @param merged pairs whose names are merged; others get a name only where they are new */
export function mergeNames(
  ours: StateView,
  merged: readonly Rename[],
  pairs: readonly Pair[],
  wins: Side,
): Renamed {
  const conflicts: ({ pair: Pair } & Conflict)[] = []
  const moves = merged.flatMap(({ pair, base }): Move[] => {
    if (pair.ours === undefined) return []
    const { id, project, name } = pair.ours
    const to = mergeValue<string | undefined>(base, name, pair.theirs.name, wins, (found) =>
      conflicts.push({ pair, ...found }),
    )
    return to === undefined || to === name ? [] : [{ pair, id, project, to }]
  })
  const names = new Map(ours.artifacts().map(({ id, project, name }) => [`${project}/${name}`, id]))
  const { changes, refused } = carryOut(moves, names)
  const unnamed = pairs.filter(({ ours: mine, theirs: { id, project, name } }) => {
    if (mine !== undefined) return false
    const key = `${project}/${name}`
    const isTaken = names.has(key)
    if (!isTaken) names.set(key, id)
    return isTaken
  })
  return { changes, conflicts, refused: new Set([...refused, ...unnamed]) }
}

function carryOut(
  moves: readonly Move[],
  names: Map<string, ArtifactId>,
): { changes: Change[]; refused: Pair[] } {
  const changes: Change[] = []
  const refused: Pair[] = []
  const current = new Map([...names].map(([key, id]) => [id, key]))
  const waiting = new Map(moves.map((move) => [move.id, move]))
  const rename = ({ id: artifact, project }: Move, name: string): void => {
    const key = current.get(artifact) ?? ''
    changes.push({ kind: 'artifact.rename', artifact, name, old: key.slice(project.length + 1) })
    names.delete(key)
    names.set(`${project}/${name}`, artifact)
    current.set(artifact, `${project}/${name}`)
  }
  while (waiting.size > 0) {
    const all = [...waiting.values()]
    const owner = ({ project, to }: Move): ArtifactId | undefined => names.get(`${project}/${to}`)
    const free = all.find((move) => owner(move) === undefined)
    const blocked = all.find((move) => {
      const id = owner(move)
      return id !== undefined && !waiting.has(id)
    })
    const move = free ?? blocked ?? all[0]
    if (move === undefined) break
    if (free !== undefined) rename(move, move.to)
    // They go round in a circle: one steps aside.
    else if (blocked === undefined) rename(move, aside(move, names))
    else refused.push(move.pair)
    if (free !== undefined || blocked !== undefined) waiting.delete(move.id)
  }
  return { changes, refused }
}

function aside({ id, project, to }: Move, names: ReadonlyMap<string, ArtifactId>): string {
  const stem = to.slice(0, 80)
  for (let i = 0; ; i++) {
    const name = `${stem}-${id.slice(0, 8)}${i === 0 ? '' : `-${i}`}`
    if (!names.has(`${project}/${name}`)) return name
  }
}
