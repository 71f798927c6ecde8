/** The references of a commit: of the URIs that were given, or of a version whose references nobody could look at. */
import type { CommitOptions } from './commit.ts'
import { ArtifactsError } from './errors.ts'
import { refuseNotFetched } from './not-fetched.ts'
import { resolveReference } from './references.ts'
import { contentOf, type Session } from './session.ts'
import { nodeReader } from './store/opened.ts'
import { entries } from './store/tree/cursor.ts'
import type { FoundEntry } from './sync/references/resolve.ts'

/** Entries in no particular order. @throws ArtifactsError as `resolveReference`. */
export async function newReferences(
  session: Session,
  inputs: readonly { readonly uri?: string }[],
  options: CommitOptions,
): Promise<readonly FoundEntry[]> {
  const found: FoundEntry[] = []
  const add = async (uri: string, as: string | undefined): Promise<void> => {
    const { as: _, ...rest } = options
    const named = inputs.length > 1
    const placed = as === undefined ? { ...rest, named } : { ...rest, named, as }
    for (const entry of await resolveReference(session, uri, placed)) found.push(entry)
  }
  // One by one: the error of one that can't be had should not wait for the others.
  for (const { uri } of inputs) if (uri !== undefined) await add(uri, options.as)
  if (options.resolve === undefined) return found
  for (const entry of entriesOf(session, options.resolve)) {
    if (entry.kind === 'reference' && !entry.reference.resolved) {
      await add(entry.reference.uri, entry.path)
    }
  }
  return found
}

/** @throws ArtifactsError ERR_USAGE where something else is to be committed as well. */
export function refuseResolveWith(paths: readonly string[], options: CommitOptions): void {
  const { resolve, base, incremental, as } = options
  if (resolve === undefined) return
  const other = [
    ...(paths.length > 0 ? ['a path'] : []),
    ...(base === undefined ? [] : ['"--base"']),
    ...(incremental === true ? ['"--incremental"'] : []),
    ...(as === undefined ? [] : ['"--as"']),
  ]
  if (other.length === 0) return
  throw new ArtifactsError(
    'ERR_USAGE',
    `"--resolve" stores a version again and takes no ${other[0]}.`,
    {
      hint: `Resolve it first: \`artifacts commit --resolve ${resolve}\`.`,
    },
  )
}

function entriesOf(session: Session, ref: string): ReturnType<typeof entries> {
  const resolved = contentOf(session, ref)
  refuseNotFetched(session, resolved)
  return entries(nodeReader(session.opened), resolved.version.object.root)
}
