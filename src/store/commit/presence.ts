/** Looks up whether the store has what an entry names. */
import { ArtifactsError } from '../../errors.ts'
import type { Content, ObjectId } from '../../types.ts'
import type { OpenedStore } from '../opened.ts'
import { readRecipe } from '../recipes.ts'

/**
 * True when every object of the content can be found. The presence of a recipe says nothing about its chunks: each is
 * looked up.
 */
export function isPresent(store: OpenedStore, content: Content): boolean {
  if (content.kind === 'inline') return true
  const { objects } = store.index
  if (content.kind === 'chunk') return objects.has(Buffer.from(content.id, 'hex'))
  const ids = recipeIds(store, content.id)
  if (ids === undefined) return false
  for (let at = 0; at < ids.length; at += 32) {
    if (!objects.has(ids.subarray(at, at + 32))) return false
  }
  return true
}

function recipeIds(store: OpenedStore, id: ObjectId): Buffer | undefined {
  try {
    return readRecipe(store, id).ids
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return undefined
    throw error
  }
}
