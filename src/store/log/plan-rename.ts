/** What giving an artifact another name changes: nothing else, for versions and directories name it by its id. */
import { ArtifactsError } from '../../errors.ts'
import type { ArtifactId } from '../../types.ts'
import type { StateView } from '../index/state.ts'
import { isHidden, type Plan } from './plan.ts'

export interface RenameIntent {
  readonly artifact: ArtifactId
  readonly name: string
}

export interface RenameOutcome {
  readonly project: string
  readonly old: string
}

/** Plans `rename`. Throws ERR_EXISTS when another artifact of the project has the name. */
export function planRename(
  state: StateView,
  { artifact, name }: RenameIntent,
): Plan<RenameOutcome> {
  const row = state.artifactById(artifact)
  if (row === undefined) throw new Error(`There is no artifact "${artifact}".`)
  const { project, name: old } = row
  if (name === old) return { changes: [], outcome: { project, old } }
  const other = state.artifactByName(project, name)
  if (other !== undefined) {
    const hidden = isHidden(state, other)
    throw new ArtifactsError(
      'ERR_EXISTS',
      hidden
        ? `There was an artifact "${project}/${name}", whose versions are all deleted.`
        : `There is an artifact "${project}/${name}" already.`,
      {
        hint: hidden
          ? `Choose another name, or free this one: \`artifacts rename ${name} ${name}-old\`.`
          : 'Choose another name.',
      },
    )
  }
  return { changes: [{ kind: 'artifact.rename', artifact, name, old }], outcome: { project, old } }
}
