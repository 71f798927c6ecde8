/** Looks whether what references lead to is still what was recorded, without keeping any of it. */
import { ArtifactsError } from './errors.ts'
import { withReferences } from './references.ts'
import type { Session } from './session.ts'
import type { OperationOptions, ReferenceEntry } from './types.ts'

export interface CheckedReferences {
  readonly missing: readonly string[]
  readonly changed: readonly string[]
  /** What could not be found out, and why. */
  readonly unchecked: readonly { readonly path: string; readonly reason: string }[]
  /** Whether all that could be asked was asked: nobody was out of reach or refused. */
  readonly complete: boolean
}

const AT_ONCE = 8

export async function checkReferences(
  session: Session,
  entries: readonly ReferenceEntry[],
  options: OperationOptions,
): Promise<CheckedReferences> {
  const { checkReference } = await import('./sync/references/read.ts')
  const missing: string[] = []
  const changed: string[] = []
  const unchecked: { path: string; reason: string }[] = []
  let complete = true
  const note = (path: string, error: ArtifactsError): void => {
    if (error.code === 'ERR_NOT_FOUND') missing.push(path)
    else if (error.code === 'ERR_REMOTE_CHANGED') changed.push(path)
    else {
      unchecked.push({ path, reason: error.message })
      if (error.code !== 'ERR_UNSUPPORTED') complete = false
    }
  }
  let files = 0
  const queue = entries.values()
  await withReferences(session, { signal: options.signal }, async (context) => {
    const one = async (): Promise<void> => {
      for (const { path, reference } of queue) {
        options.signal?.throwIfAborted()
        try {
          const answer = await checkReference(reference, context)
          if (answer === 'unknown') {
            unchecked.push({ path, reason: 'Nothing but its URI was recorded.' })
          }
        } catch (error) {
          if (!(error instanceof ArtifactsError)) throw error
          note(path, error)
        }
        files++
        options.onProgress?.({ phase: 'verify', files, bytes: 0 })
      }
    }
    const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, one))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  })
  unchecked.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { missing: missing.sort(), changed: changed.sort(), unchecked, complete }
}
