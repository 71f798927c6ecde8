/** Whether what is to be read of a version is here, or still with the remote that the version came from. */
import { refOf, type Session } from './session.ts'
import { type Ask, refuseAbsent } from './store/absent.ts'
import type { Resolved } from './store/index/resolve.ts'

/**
 * Looks before anything is read or written, so that one error names all that is to be fetched. Whole versions cost nothing.
 * @throws ArtifactsError ERR_NOT_FETCHED
 */
export function refuseNotFetched(session: Session, resolved: Resolved, ask: Ask = {}): void {
  const { opened } = session
  const { version } = resolved
  // It may have been fetched since the state that is looked at.
  if (!opened.index.state.isPartial(version.id)) return
  refuseAbsent(opened, { ...version.object, ref: refOf(session, resolved) }, ask)
}
