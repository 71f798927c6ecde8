/** Changing what a version or an artifact is called and said to be. Each call writes one operation, or none. */
import { ArtifactsError } from './errors.ts'
import {
  checkAlias,
  checkName,
  checkProse,
  checkTag,
  checkType,
  parseDuration,
  parseRef,
} from './names.ts'
import { artifactOf, nameOf, refOf, type Session, versionOf } from './session.ts'
import { commitOperation } from './store/index/commit-point.ts'
import type { Resolved } from './store/index/resolve.ts'
import type { StateView } from './store/index/state.ts'
import type { Ttl } from './store/log/change.ts'
import type { Plan } from './store/log/plan.ts'
import { planAliases } from './store/log/plan-aliases.ts'
import { type EditIntent, planArtifactEdit, planEdit } from './store/log/plan-edit.ts'
import { planRename } from './store/log/plan-rename.ts'
import type { Metadata, ObjectId } from './types.ts'

/** `add` to what there is, `remove` from it, or `set` it as a whole. */
export type LabelMode = 'add' | 'remove' | 'set'

/** What every report of a change of a version has. */
export interface LabelReport {
  readonly ref: string
  readonly artifact: string
  readonly project: string
  readonly version: string
  readonly id: ObjectId
  /** Number of the operation that was written; absent: everything was so already. */
  readonly operation?: number
}

export interface AliasReport extends LabelReport {
  /** All that the version has now. */
  readonly aliases: readonly string[]
  /** Given to it, and the version each was taken from. */
  readonly added: readonly { readonly alias: string; readonly from?: string }[]
  readonly removed: readonly string[]
  /** Were to be removed, and were not there. */
  readonly absent: readonly string[]
}

export interface TagReport extends LabelReport {
  /** All that the version has now. */
  readonly tags: readonly string[]
}

export interface EditOptions {
  /** An empty one removes it. */
  readonly description?: string
  /** Keys to set, beside those there are; with `replaceMetadata`, instead of them. */
  readonly metadata?: Metadata
  readonly replaceMetadata?: boolean
  readonly unsetMetadata?: readonly string[]
  /** How long the version is kept, from its creation: seconds, a duration as `30d`, `never`, or `inherit` what the store says. */
  readonly ttl?: number | string
}

export interface EditReport extends LabelReport {
  readonly description?: string
  readonly metadata: Metadata
  readonly ttl?: Ttl
  /** What is another one now. */
  readonly changed: readonly ('description' | 'metadata' | 'tags' | 'ttl')[]
}

export interface ArtifactReport {
  readonly artifact: string
  readonly project: string
  readonly type: string
  readonly description?: string
  readonly changed: readonly ('type' | 'description')[]
  readonly operation?: number
}

export interface RenameReport {
  readonly artifact: string
  readonly project: string
  /** The name before. */
  readonly old: string
  readonly operation?: number
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_INVALID_NAME. */
export async function changeAliases(
  session: Session,
  ref: string,
  aliases: readonly string[],
  mode: LabelMode = 'add',
): Promise<AliasReport> {
  const target = targetOf(session, ref)
  const portfolio = target.link?.portfolio.id
  const of = portfolio === undefined ? {} : { portfolio }
  const intent = { ...target.intent, ...of, aliases: aliases.map(checkAlias), mode }
  const { outcome, operation } = await write(session, (state) => planAliases(state, intent))
  const { state } = session
  const added = outcome.added.map(({ alias, from }) => {
    const before =
      from === null
        ? undefined
        : portfolio === undefined
          ? state.versionById(from)
          : state.linkOf(portfolio, from)
    return { alias, ...(before === undefined ? {} : { from: `v${before.number}` }) }
  })
  return {
    ...linkReport(session, target),
    aliases: state.aliasesOf(target.report.id, portfolio),
    ...outcome,
    added,
    ...operation,
  }
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_INVALID_NAME. */
export async function changeTags(
  session: Session,
  ref: string,
  tags: readonly string[],
  mode: LabelMode = 'add',
): Promise<TagReport> {
  const target = targetOf(session, ref)
  const intent = { ...target.intent, tags: { mode, tags: tags.map(checkTag) } }
  const { operation } = await write(session, (state) => planEdit(state, intent))
  return { ...target.report, tags: session.state.tagsOf(target.report.id), ...operation }
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_USAGE for a time to live that is no whole number above 0. */
export async function editVersion(
  session: Session,
  ref: string,
  options: EditOptions,
): Promise<EditReport> {
  const target = targetOf(session, ref)
  const intent: EditIntent = { ...target.intent, ...editOf(options) }
  const { outcome, operation } = await write(session, (state) => planEdit(state, intent))
  const row = session.state.versionById(target.report.id)
  return {
    ...target.report,
    ...(row?.description === undefined ? {} : { description: row.description }),
    metadata: row?.metadata ?? {},
    ...(row?.ttl === undefined ? {} : { ttl: row.ttl }),
    ...outcome,
    ...operation,
  }
}

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_INVALID_NAME. */
export async function editArtifact(
  session: Session,
  name: string,
  options: { readonly description?: string; readonly type?: string },
): Promise<ArtifactReport> {
  const artifact = wholeArtifact(session, name)
  const { description, type } = options
  const intent = {
    artifact: artifact.id,
    ...(description === undefined ? {} : { description: checkProse(description, 'description') }),
    ...(type === undefined ? {} : { type: checkType(type) }),
  }
  const { outcome, operation } = await write(session, (state) => planArtifactEdit(state, intent))
  const now = session.state.artifactById(artifact.id) ?? artifact
  return {
    artifact: now.name,
    project: now.project,
    type: now.type,
    ...(now.description === undefined ? {} : { description: now.description }),
    ...outcome,
    ...operation,
  }
}

/**
 * Gives an artifact another name within its project.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_INVALID_NAME, ERR_USAGE for another project, ERR_EXISTS.
 */
export async function renameArtifact(
  session: Session,
  from: string,
  to: string,
): Promise<RenameReport> {
  const artifact = wholeArtifact(session, from)
  const { project = artifact.project, name = to, selector, back, entity } = parseRef(to)
  if (selector !== undefined || back !== 0 || entity !== undefined) checkName(to)
  if (project !== artifact.project) {
    throw new ArtifactsError(
      'ERR_USAGE',
      `"${nameOf(session, artifact)}" is in the project "${artifact.project}" and stays there.`,
      { hint: `Give the new name alone: \`artifacts rename ${from} ${name}\`.` },
    )
  }
  const intent = { artifact: artifact.id, name }
  const { outcome, operation } = await write(session, (state) => planRename(state, intent))
  return { artifact: name, ...outcome, ...operation }
}

/** The artifact that a name alone means. */
export function wholeArtifact(session: Session, name: string): Resolved['artifact'] {
  const { selector, back } = parseRef(name)
  if (selector === undefined && back === 0) return artifactOf(session, name)
  throw new ArtifactsError('ERR_USAGE', `"${name}" names a version, not an artifact.`, {
    hint: 'Give the name alone, without a version or an alias.',
  })
}

/** Writes what is planned as one operation. */
export async function write<Outcome>(
  { opened }: Session,
  plan: (state: StateView) => Plan<Outcome>,
): Promise<{ readonly outcome: Outcome; readonly operation: { readonly operation?: number } }> {
  const { outcome, operation } = await commitOperation(opened, { packs: [], plan })
  return { outcome, operation: operation === undefined ? {} : { operation } }
}

interface LabelTarget {
  readonly intent: { readonly version: ObjectId; readonly name: string }
  readonly report: LabelReport
  readonly link: Resolved['link']
}

/** A live version, as a plan and as a report name it. */
function targetOf(session: Session, ref: string): LabelTarget {
  const resolved = versionOf(session, ref)
  const { artifact, version, link } = resolved
  return {
    intent: { version: version.id, name: nameOf(session, artifact) },
    report: {
      ref: refOf(session, resolved),
      artifact: artifact.name,
      project: artifact.project,
      version: `v${version.number}`,
      id: version.id,
    },
    link,
  }
}

/** Where the portfolio was named, it is what has the aliases. */
function linkReport(session: Session, { report, link }: LabelTarget): LabelReport {
  if (link === undefined) return report
  const { portfolio, number } = link
  return {
    ref: refOf(session, { artifact: portfolio, version: link }),
    artifact: portfolio.name,
    project: portfolio.project,
    version: `v${number}`,
    id: report.id,
  }
}

function editOf(options: EditOptions): Pick<EditIntent, 'description' | 'metadata' | 'ttl'> {
  const { description, metadata, replaceMetadata, unsetMetadata: unset, ttl } = options
  const isReplaced = replaceMetadata === true
  const merge = isReplaced || metadata === undefined ? {} : { merge: metadata }
  const replace = isReplaced ? { replace: metadata ?? {} } : {}
  const edit = { ...merge, ...replace, ...(unset === undefined ? {} : { unset }) }
  return {
    ...(description === undefined ? {} : { description: checkProse(description, 'description') }),
    ...(Object.keys(edit).length === 0 ? {} : { metadata: edit }),
    ...(ttl === undefined ? {} : { ttl: readTtl(ttl) }),
  }
}

/** Seconds, `never`, or null for what the store says. */
export function readTtl(text: number | string): Ttl | null {
  if (text === 'inherit') return null
  if (text === 'never') return text
  const seconds = typeof text === 'number' ? text : parseDuration(text) / 1000
  if (Number.isSafeInteger(seconds) && seconds > 0) return seconds
  throw new ArtifactsError('ERR_USAGE', `A version cannot be kept for "${text}".`, {
    hint: 'Give a duration as `30d`, "never" or "inherit".',
  })
}
