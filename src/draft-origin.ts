/** Where the contents of a draft are from: a version or an entry of another store would lead nowhere in this one. */
import type { DraftContents } from './draft-contents.ts'
import { ArtifactsError } from './errors.ts'
import type { Session } from './session.ts'
import { quotePath } from './store/tree/paths.ts'
import type { ObjectId } from './types.ts'

/** @throws ArtifactsError ERR_USAGE. */
export function refuseOtherStores({ opened }: Session, contents: DraftContents): void {
  refuseOtherBase(opened.id, contents)
  const { name, origins } = contents
  if (origins.size === 0) return
  for (const entry of contents.entries()) {
    if (entry.kind !== 'reference') continue
    const { uri } = entry.reference
    const origin = origins.get(uri)
    if (origin === undefined || origin === opened.id) continue
    const id = uri.slice('artifacts://'.length).split('/')[0] as ObjectId
    if (opened.index.state.versionById(id) !== undefined) continue
    throw new ArtifactsError(
      'ERR_USAGE',
      `${quotePath(entry.path)} of the artifact "${name}" refers to a version of another store, "${uri}".`,
      { hint: 'Download that version, and add the file: `addFile(path)`.' },
    )
  }
}

/** @throws ArtifactsError ERR_USAGE for a draft that starts from a version of another store. */
export function refuseOtherBase(store: string, { name, tree }: DraftContents): void {
  const other = tree.base?.store
  if (other === undefined || other === store) return
  throw new ArtifactsError(
    'ERR_USAGE',
    `The artifact "${name}" is a version of the store "${other}", not of this one.`,
    { hint: 'Download it, and commit the files here: `artifacts commit DIR -n NAME`.' },
  )
}
