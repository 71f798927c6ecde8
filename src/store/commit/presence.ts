/** Looks up whether the store has what an entry names. */
import { isLoss } from '../../errors.ts'
import type { Content, ObjectId } from '../../types.ts'
import type { OpenedStore } from '../opened.ts'
import { type ReadRecipe, readRecipe } from '../recipes.ts'
import type { Reliance } from './reliance.ts'

/**
 * True when every object of the content can be found; all of them are relied on then. The presence of a recipe says
 * nothing about its chunks: each is looked up.
 */
export function isPresent(store: OpenedStore, reliance: Reliance, content: Content): boolean {
  if (content.kind === 'inline') return true
  if (!reliance.has(Buffer.from(content.id, 'hex'))) return false
  if (content.kind === 'chunk') return true
  const recipe = readable(store, content.id)
  if (recipe === undefined) return false
  const { parts, ids } = recipe
  if (!parts.every((part) => reliance.has(Buffer.from(part, 'hex')))) return false
  for (let at = 0; at < ids.length; at += 32) {
    if (!reliance.has(ids.subarray(at, at + 32))) return false
  }
  return true
}

function readable(store: OpenedStore, id: ObjectId): ReadRecipe | undefined {
  try {
    return readRecipe(store, id)
  } catch (error) {
    if (isLoss(error)) return undefined
    throw error
  }
}
