/** Any other scheme: a pointer that is kept and compared by its text. Nobody here can open it. */
import { ArtifactsError } from '../../errors.ts'
import { bareReference } from './digests.ts'
import type { ReferenceKind } from './kind.ts'
import { lastPart, schemeOf } from './uri.ts'

export const other: ReferenceKind = {
  isRemote: false,
  nameOf,
  async resolve(uri) {
    return { kind: 'one', name: nameOf(uri), reference: bareReference(uri, true) }
  },
  open({ uri }) {
    return Promise.reject(
      new ArtifactsError(
        'ERR_UNSUPPORTED',
        `"${uri}" can't be opened: nothing here knows "${schemeOf(uri)}:".`,
        {
          hint: 'Fetch it with the program that does, or leave it out: `--allow-missing-references`.',
          data: { uri },
        },
      ),
    )
  },
}

function nameOf(uri: string): string {
  const path = uri.replace(/^[^:]*:(\/\/)?/, '').replace(/[?#].*$/, '')
  return lastPart(path, true)
}
