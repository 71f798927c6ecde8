/** Giving up what no version needs, as a person asks for it. */
import { parseDuration } from './names.ts'
import { nameOf, type Session } from './session.ts'
import type { ExplainedVersion, Explanation } from './store/gc/explain.ts'
import { collectGarbage, type GcResult } from './store/gc/gc.ts'
import type { OperationOptions } from './types.ts'

export interface GcOptions extends OperationOptions {
  /** Only say what would happen. */
  readonly dryRun?: boolean
  /** How long what was deleted stays, such as `14d` or `0`; default: the setting `gc.grace`. */
  readonly grace?: string
  /** Say of each version why it stays or goes, and which stored bytes it alone needs. */
  readonly explain?: boolean
}

export interface GcReport extends Omit<GcResult, 'log' | 'explanation'> {
  readonly dryRun: boolean
  /** What the packs have become smaller by; below 0 when others have written meanwhile. */
  readonly freedBytes: number
  /** Operations that lost their own file, because a segment holds them. */
  readonly foldedOperations: number
  readonly explanation?: Explanation
}

export type { ExplainedVersion, Explanation }

/**
 * Removes the bytes that no version needs, and purges versions that were deleted before grace.
 * @throws ArtifactsError ERR_USAGE for a grace that is no duration, ERR_CLOCK, ERR_DAMAGED, ERR_UNSUPPORTED, ERR_BUSY.
 */
export async function runGc(session: Session, options: GcOptions = {}): Promise<GcReport> {
  const { opened } = session
  const { dryRun = false, explain = false, signal, onProgress } = options
  const { log, ...result } = await collectGarbage(opened, {
    grace: parseDuration(options.grace ?? opened.settings.get('gc.grace')),
    dryRun,
    explain,
    nameOf: (artifact) => nameOf(session, artifact),
    signal,
    onProgress,
  })
  return {
    ...result,
    dryRun,
    freedBytes: result.bytesBefore - result.bytesAfter,
    foldedOperations: log?.folded ?? 0,
  }
}
