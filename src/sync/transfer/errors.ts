/** What is wrong with what comes from elsewhere. */
import { type ArtifactsError, damaged } from '../../errors.ts'

/** Bytes of a remote or a bundle that are not what their names say. */
export function remoteDamaged(message: string, cause?: unknown): ArtifactsError {
  return damaged(message, {
    hint: 'What lies there is damaged or was changed; nothing of it was taken over. Try another remote, or push it there again.',
    ...(cause === undefined ? {} : { cause }),
  })
}
