/** Reads a file's recipe from the store, with its parts. */
import { damaged } from '../errors.ts'
import type { ObjectId } from '../types.ts'
import { RECIPE } from './object/id.ts'
import { type ChunkedFile, decodePart, decodeRecipe } from './object/recipe.ts'
import { type OpenedStore, readObject } from './opened.ts'

/** A file's chunks, and the recipes of its parts; none when it is in one piece. */
export interface ReadRecipe extends ChunkedFile {
  readonly parts: readonly ObjectId[]
}

/**
 * @param expectedSize bytes that the file has by what names the recipe, where that is known
 * @throws ArtifactsError ERR_DAMAGED when the recipe or a part of it is missing, damaged, or contradicts itself or the
 * expected size.
 */
export function readRecipe(store: OpenedStore, id: ObjectId, expectedSize?: number): ReadRecipe {
  const name = `The recipe "${id}"`
  const recipe = decodeRecipe(readObject(store, RECIPE, id), name)
  if (recipe.of === 'part') throw damaged(`${name} is that of a part of a file.`)
  if (expectedSize !== undefined && recipe.size !== expectedSize)
    throw damaged(`${name} is that of a file of another size.`)
  if (recipe.of === 'chunks') return { ...recipe, parts: [] }
  const parts: ObjectId[] = []
  const ids: Buffer[] = []
  const lengths: number[] = []
  for (let index = 0; index < recipe.lengths.length; index++) {
    const partId = recipe.ids.toString('hex', index * 32, index * 32 + 32) as ObjectId
    const part = decodePart(
      readObject(store, RECIPE, partId),
      recipe,
      index,
      `The recipe "${partId}"`,
    )
    parts.push(partId)
    ids.push(part.ids)
    for (const length of part.lengths) lengths.push(length)
  }
  const { size, sha256 } = recipe
  return { size, sha256, ids: Buffer.concat(ids), lengths, parts }
}
