/** Which directory holds which version, as the library's functions need it. */
import { ArtifactsError, isFailedCall, isSystemError } from './errors.ts'
import type { Session } from './session.ts'
import * as notes from './store/workspace/binding.ts'
import type { ObjectId } from './types.ts'

export type Binding = notes.Binding

/** The binding of `dir`, absolute. Not `exactly`: of the nearest directory around it, else the only one there is. */
export function bindingOf(
  { opened }: Session,
  dir: string,
  { exactly = false }: { readonly exactly?: boolean } = {},
): Binding | undefined {
  const found = exactly
    ? notes.readBinding(opened.layout, dir)
    : notes.findBinding(opened.layout, dir)
  return found && asNow(opened, found)
}

export function listBindings({ opened }: Session): readonly Binding[] {
  return notes.listBindings(opened.layout).bindings.map((binding) => asNow(opened, binding))
}

/** A binding with the name that its artifact has now. */
function asNow({ index }: Session['opened'], binding: Binding): Binding {
  const { name = binding.name, project = binding.project } =
    index.state.artifactById(binding.artifact) ?? {}
  return { ...binding, name, project }
}

/**
 * Notes that `dir` holds a version. `replaced` names the artifact it was bound to, when that is another one. In a store
 * that can't be written nothing is noted.
 * @throws ArtifactsError ERR_PARTIAL when the disk refuses the note: what it is about has been done.
 */
export function bindDirectory(
  { opened }: Session,
  dir: string,
  id: ObjectId,
): { readonly path: string; readonly replaced?: string } | undefined {
  const { state } = opened.index
  const version = state.versionById(id)
  const artifact = version && state.artifactById(version.artifact)
  if (version === undefined || artifact === undefined) return undefined
  const { project, name } = artifact
  const bound = { artifact: artifact.id, project, name, version: id, number: version.number }
  try {
    const before = notes.writeBinding(opened.io, opened.layout, dir, bound)
    const path = notes.readBinding(opened.layout, dir)?.path ?? dir
    return before === undefined || before.artifact === artifact.id
      ? { path }
      : { path, replaced: before.name }
  } catch (error) {
    if (isSystemError(error, 'EROFS', 'EACCES', 'EPERM')) return undefined
    if (!isFailedCall(error)) throw error
    throw new ArtifactsError(
      'ERR_PARTIAL',
      `"${dir}" holds "${name}:v${version.number}" now, but that could not be noted: ${error.message}`,
      { hint: 'Run the same command again: only the note is missing.', cause: error },
    )
  }
}
