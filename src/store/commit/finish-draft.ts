/**
 * Makes a version of a draft: its parts, in their order, are merged into the entries it starts from. Of two writers who
 * hold other bytes at one path neither wins, unless the later one said that it takes the place of what is there.
 */
import { ArtifactsError } from '../../errors.ts'
import type { Entry, EntryPath } from '../../types.ts'
import type { DraftPartRow, DraftRow } from '../index/state.ts'
import { DraftGrownError } from '../log/plan-draft.ts'
import { nodeReader, type OpenedStore } from '../opened.ts'
import { entries, type ReadNode } from '../tree/cursor.ts'
import { equalEntries } from '../tree/entry.ts'
import { comparePaths, quotePath } from '../tree/paths.ts'
import { type CommitRequest, type CommitResult, commitVersion } from './commit.ts'

export interface FinishRequest
  extends Pick<
    CommitRequest,
    | 'aliases'
    | 'tags'
    | 'description'
    | 'metadata'
    | 'reuse'
    | 'run'
    | 'jobs'
    | 'signal'
    | 'onProgress'
  > {
  readonly draft: string
  readonly type?: string
}

/** @throws ArtifactsError ERR_NOT_FOUND for a draft that has ended, ERR_CONFLICT naming the writers, and as a commit. */
export async function finishDraft(
  store: OpenedStore,
  request: FinishRequest,
): Promise<CommitResult> {
  for (;;) {
    store.index.refresh()
    const { state } = store.index
    const draft = state.draft(request.draft)
    if (draft === undefined) throw new Error(`There is no draft "${request.draft}".`)
    const parts = state.draftParts(draft.id)
    const read = nodeReader(store)
    const { entries: merged, conflicts } = mergeParts(read, parts)
    refuseConflicts(draft, conflicts)
    const base = baseOf(store, read, draft, parts)
    const runs = parts.flatMap(({ run }) => run ?? [])
    const { type = draft.type } = request
    try {
      return await commitVersion(store, {
        ...request,
        project: draft.project,
        name: draft.name,
        ...(type === undefined ? {} : { type }),
        sources: [],
        entries: merged,
        ...(base === undefined ? {} : { base }),
        finishes: {
          draft: draft.id,
          parts: parts.length,
          runs,
          slot: request.run?.slot ?? draft.name,
        },
        include: [],
        exclude: [],
        allowSecrets: true,
        dryRun: false,
      })
    } catch (error) {
      if (!(error instanceof DraftGrownError)) throw error
    }
  }
}

interface Placed {
  readonly entry: Entry
  readonly writer: string
}

/** The entries of all parts in ascending order, and in words, where writers disagree. */
export interface MergedParts {
  readonly entries: readonly Entry[]
  readonly conflicts: readonly string[]
}

export function mergeParts(read: ReadNode, parts: readonly DraftPartRow[]): MergedParts {
  const placed = new Map<EntryPath, Placed>()
  const disputes = new Map<EntryPath, string>()
  for (const { root, writer, overwrite, removed } of parts) {
    for (const path of removed) take(placed, disputes, path)
    for (const entry of entries(read, root)) {
      const { path } = entry
      const before = placed.get(path)
      const isOther = before !== undefined && !equalEntries(before.entry, entry)
      if (overwrite) disputes.delete(path)
      else if (isOther && before.writer !== writer) {
        const both = `by "${before.writer}" and with other bytes by "${writer}"`
        disputes.set(path, `${quotePath(path)} ${both}`)
      }
      placed.set(path, { entry, writer })
    }
  }
  const conflicts = [...disputes.values()]
  const sorted = Array.from(placed.values()).sort((a, b) =>
    comparePaths(a.entry.path, b.entry.path),
  )
  return { entries: [...withoutClashes(sorted, conflicts)], conflicts }
}

function take(
  placed: Map<EntryPath, Placed>,
  disputes: Map<EntryPath, string>,
  path: string,
): void {
  for (const each of placed.keys()) {
    if (each !== path && !each.startsWith(`${path}/`)) continue
    placed.delete(each)
    disputes.delete(each)
  }
}

/** An empty directory gives way to what is put below it; a file does not. */
function* withoutClashes(sorted: readonly Placed[], conflicts: string[]): Generator<Entry> {
  const paths = new Map(sorted.map((each) => [each.entry.path as string, each]))
  const emptied = new Set<string>()
  for (const { entry, writer } of sorted) {
    for (let at = entry.path.indexOf('/'); at >= 0; at = entry.path.indexOf('/', at + 1)) {
      const above = paths.get(entry.path.slice(0, at))
      if (above === undefined) continue
      if (above.entry.kind === 'directory') emptied.add(above.entry.path)
      else {
        conflicts.push(
          `${quotePath(above.entry.path)} by "${above.writer}" and, below it, ${quotePath(entry.path)} by "${writer}"`,
        )
      }
    }
  }
  for (const { entry } of sorted) if (!emptied.has(entry.path)) yield entry
}

function baseOf(
  { index }: OpenedStore,
  read: ReadNode,
  { base }: DraftRow,
  parts: readonly DraftPartRow[],
): CommitRequest['base'] {
  const row = base === undefined ? undefined : index.state.versionById(base)
  if (row === undefined) return undefined
  const { root } = row.object
  const removed = parts.flatMap((part) => part.removed)
  const gone = new Set<EntryPath>()
  for (const path of removed) {
    for (const entry of entries(read, root, { prefix: path })) {
      if (entry.path === path || entry.path.startsWith(`${path}/`)) gone.add(entry.path)
    }
  }
  return { version: row.id, root, removed: [...gone] }
}

/** Throws ERR_CONFLICT naming up to ten paths, each with its writers. */
export function refuseConflicts({ key, name }: DraftRow, conflicts: readonly string[]): void {
  if (conflicts.length === 0) return
  const list = conflicts.slice(0, 10).map((each) => `  ${each}`)
  if (conflicts.length > list.length) list.push(`  and ${conflicts.length - list.length} more`)
  throw new ArtifactsError(
    'ERR_CONFLICT',
    `In the draft "${key}" of "${name}", writers disagree; nothing was committed:\n${list.join('\n')}`,
    {
      hint: 'Add once more what should stand, with `--overwrite`, or take it away: `artifacts draft rm PATH`.',
      data: { conflicts },
    },
  )
}
