/** The versions whose entries a version refers to. */
import { contentOf, type Session } from './session.ts'
import { nodeReader } from './store/opened.ts'
import { entries } from './store/tree/cursor.ts'
import type { ObjectId } from './types.ts'

/** Their ids, and those of the versions that they refer to in turn, each once and without the version itself. */
export function referredVersions(session: Session, version: ObjectId): readonly ObjectId[] {
  const found = new Set([version])
  const read = nodeReader(session.opened)
  // Grows while it is gone through.
  for (const id of found) {
    for (const entry of entries(read, contentOf(session, `@${id}`).version.object.root)) {
      if (entry.kind !== 'reference') continue
      const [, other] = /^artifacts:\/\/([0-9a-f]{64})\//.exec(entry.reference.uri) ?? []
      if (other !== undefined) found.add(other as ObjectId)
    }
  }
  found.delete(version)
  return [...found]
}
