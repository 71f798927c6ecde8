/** Reads a remote's news for who wants to write behind them. */
import { ArtifactsError } from '../errors.ts'
import type { Backend, RequestOptions } from './backend.ts'
import type { Mirror } from './mirror/mirror.ts'

/** @throws ArtifactsError ERR_UNSUPPORTED where an operation is not understood, ERR_REMOTE_* */
export async function readNewsToWrite(
  mirror: Mirror,
  backend: Backend,
  { signal }: RequestOptions = {},
): Promise<void> {
  await mirror.readNews(backend, { signal })
  const { notUnderstood } = mirror
  if (notUnderstood === undefined) return
  const { n, tool, why } = notUnderstood
  throw new ArtifactsError(
    'ERR_UNSUPPORTED',
    `Operation ${n} of "${backend.address}", written by "${tool}", holds ${why}: nothing can be written behind it.`,
    { hint: `Install the version that wrote it, "${tool}", or a newer one.` },
  )
}
