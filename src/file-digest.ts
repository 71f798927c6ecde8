/** SHA-256 of stored files, which the store knows without reading them. */
import { createHash } from 'node:crypto'
import type { OpenedStore } from './store/opened.ts'
import { readRecipe } from './store/recipes.ts'
import type { FileEntry } from './types.ts'

/** In hex. @throws ArtifactsError ERR_DAMAGED when its recipe can't be read. */
export function fileDigest(store: OpenedStore, { content, size }: FileEntry): string {
  if (content.kind === 'chunk') return content.id
  if (content.kind === 'inline') return sha256(content.bytes)
  return Buffer.from(readRecipe(store, content.id, size).sha256).toString('hex')
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
