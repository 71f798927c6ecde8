/** Several edits of one version in one operation: its aliases beside description, metadata, tags and time to live. */
import type { ArtifactId } from '../../types.ts'
import type { StateView } from '../index/state.ts'
import type { VersionLabels } from './change.ts'
import type { Plan } from './plan.ts'
import { type AliasIntent, planAliases } from './plan-aliases.ts'
import { type EditIntent, planEdit } from './plan-edit.ts'
import type { Target } from './targets.ts'

/** Labels of which a version has any number: some more, some less, or exactly these. */
export type LabelEdit =
  | { readonly add?: readonly string[]; readonly remove?: readonly string[] }
  | readonly string[]

export interface UpdateIntent extends Target, Omit<EditIntent, 'tags'> {
  readonly aliases?: LabelEdit
  /** The portfolio whose aliases are meant. */
  readonly portfolio?: ArtifactId
  readonly tags?: LabelEdit
}

export interface UpdateOutcome {
  readonly changed: readonly (keyof VersionLabels | 'aliases')[]
}

/** Throws ERR_NOT_FOUND when the version is deleted. A whole list of aliases leaves `latest` where it is. */
export function planUpdate(state: StateView, intent: UpdateIntent): Plan<UpdateOutcome> {
  const { aliases, portfolio: _, tags, ...edit } = intent
  const tagged = tags === undefined ? {} : { tags: wholeList(state.tagsOf(intent.version), tags) }
  const labels = planEdit(state, { ...edit, ...tagged })
  const moves = aliasIntents(intent, aliases).flatMap((each) => planAliases(state, each).changes)
  return {
    changes: [...labels.changes, ...moves],
    outcome: {
      changed: [...labels.outcome.changed, ...(moves.length > 0 ? ['aliases' as const] : [])],
    },
  }
}

function aliasIntents(
  { version, name, portfolio }: UpdateIntent,
  edit: LabelEdit | undefined,
): AliasIntent[] {
  if (edit === undefined) return []
  const target = { version, name, ...(portfolio === undefined ? {} : { portfolio }) }
  if (isList(edit)) return [{ ...target, aliases: edit, mode: 'set' }]
  const { add = [], remove = [] } = edit
  return [
    { ...target, aliases: remove.filter((alias) => !add.includes(alias)), mode: 'remove' },
    { ...target, aliases: add, mode: 'add' },
  ]
}

function wholeList(now: readonly string[], edit: LabelEdit): NonNullable<EditIntent['tags']> {
  if (isList(edit)) return { mode: 'set', tags: edit }
  const { add = [], remove = [] } = edit
  return { mode: 'set', tags: [...now.filter((tag) => !remove.includes(tag)), ...add] }
}

function isList(edit: LabelEdit): edit is readonly string[] {
  return Array.isArray(edit)
}
