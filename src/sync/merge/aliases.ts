/** Aliases, merged three ways; `latest` is the highest live version after either side has grown. */
import type { ObjectId } from '../../types.ts'
import { LATEST, type MergeChange, type Merged, type MergeInput, type Remark } from './input.ts'
import { mergeValue } from './values.ts'

export function mergeAliases(
  input: MergeInput,
  live: ReadonlySet<ObjectId>,
  numbers: ReadonlyMap<ObjectId, number>,
): Merged {
  const { base, ours, theirs, wins } = input
  const artifact = (ours ?? theirs).id
  const changes: MergeChange[] = []
  const remarks: Remark[] = []
  const isGrown = hasGrown(input)
  const names = new Set([...(ours?.aliases.keys() ?? []), ...theirs.aliases.keys()])
  if (isGrown) names.add(LATEST)
  for (const alias of [...names].sort()) {
    const [before, mine, other] = [base, ours, theirs].map((side) => side?.aliases.get(alias))
    let version: ObjectId | undefined
    if (alias === LATEST && isGrown) version = highest(live, numbers)
    else {
      version = mergeValue(before, mine, other, wins, (found) =>
        remarks.push({ kind: 'conflict', field: `alias ${alias}`, ...found }),
      )
    }
    // Of two that moved it away from what they deleted, each may have moved it to what the other deleted.
    if (version !== undefined && !live.has(version)) {
      version = alias === LATEST ? highest(live, numbers) : undefined
    }
    if (version === mine) continue
    if (version !== undefined) {
      changes.push({ kind: 'alias.set', artifact, alias, version, old: mine ?? null })
    } else if (mine !== undefined) {
      changes.push({ kind: 'alias.remove', artifact, alias, old: mine })
    }
  }
  return { changes, remarks }
}

/** Either side has versions that were not there when both met; of a part of theirs, which we have not. */
function hasGrown({ base, ours, theirs, isPart }: MergeInput): boolean {
  const before = isPart === true ? ours : base
  return [ours, theirs].some((side) =>
    [...(side?.versions ?? [])].some(
      ([id, { isDeleted }]) => !isDeleted && before?.versions.has(id) !== true,
    ),
  )
}

function highest(
  live: ReadonlySet<ObjectId>,
  numbers: ReadonlyMap<ObjectId, number>,
): ObjectId | undefined {
  let found: ObjectId | undefined
  let most = -1
  for (const id of live) {
    const number = numbers.get(id) ?? -1
    if (number <= most) continue
    found = id
    most = number
  }
  return found
}
