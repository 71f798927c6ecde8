/** Whether what is to be read of a version is here, or still with the remote that the version came from. */
import { refOf, type Session } from './session.ts'
import { type Ask, absenceOf, notFetched, type PartialVersion } from './store/absent.ts'
import type { Resolved } from './store/index/resolve.ts'
import type { OperationOptions } from './types.ts'

/**
 * Looks before anything is read or written, so that one error names all that is to be fetched. Whole versions cost nothing.
 * @throws ArtifactsError ERR_NOT_FETCHED
 */
export function refuseNotFetched(session: Session, resolved: Resolved, ask: Ask = {}): void {
  const version = partialOf(session, resolved)
  if (version === undefined) return
  const absence = absenceOf(session.opened, version, ask)
  if (absence.objects > 0) throw notFetched(version, absence, ask.paths)
}

/**
 * As `refuseNotFetched`; where the setting `fetch` is `auto`, fetches from the primary remote instead, and no more than is asked for.
 * @throws ArtifactsError ERR_NOT_FETCHED, and as `Store.fetch`
 */
export async function fetchAbsent(
  session: Session,
  resolved: Resolved,
  ask: Ask = {},
  { signal, onProgress }: OperationOptions = {},
): Promise<void> {
  const version = partialOf(session, resolved)
  if (version === undefined) return
  let absence = absenceOf(session.opened, version, ask)
  const isAuto = session.opened.settings.get('fetch') === 'auto'
  for (let isListed = true; isAuto && isListed && absence.objects > 0; ) {
    const { fetchFrom } = await import('./transfers.ts')
    // Without its tree nobody knows what is wanted of it: that comes first.
    isListed = !absence.isListed
    const paths = absence.isListed ? absence.paths : []
    const only = paths === undefined ? {} : { paths }
    await fetchFrom(session, { ref: `@${resolved.version.id}`, ...only, signal, onProgress })
    absence = absenceOf(session.opened, version, ask)
  }
  if (absence.objects > 0) throw notFetched(version, absence, ask.paths)
}

/** Undefined for a whole version. It may have been fetched since the state that is looked at. */
function partialOf(session: Session, resolved: Resolved): PartialVersion | undefined {
  const { id, object } = resolved.version
  if (!session.opened.index.state.isPartial(id)) return undefined
  return { ...object, ref: refOf(session, resolved) }
}
