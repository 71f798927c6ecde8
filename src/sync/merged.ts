/**
 * Up to which operation of a remote each of its artifacts was merged (docs/remote.md section 8): `remotes/<store id>/merged.json`.
 * Written after the operation that merged them is durable; who finds it behind merges again, which changes nothing.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { isSystemError } from '../errors.ts'
import { temporaryName } from '../store/layout.ts'
import { canonicalJson } from '../store/log/canonical.ts'
import type { Opened } from '../store/open.ts'
import type { ArtifactId } from '../types.ts'
import { folderOf } from './mirror/folder.ts'

/** Operations of the remote's log; 0: none. */
export interface MergedUpTo {
  /** Everything up to here was merged. */
  readonly all: number
  /** Those that were merged further. */
  readonly artifacts: ReadonlyMap<ArtifactId, number>
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const schema = v.record(v.string(), count)
const ALL = 'all'

export function readMerged(opened: Opened, store: string): MergedUpTo {
  const parsed = v.safeParse(schema, readJson(pathOf(opened, store)))
  const { [ALL]: all = 0, ...artifacts } = parsed.success ? parsed.output : {}
  return { all, artifacts: new Map(Object.entries(artifacts)) as Map<ArtifactId, number> }
}

/** Up to where one artifact was merged. */
export function mergedUpTo({ all, artifacts }: MergedUpTo, artifact: ArtifactId): number {
  return Math.max(all, artifacts.get(artifact) ?? 0)
}

/** Notes that artifacts, or everything, were merged up to operation `n`. Never goes back: another process may be ahead. */
export function noteMerged(
  opened: Opened,
  store: string,
  merged: Iterable<ArtifactId> | 'all',
  n: number,
): void {
  const before = readMerged(opened, store)
  const all = merged === 'all' ? Math.max(before.all, n) : before.all
  const artifacts = new Map(before.artifacts)
  if (merged !== 'all') {
    for (const artifact of merged)
      artifacts.set(artifact, Math.max(mergedUpTo(before, artifact), n))
  }
  const further = [...artifacts].filter(([, at]) => at > all)
  if (all === before.all && further.length === before.artifacts.size && merged === 'all') return
  const { io, layout } = opened
  io.mkdir(folderOf(opened, store), { recursive: true })
  io.writeFileAtomic(
    pathOf(opened, store),
    Buffer.from(`${canonicalJson({ [ALL]: all, ...Object.fromEntries(further) })}\n`),
    { tmp: join(layout.tmp, temporaryName()), durable: true },
  )
}

function pathOf(opened: Opened, store: string): string {
  return join(folderOf(opened, store), 'merged.json')
}

/** What can't be read was never noted. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}
