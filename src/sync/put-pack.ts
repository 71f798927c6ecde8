/** Putting a pack into a remote (docs/remote.md section 5): its name says what is in it, so it does not matter who made it. */
import { ArtifactsError } from '../errors.ts'
import type { ObjectId } from '../types.ts'
import type { Backend, RequestOptions } from './backend.ts'
import type { Source } from './source.ts'

export function packName(id: ObjectId): string {
  return `packs/${id}.pack`
}

/**
 * Returns `there` where the remote has the pack already. A file of another length under its name is what a server kept of
 * an upload that broke off; it is replaced.
 */
export async function putPack(
  backend: Backend,
  id: ObjectId,
  source: Source,
  options: RequestOptions = {},
): Promise<'put' | 'there'> {
  const name = packName(id)
  if ((await backend.putIfAbsent(name, source, options)) === 'created') return 'put'
  const found = await backend.head(name, options)
  if (found?.size === source.size) return 'there'
  await backend.put(name, source, options)
  const now = await backend.head(name, options)
  if (now?.size === source.size) return 'put'
  throw new ArtifactsError(
    'ERR_REMOTE_CHANGED',
    `"${backend.address}${name}" has ${now?.size ?? 'no'} bytes after ${source.size} were sent.`,
    { hint: 'The remote loses what it is given. Ask who looks after it.' },
  )
}
