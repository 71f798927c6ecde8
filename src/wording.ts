/**
 * Changes of the log in words, for people. Artifacts have the names they have today, so that a word can be pasted into
 * the next command; where a name was changed, both stand there.
 */
import { nameOf, refOf, refWithin, type Session } from './session.ts'
import type { Change, ChangeKind, ChangeOf, VersionLabels } from './store/log/change.ts'
import type { Slot } from './store/log/effects.ts'
import { addressesOf } from './sync/remote-notes.ts'
import type { ArtifactId, ObjectId } from './types.ts'

/** What an operation did, in the words of the commands that do it: `commit bike:v3 (best)`. */
export function summarize(session: Session, changes: readonly Change[]): string {
  const of = <K extends ChangeKind>(kind: K): ChangeOf<K>[] =>
    changes.filter((change): change is Change & ChangeOf<K> => change.kind === kind)
  const [undo] = of('undo')
  if (undo !== undefined) return `undo ${undo.operation}`

  const versionRef = ({ version }: { readonly version: ObjectId }): string =>
    refOfId(session, version)
  const added = of('version.add')
  const links = [...of('link.add'), ...of('link.remove')]
  const linked = new Set(links.map(({ portfolio }) => portfolio))
  const isByTheWay = ({ alias, artifact }: ChangeOf<'alias.set' | 'alias.remove'>): boolean =>
    linked.has(artifact) ||
    (alias === 'latest' && (added.length > 0 || of('version.delete').length > 0))
  const set = of('alias.set').filter((change) => !isByTheWay(change))
  const removed = of('alias.remove').filter((change) => !isByTheWay(change))
  const isNew = new Set(added.map(({ version }) => version))
  const phrases: string[] = []
  const say = (verb: string, things: readonly string[]): void => {
    if (things.length > 0) phrases.push(`${verb} ${listed(things)}`)
  }
  say(
    'commit',
    added.map((change) => {
      const aliases = set.filter(({ version }) => version === change.version)
      const names = aliases.map(({ alias }) => alias)
      return `${versionRef(change)}${names.length === 0 ? '' : ` (${listed(names)})`}`
    }),
  )
  say('restore', of('version.restore').map(versionRef))
  for (const { artifact, alias, version } of set) {
    if (!isNew.has(version)) say('alias', [`${refIn(session, artifact, version)} ${alias}`])
  }
  for (const { artifact, alias, old } of removed)
    say('alias', [`${refIn(session, artifact, old)} ${alias} --remove`])
  for (const change of of('version.edit')) {
    const fields = Object.keys(change.set)
    const isTags = fields.length === 1 && fields[0] === 'tags'
    say(isTags ? 'tag' : 'edit', [`${versionRef(change)}${isTags ? '' : ` (${listed(fields)})`}`])
  }
  for (const { artifact, set: labels } of of('artifact.edit')) {
    if (added.length > 0) continue
    say('edit', [`${artifactName(session, artifact)} (${listed(Object.keys(labels))})`])
  }
  for (const { old, name } of of('artifact.rename')) say('rename', [`${old} ${name}`])
  for (const { portfolio, version } of of('link.add')) {
    const given = of('alias.set').filter(
      (change) => change.artifact === portfolio && change.version === version,
    )
    const aliases = given.map(({ alias }) => alias).filter((alias) => alias !== 'latest')
    const names = aliases.length === 0 ? '' : ` (${listed(aliases)})`
    say('link', [`${refOfId(session, version)} ${artifactName(session, portfolio)}${names}`])
  }
  for (const { portfolio, number } of of('link.remove'))
    say('unlink', [`${artifactName(session, portfolio)}:v${number}`])
  say('fetch', of('version.fetch').map(versionRef))
  say(
    'renumber',
    of('version.renumber').map((change) => renumbering(session, change)),
  )
  say('rm', of('version.delete').map(versionRef))
  say('purge', of('version.purge').map(versionRef))
  say(
    'start run',
    of('run.start').map(({ run }) => run),
  )
  for (const { run, set: labels } of of('run.update'))
    say('edit', [`run ${run} (${listed(Object.keys(labels))})`])
  say('use', of('run.uses').map(versionRef))
  say(
    'log',
    of('run.logs')
      .filter(({ version }) => !isNew.has(version))
      .map(versionRef),
  )
  for (const { run, state } of of('run.finish'))
    say(state === 'failed' ? 'fail' : 'finish', [`run ${run}`])
  say(
    'draft',
    of('draft.open').map(({ name, key }) => `${name} "${key}"`),
  )
  say(
    'draft add',
    of('draft.part').map(({ draft, writer }) => `${draftName(session, draft)} by ${writer}`),
  )
  say(
    'draft abort',
    of('draft.abort').map(({ draft }) => draftName(session, draft)),
  )
  const [pull] = of('pull')
  const packs = of('packs.drop').flatMap((change) => change.packs)
  if (packs.length > 0)
    phrases.push(`drop ${packs.length} ${packs.length === 1 ? 'pack' : 'packs'}`)
  const said =
    phrases.length > MOST ? `${phrases.slice(0, MOST).join('; ')}; …` : phrases.join('; ')
  return pull === undefined
    ? said
    : `pull from ${storeName(session, pull.store)}${said === '' ? '' : `: ${said}`}`
}

/** How many things are named before the others are only counted. */
const MOST = 5

/** One change with what it replaced: `alias best of bike: v2 -> v3`. */
export function describeChange<K extends ChangeKind>(
  session: Session,
  change: Change & ChangeOf<K>,
): string {
  const describe = WORDS[change.kind as K]
  return describe(change, session)
}

/** What a value is, in a sentence: `the alias "best" of "bike"`. */
export function describeSlot(session: Session, slot: Slot): string {
  switch (slot.kind) {
    case 'alias':
      return `the alias "${slot.alias}" of "${artifactName(session, slot.artifact)}"`
    case 'life':
      return `whether "${refOfId(session, slot.version)}" is deleted`
    case 'artifact':
      return `the ${slot.field} of "${artifactName(session, slot.artifact)}"`
    case 'version':
      return `the ${slot.field} of "${refOfId(session, slot.version)}"`
    case 'name':
      return `who is called "${slot.project}/${slot.name}"`
    case 'link':
      return `whether "${refOfId(session, slot.version)}" is in the portfolio "${artifactName(session, slot.portfolio)}"`
    case 'run':
      return `the ${slot.field} of run "${slot.run}"`
  }
}

/** As `refOfId`, but in a portfolio what it is called there. */
function refIn(session: Session, artifact: ArtifactId, version: ObjectId): string {
  const row = session.opened.index.state.artifactById(artifact)
  return row === undefined ? refOfId(session, version) : refWithin(session, row, version)
}

/** `bike:v3`, with the name of today. */
export function refOfId(session: Session, id: ObjectId): string {
  const { state } = session.opened.index
  const version = state.versionById(id)
  const artifact = version && state.artifactById(version.artifact)
  return version === undefined || artifact === undefined
    ? `@${id.slice(0, 12)}`
    : refOf(session, { artifact, version })
}

type Words = {
  readonly [K in ChangeKind]: (change: ChangeOf<K>, session: Session) => string
}

const WORDS: Words = {
  'artifact.create': ({ project, name, type }) =>
    `artifact ${project}/${name} of type ${type} made`,
  'artifact.edit': ({ artifact, set, old }, session) =>
    `artifact ${artifactName(session, artifact)}: ${moves(set, old)}`,
  'artifact.rename': ({ name, old }) => `artifact ${old} renamed to ${name}`,
  'version.add': ({ version, object, tags, description, metadata }, session) => {
    const labels: VersionLabels = {
      ...(description === undefined ? {} : { description }),
      ...(tags === undefined ? {} : { tags }),
      ...(metadata === undefined ? {} : { metadata }),
    }
    const said = Object.entries(labels).map(([key, value]) => `, ${key} ${JSON.stringify(value)}`)
    const files = `${object.files} ${object.files === 1 ? 'file' : 'files'}`
    return `version ${refOfId(session, version)} added: ${files}, ${object.bytes} bytes${said.join('')}`
  },
  'version.edit': ({ version, set, old }, session) =>
    `version ${refOfId(session, version)}: ${moves(set, old)}`,
  'version.delete': ({ version }, session) => `version ${refOfId(session, version)} deleted`,
  'version.restore': ({ version }, session) => `version ${refOfId(session, version)} restored`,
  'version.purge': ({ version }, session) => `version ${refOfId(session, version)} purged`,
  'alias.set': ({ artifact, alias, version, old }, session) =>
    `alias ${artifactName(session, artifact)}:${alias}: ${old === null ? 'none' : refIn(session, artifact, old)} -> ${refIn(session, artifact, version)}`,
  'alias.remove': ({ artifact, alias, old }, session) =>
    `alias ${artifactName(session, artifact)}:${alias}: ${refIn(session, artifact, old)} -> none`,
  'link.add': ({ portfolio, number, version }, session) =>
    `${refOfId(session, version)} linked as ${artifactName(session, portfolio)}:v${number}`,
  'link.remove': ({ portfolio, number, version }, session) =>
    `link ${artifactName(session, portfolio)}:v${number} to ${refOfId(session, version)} removed`,
  'run.start': ({ run, project, name }) =>
    `run ${run} started in project ${project}${name === undefined ? '' : `: ${name}`}`,
  'run.update': ({ run, set, old }) => `run ${run}: ${moves(set, old)}`,
  'run.finish': ({ run, state, exitCode }) =>
    `run ${run} ${state}${exitCode === undefined ? '' : ` with exit code ${exitCode}`}`,
  'run.uses': ({ run, ...edge }, session) => `run ${run} uses ${edgeIn(session, edge)}`,
  'run.logs': ({ run, deduplicated, ...edge }, session) =>
    `run ${run} logs ${edgeIn(session, edge)}${deduplicated === true ? ', which was there' : ''}`,
  'draft.open': ({ project, name, key }) => `draft "${key}" of ${project}/${name} begun`,
  'draft.part': ({ draft, writer, files, bytes, removed }, session) =>
    `draft ${draftName(session, draft)}: ${files} files, ${bytes} bytes by ${writer}${removed === undefined ? '' : `, without ${listed(removed)}`}`,
  'draft.finish': ({ draft, version }, session) =>
    `draft ${draftName(session, draft)} became ${refOfId(session, version)}`,
  'draft.abort': ({ draft }, session) => `draft ${draftName(session, draft)} given up`,
  'version.renumber': (change, session) =>
    `version ${renumbering(session, change)}: @${change.version.slice(0, 12)}`,
  'version.fetch': ({ version, whole }, session) =>
    `${whole === true ? 'all' : 'some'} bytes of version ${refOfId(session, version)} fetched`,
  'artifact.join': ({ artifact, as }, session) =>
    `artifact ${artifactName(session, artifact)} is ${as} elsewhere`,
  pull: ({ store, n }, session) => {
    const name = storeName(session, store)
    return `operations up to ${n} of ${name}${name.includes(store) ? '' : ` (store ${store})`} taken over`
  },
  'packs.drop': ({ packs }) =>
    packs
      .map(
        ({ id, into }) => `pack ${id} dropped${into === undefined ? '' : `, merged into ${into}`}`,
      )
      .join('\n'),
  undo: ({ operation }) => `operation ${operation} undone`,
}

/** `bike:v3 -> v5`. */
function renumbering(
  session: Session,
  { artifact, number, old }: ChangeOf<'version.renumber'>,
): string {
  return `${artifactName(session, artifact)}:v${old} -> v${number}`
}

/** What people call another store: the remote that it is, else an address where it was seen. */
export function storeName({ opened }: Session, id: string): string {
  const addresses = addressesOf(opened, id)
  const { settings } = opened
  const isIt = (name: string): boolean => addresses.includes(settings.get(`remote.${name}.url`))
  return settings.remotes().find(isIt) ?? addresses[0] ?? `store ${id}`
}

function edgeIn(
  session: Session,
  { slot, version, name }: Pick<ChangeOf<'run.uses'>, 'slot' | 'version' | 'name'>,
): string {
  const isHere = session.opened.index.state.versionById(version) !== undefined
  return `${isHere ? refOfId(session, version) : (name ?? refOfId(session, version))} as ${slot}`
}

/** `bike "sweep-7"`. */
function draftName(session: Session, id: string): string {
  const draft = session.opened.index.state.draft(id)
  return draft === undefined ? id.slice(0, 12) : `${draft.name} "${draft.key}"`
}

function moves(set: object, old: object): string {
  return Object.entries(set)
    .map(([key, value]) => {
      const before: unknown = (old as Readonly<Record<string, unknown>>)[key]
      return `${key} ${JSON.stringify(before)} -> ${JSON.stringify(value)}`
    })
    .join(', ')
}

function artifactName(session: Session, id: ArtifactId): string {
  const artifact = session.opened.index.state.artifactById(id)
  return artifact === undefined ? id.slice(0, 12) : nameOf(session, artifact)
}

function listed(things: readonly string[]): string {
  const more = things.length - MOST
  return `${things.slice(0, MOST).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
