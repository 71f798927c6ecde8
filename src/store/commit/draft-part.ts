/**
 * Adds a part to a draft: the same reading and storing as for a version, but what the operation names is the tree alone.
 * gc keeps it as long as the draft is open.
 */
import { commitOperation } from '../index/commit-point.ts'
import type { ScanReport } from '../ingest/scan.ts'
import { type DraftTarget, type PartOutcome, planPart } from '../log/plan-draft.ts'
import type { OpenedStore } from '../opened.ts'
import type { CommitRequest } from './commit.ts'
import { type Attempt, untilItHolds } from './kept-packs.ts'
import { VersionWriter } from './version-writer.ts'

export interface PartRequest
  extends Pick<
    CommitRequest,
    | 'sources'
    | 'entries'
    | 'include'
    | 'exclude'
    | 'allowSecrets'
    | 'jobs'
    | 'signal'
    | 'onProgress'
  > {
  readonly target: DraftTarget
  readonly writer: string
  readonly run?: string
  readonly overwrite: boolean
  readonly removed: readonly string[]
}

export interface PartResult extends PartOutcome {
  readonly files: number
  readonly bytes: number
  readonly storedBytes: number
  readonly scan: ScanReport
}

/** @throws ArtifactsError as a commit; ERR_TYPE_MISMATCH, ERR_NOT_FOUND for a draft that must be open and is not. */
export async function addPart(store: OpenedStore, request: PartRequest): Promise<PartResult> {
  return untilItHolds(store, request.signal, (on) => attempt(store, request, on))
}

/** Undefined: what it relied on is gone, and `kept` holds what it wrote. */
async function attempt(
  store: OpenedStore,
  request: PartRequest,
  { reliance, kept }: Attempt,
): Promise<PartResult | undefined> {
  const writer = new VersionWriter(store, commitOf(request), undefined, reliance)
  try {
    const { root, files, bytes, scan } = await writer.build()
    request.signal?.throwIfAborted()
    const written = await writer.finish()
    const packs = [...kept.usedBy(reliance), ...written]
    const own = packs.map(({ id }) => id)
    if (packs.length > 0) store.io.fsyncDirectory(store.layout.packs)
    const { target, writer: by, run, overwrite, removed } = request
    const { outcome } = await commitOperation(store, {
      packs,
      plan: (state) => {
        if (!reliance.holds(state, own)) return { changes: [], outcome: undefined }
        return planPart(state, {
          target,
          root,
          files,
          bytes,
          writer: by,
          ...(run === undefined ? {} : { run }),
          ...(overwrite ? { overwrite } : {}),
          ...(removed.length === 0 ? {} : { removed }),
        })
      },
      signal: request.signal,
    })
    writer.rememberFiles()
    if (outcome !== undefined) {
      const storedBytes = packs.reduce((sum, pack) => sum + pack.bytes, 0)
      return { ...outcome, files, bytes, storedBytes, scan }
    }
    kept.keep([...kept.packs, ...written])
    return undefined
  } finally {
    await writer.close()
  }
}

/** What the writer needs to know; labels play no part. */
function commitOf(request: PartRequest): CommitRequest {
  const { target, writer: _, run: __, overwrite: ___, removed: ____, ...rest } = request
  const { project, name } = target
  return { ...rest, project, name, aliases: [], tags: [], reuse: 'never', dryRun: false }
}
