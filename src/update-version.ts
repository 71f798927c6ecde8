/** `version.update`: what a program changes about a version, in one operation. */
import { readTtl, write } from './labels.ts'
import { checkMetadata } from './metadata.ts'
import { checkAlias, checkProse, checkTag } from './names.ts'
import type { Session } from './session.ts'
import { type LabelEdit, planUpdate, type UpdateIntent } from './store/log/plan-update.ts'
import type { Target } from './store/log/targets.ts'
import type { ArtifactId, Metadata } from './types.ts'

export interface VersionChanges {
  /** null or empty: none. */
  readonly description?: string | null
  /** Some more and some less, or exactly these; a list leaves `latest` where it is unless it names it. */
  readonly aliases?: LabelEdit
  readonly tags?: LabelEdit
  /** By keys of the top level, or as a whole. */
  readonly metadata?:
    | { readonly set?: Metadata; readonly unset?: readonly string[] }
    | { readonly replace: Metadata }
  /** How long it is kept, from its creation: seconds, a duration as `30d`, `never`, or `inherit` what the store says. */
  readonly ttl?: number | string
}

/**
 * @param portfolio whose aliases are meant; other labels are the version's own
 * @throws ArtifactsError ERR_NOT_FOUND when it is deleted, ERR_INVALID_NAME, ERR_USAGE: nothing is changed then.
 */
export async function updateVersion(
  session: Session,
  target: Target,
  changes: VersionChanges,
  portfolio?: ArtifactId,
): Promise<void> {
  const { description, aliases, tags, metadata, ttl } = changes
  const intent: UpdateIntent = {
    ...target,
    ...(portfolio === undefined ? {} : { portfolio }),
    ...(description === undefined
      ? {}
      : { description: checkProse(description ?? '', 'description') }),
    ...(aliases === undefined ? {} : { aliases: checked(aliases, checkAlias) }),
    ...(tags === undefined ? {} : { tags: checked(tags, checkTag) }),
    ...(metadata === undefined ? {} : { metadata: metadataEdit(metadata) }),
    ...(ttl === undefined ? {} : { ttl: readTtl(ttl) }),
  }
  await write(session, (state) => planUpdate(state, intent))
}

function checked(edit: LabelEdit, check: (text: string) => string): LabelEdit {
  if (Array.isArray(edit)) return edit.map(check)
  const { add = [], remove = [] } = edit as Exclude<LabelEdit, readonly string[]>
  return { add: add.map(check), remove: remove.map(check) }
}

function metadataEdit(
  edit: NonNullable<VersionChanges['metadata']>,
): NonNullable<UpdateIntent['metadata']> {
  if ('replace' in edit) return { replace: checkMetadata(edit.replace) }
  const { set, unset } = edit
  return {
    ...(set === undefined ? {} : { merge: checkMetadata(set) }),
    ...(unset === undefined ? {} : { unset }),
  }
}
