import { ArtifactsError } from '../../errors.ts'

/** Objects that a prefix in a bucket may have where nothing else is said: a slip must not list a whole data lake. */
export const MAX_OBJECTS = 10_000

export function tooMany(uri: string, most: number): ArtifactsError {
  return new ArtifactsError('ERR_USAGE', `"${uri}" has more than ${most} objects.`, {
    hint: 'Name a smaller part, or allow more: `--max-objects N`.',
    data: { uri, maxObjects: most },
  })
}
