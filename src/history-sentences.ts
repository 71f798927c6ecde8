/**
 * What a merge of histories did that a person should hear, in sentences. Where the remote's value stands, with the command
 * that sets one's own again. Names and numbers are those of this store, as they are by now.
 */
import { nameOf, refWithin, type Session } from './session.ts'
import type { HistoryRemark } from './sync/merge/histories.ts'
import type { ArtifactId, Json, ObjectId } from './types.ts'
import { refOfId } from './wording.ts'

type RemarkOf<K extends HistoryRemark['kind']> = Extract<HistoryRemark, { readonly kind: K }>
type Artifact = { readonly id: ArtifactId; readonly project: string; readonly name: string }

/** @param remote the other store, as it is called here */
export function historySentences(
  session: Session,
  remarks: readonly HistoryRemark[],
  remote: { readonly name: string },
): string[] {
  const sentences = remarks.flatMap((remark) => sentenceOf(session, remark, remote.name) ?? [])
  return [...new Set([...renumberings(session, remarks), ...sentences])]
}

function sentenceOf(session: Session, remark: HistoryRemark, remote: string): string | undefined {
  switch (remark.kind) {
    case 'conflict':
      return conflictSentence(session, remark, remote)
    case 'run-conflict':
      return runSentence(remark, remote)
    case 'kept':
      return keptSentence(session, remark)
    case 'renumbered':
      return undefined
    case 'name-taken':
      return nameSentence(session, remark, remote)
    case 'waiting':
      return `The link of ${shown(refOfId(session, remark.version))} in the portfolio ${shown(nameOf(session, remark.portfolio))} waits until that version is on both sides.`
    case 'purged':
      return `${shown(refOfId(session, remark.version))} is live on one side, and gc has removed it on the other: there it stays deleted.`
    case 'elsewhere':
      return `A version of ${shown(nameOf(session, remark.artifact))} was left out: it is ${shown(refOfId(session, remark.version))} here.`
  }
}

/** What of many is named. */
const MOST = 10

function renumberings(session: Session, remarks: readonly HistoryRemark[]): string[] {
  const moved = new Map<string, string[]>()
  for (const remark of remarks) {
    if (remark.kind !== 'renumbered') continue
    const name = nameOf(session, remark.artifact)
    const moves = moved.get(name) ?? []
    moved.set(name, moves)
    moves.push(`v${remark.old} -> v${remark.number}`)
  }
  return [...moved].map(([name, moves]) => {
    const more = moves.length > MOST ? ` and ${moves.length - MOST} more` : ''
    return `The primary remote has given numbers of ${shown(name)} to other versions: ${moves.slice(0, MOST).join(', ')}${more}.`
  })
}

function conflictSentence(
  session: Session,
  { artifact, field, version, kept, dropped }: RemarkOf<'conflict'>,
  remote: string,
): string {
  const name = nameOf(session, artifact)
  if (field.startsWith('alias ')) {
    const ref = (id: unknown): string | undefined =>
      typeof id === 'string' ? refIn(session, artifact, id as ObjectId) : undefined
    const alias = field.slice('alias '.length)
    const [stands, lost] = [ref(kept), ref(dropped)]
    return sentence(`alias "${alias}" of ${shown(name)}`, remote, stands ?? 'none', {
      value: lost ?? 'none',
      command:
        lost === undefined ? `alias ${stands ?? name} ${alias} --remove` : `alias ${lost} ${alias}`,
    })
  }
  const ref = version === undefined ? name : refIn(session, artifact, version)
  return sentence(`${words(field)} of ${shown(ref)}`, remote, said(field, kept), {
    value: said(field, dropped),
    command: editCommand(ref, version === undefined, field, dropped),
  })
}

function sentence(
  what: string,
  remote: string,
  kept: string,
  dropped: { readonly value: string; readonly command: string | undefined },
): string {
  const { value, command } = dropped
  const again = command === undefined ? '' : ` To set it again: \`artifacts ${command}\`.`
  return `Both sides changed the ${what}: on "${remote}" it is ${kept}, which stands; here it was ${value}.${again}`
}

/** `metadata.lr` is `metadata "lr"`. */
function words(field: string): string {
  const [kind = '', ...key] = field.split('.')
  if (kind === 'ttl') return 'time to live'
  return key.length === 0 ? kind : `${kind} "${key.join('.')}"`
}

/** Undefined where no command can say it. */
function editCommand(
  ref: string,
  isArtifact: boolean,
  field: string,
  value: unknown,
): string | undefined {
  if (field === 'name') return `rename ${ref} ${quoted(String(value))}`
  const edit = `edit ${ref}${isArtifact ? ' --artifact' : ''}`
  if (field === 'type') return `${edit} -t ${quoted(String(value))}`
  if (field === 'description') return `${edit} -m ${quoted(String(value ?? ''))}`
  if (field === 'ttl') return `${edit} --ttl ${ttlText(value)}`
  const key = field.slice('metadata.'.length)
  if (value === undefined) return `${edit} --unset-meta ${quoted(key)}`
  return key.includes('=')
    ? undefined
    : `${edit} --meta ${quoted(`${key}=${JSON.stringify(value)}`)}`
}

function said(field: string, value: unknown): string {
  return field === 'ttl' && value !== undefined ? ttlText(value) : valueText(value)
}

function ttlText(value: unknown): string {
  if (typeof value !== 'number') return value === 'never' ? value : 'inherit'
  for (const [unit, seconds] of UNITS) if (value % seconds === 0) return `${value / seconds}${unit}`
  return `${value}s`
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const

function runSentence(
  { run, field, kept, dropped }: RemarkOf<'run-conflict'>,
  remote: string,
): string {
  const key = field.startsWith('config.') ? field.slice('config.'.length) : undefined
  const text = String(dropped ?? '')
  const flag = key === undefined ? `--${field} ${quoted(text)}` : configFlag(key, dropped)
  return sentence(`${words(field)} of run "${run}"`, remote, valueText(kept), {
    value: valueText(dropped),
    command: flag === undefined ? undefined : `run edit ${run} ${flag}`,
  })
}

function configFlag(key: string, value: unknown): string | undefined {
  if (value === undefined || key.includes('=')) return undefined
  return `--config ${quoted(`${key}=${JSON.stringify(value)}`)}`
}

function keptSentence(session: Session, { version, users }: RemarkOf<'kept'>): string {
  const named = users.slice(0, MOST).map((user) => {
    const at = user.indexOf(':')
    const [kind, id] = [user.slice(0, at), user.slice(at + 1)]
    if (kind === 'version') return `${shown(refOfId(session, id as ObjectId))}, derived from it`
    if (kind !== 'portfolio') return `${kind} "${id}"`
    const row = session.opened.index.state.artifactByJoinedId(id as ArtifactId)
    return `portfolio ${row === undefined ? 'of the other side' : shown(nameOf(session, row))}`
  })
  const more = users.length > MOST ? ` and ${users.length - MOST} more` : ''
  return `${shown(refOfId(session, version))} was deleted on one side, and stays: the other has begun to need it (${named.join(', ')}${more}).`
}

function nameSentence(
  session: Session,
  { project, name, artifact }: RemarkOf<'name-taken'>,
  remote: string,
): string {
  const wanted = nameOf(session, { project, name })
  const left =
    artifact === undefined
      ? 'the one that is missing on the other side was left out'
      : `${shown(nameOf(session, artifact))} keeps its name for now`
  return `Two artifacts want the name ${shown(wanted)}, one here and one of "${remote}": ${left}. To give yours another: \`artifacts rename ${wanted} NEW\`.`
}

/** In a portfolio what it is called there. */
function refIn(session: Session, { id }: Artifact, version: ObjectId): string {
  const row = session.opened.index.state.artifactByJoinedId(id)
  return row === undefined ? refOfId(session, version) : refWithin(session, row, version)
}

const LONGEST = 60

function valueText(value: unknown): string {
  if (value === undefined || value === null) return 'none'
  const text = JSON.stringify(value as Json)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function shown(name: string): string {
  return `"${name}"`
}

/** A word for a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
