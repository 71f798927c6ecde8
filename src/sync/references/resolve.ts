/** From a URI to the entries that refer to what is there. */
import { ArtifactsError } from '../../errors.ts'
import { checkPath, comparePaths } from '../../store/tree/paths.ts'
import type { DirectoryEntry, ReferenceEntry, SymlinkEntry } from '../../types.ts'
import { isOffline } from '../net/failures.ts'
import { bareReference } from './digests.ts'
import type { Found, ResolveOptions } from './kind.ts'
import { kindOf } from './kinds.ts'
import { refuseSecrets } from './uri.ts'

/** An entry that needs no reading. */
export type FoundEntry = ReferenceEntry | SymlinkEntry | DirectoryEntry

export interface Placement extends ResolveOptions {
  /** The path of one thing, with `/` at the end its folder; of many, the folder. */
  readonly as: string | undefined
  /** Puts what a folder holds under its name, where `as` says nothing. */
  readonly named: boolean
  /** True: nobody is asked over a network. */
  readonly offline: boolean
  readonly allowSecrets: boolean
}

/**
 * The entries for what is at `uri`, in ascending order of their paths. Where there is no network the one entry is left
 * unresolved.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_REMOTE_UNREACHABLE, ERR_REMOTE_DENIED, ERR_USAGE, ERR_INVALID_PATH, ERR_SECRETS.
 */
export async function resolveUri(uri: string, options: Placement): Promise<readonly FoundEntry[]> {
  const kind = kindOf(uri)
  if (!options.allowSecrets) refuseSecrets(uri)
  const found = kind.isRemote ? await askOrDefer(uri, options) : await kind.resolve(uri, options)
  return place(uri, found, options)
}

async function askOrDefer(uri: string, options: Placement): Promise<Found> {
  const kind = kindOf(uri)
  const later = {
    kind: 'one',
    name: kind.nameOf(uri),
    reference: bareReference(uri, false),
  } as const
  if (options.offline && options.checksum) return later
  try {
    return await kind.resolve(uri, options)
  } catch (error) {
    if (isOffline(error)) return later
    throw error
  }
}

function place(uri: string, found: Found, { as, named }: Placement): readonly FoundEntry[] {
  if (found.kind === 'one') {
    const path = checkPath(pathOf(uri, found.name, as))
    return [{ kind: 'reference', path, reference: found.reference }]
  }
  const folder = (as ?? (named ? found.name : '')).replace(/\/+$/, '')
  const prefix = folder === '' ? '' : `${checkPath(folder)}/`
  return found.items
    .map(({ key, ...rest }) => ({ path: checkPath(`${prefix}${key}`), ...rest }))
    .sort((a, b) => comparePaths(a.path, b.path))
}

function pathOf(uri: string, name: string, as: string | undefined): string {
  if (as !== undefined && !as.endsWith('/')) return as
  if (name === '') {
    throw new ArtifactsError('ERR_USAGE', `"${uri}" has no name of its own.`, {
      hint: `Give its path in the version: \`artifacts commit ${uri} --as PATH -n NAME\`.`,
    })
  }
  return as === undefined ? name : `${as.replace(/\/+$/, '')}/${name}`
}
