/**
 * Checks that every version, also a deleted one that can be restored, has all it consists of: its tree by the full
 * rules, and every recipe and chunk, looked up one by one. What is lost is named by version and path, and goes to the
 * account of the file that should have it.
 */
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { Connection } from '../index/connection.ts'
import { packPath } from '../layout.ts'
import { NODE, VERSION } from '../object/id.ts'
import type { Counts, Examination } from './examination.ts'
import { type Loss, type ObjectSource, TreeCheck } from './tree-check.ts'

/** A version, or a part of a draft, that must be whole. */
export interface CheckedVersion {
  readonly id: ObjectId
  readonly artifact: ArtifactId
  /** `bike:v3`, with its project unless that is the default one. */
  readonly ref: string
  readonly number: number
  readonly root: ObjectId
  readonly files: number
  readonly bytes: number
  /** 1: it came from a remote without its bytes, or without some. */
  readonly partial: number
  /** The draft that it is a part of, and no version: then `id` is its root. */
  readonly draft?: string
}

export type OnLoss = (loss: Loss, version: CheckedVersion) => void

export function checkVersions(examination: Examination): Counts {
  const { problems, layout, fresh, live } = examination
  const unreadable = fresh.packs().filter(({ state }) => state !== 'present')
  // Where one pack alone can't be read, it must have been that one.
  const suspect = unreadable.length === 1 ? unreadable[0]?.name : undefined
  const attribute = (id: ObjectId): string | undefined => {
    const key = Buffer.from(id, 'hex')
    const packs = [...fresh.badPacksOf(key), ...live.packsOf(key), ...(suspect ? [suspect] : [])]
    return packs.map((pack) => packPath(layout, pack)).find((file) => problems.has(file))
  }
  fresh.onBad = ({ pack }, why) => problems.add('packs', packPath(layout, pack), why)
  const source: ObjectSource = {
    read: (kind, id) => fresh.readObject(kind, id),
    find: (id) => fresh.find(id),
  }
  return walkVersions(examination, source, { catchUp: true }, (loss, { ref }) => {
    problems.affect(attribute(loss.id), ref, loss.path, loss.files, loss.reason)
  })
}

export interface WalkOptions {
  /** Whether what is missing may be looked for in what has come to the log. */
  readonly catchUp: boolean
}

/** Walks all versions and reports what they lack in a source of objects, and was not left to a remote. */
export function walkVersions(
  examination: Examination,
  source: ObjectSource,
  options: WalkOptions,
  onLoss: OnLoss,
): Counts {
  const { onProgress, signal, bytesRead } = examination
  const whole = new TreeCheck(source)
  // What is cut off of partial versions is remembered too: whole ones that share it are gone through by themselves.
  const partial = new TreeCheck(source, (id) => !wasHere(examination, id))
  let files = 0
  let versions = 0
  for (const version of versionsToCheck(examination)) {
    signal?.throwIfAborted()
    const trees = version.partial === 1 ? partial : whole
    const verdict = options.catchUp
      ? judge(examination, trees, source, version)
      : lookOver(trees, source, version, () => {})
    if (verdict === 'purged') continue
    versions++
    files += version.files
    onProgress?.({ phase: 'verify', files, bytes: bytesRead })
    // Once more, rather than remembering what may be millions of losses.
    if (verdict === 0) continue
    lookOver(trees, source, version, (loss) => onLoss(loss, version))
  }
  const [nodes, lookups] = [whole.nodes + partial.nodes, whole.objects + partial.objects]
  return { versions, files, nodes, lookups, notFetched: partial.excused }
}

/** Whether the store has, or had, the object that a partial version lacks: then that is damage. */
function wasHere({ fresh, live }: Examination, key: Buffer): boolean {
  return (
    fresh.find(key) !== undefined ||
    fresh.badPacksOf(key).length > 0 ||
    live.packsOf(key).length > 0
  )
}

/** gc would have to be as quick as this again and again. */
const MOST_ROUNDS = 5

/** How much a version lacks that is lacking still when all that has come to the log is taken up. */
function judge(
  examination: Examination,
  trees: TreeCheck,
  source: ObjectSource,
  version: CheckedVersion,
): number | 'purged' {
  const { fresh, gap, blocked } = examination
  for (let round = 1; ; round++) {
    const losses = lookOver(trees, source, version, () => {})
    const isSure = losses === 0 || gap !== undefined || blocked !== undefined
    if (isSure || round === MOST_ROUNDS || !fresh.catchUp()) return losses
    if (fresh.state.versionById(version.id)?.purged !== undefined) return 'purged'
    const { draft } = version
    if (draft !== undefined && fresh.state.draft(draft)?.state !== 'open') return 'purged'
  }
}

/** Returns the number of losses. */
function lookOver(
  trees: TreeCheck,
  source: ObjectSource,
  version: CheckedVersion,
  onLoss: (loss: Loss) => void,
): number {
  let losses = 0
  const lose = (loss: Loss): void => {
    losses++
    onLoss(loss)
  }
  const totals = trees.check(version.root, (loss) => {
    lose(loss.path === '' ? { ...loss, files: version.files } : loss)
  })
  if (totals !== undefined && totals.isCut !== true) {
    const { files, bytes } = totals
    if (files !== version.files || bytes !== version.bytes) {
      const reason = `it has ${files} files and ${bytes} bytes, but says ${version.files} and ${version.bytes}`
      lose({ path: '', files: 0, kind: NODE, id: version.root, reason })
    }
  }
  // Of a partial version it may have been left to the remote like all else.
  if (version.partial === 0 && source.find(Buffer.from(version.id, 'hex')) === undefined) {
    const reason = 'its version object is in no pack that can be read (the log has it)'
    lose({ path: '', files: 0, kind: VERSION, id: version.id, reason })
  }
  return losses
}

const VERSIONS = `
SELECT version.id, version.artifact, number, root, files, bytes, partial, deleted, project, name
FROM version JOIN artifact ON artifact.id = version.artifact
WHERE purged IS NULL ORDER BY project, name, number`

const PARTS = `
SELECT draft, root, files, bytes, part, name, key
FROM draft_part JOIN draft ON draft.id = draft_part.draft WHERE state = 'open'`

interface PartRow extends Pick<CheckedVersion, 'root' | 'files' | 'bytes'> {
  readonly draft: string
  readonly part: number
  readonly name: string
  readonly key: string
}

interface Row extends Omit<CheckedVersion, 'ref'> {
  readonly deleted: number | null
  readonly project: string
  readonly name: string
}

/** All that the log names; where a part of it is lost, also what only the index remembers. */
function* versionsToCheck(examination: Examination): Generator<CheckedVersion> {
  const { fresh, live, gap } = examination
  yield* rowsOf(fresh.connection, examination)
  if (gap === undefined || live.connection === undefined) return
  for (const version of rowsOf(live.connection, examination)) {
    const known = fresh.connection.value('SELECT 1 FROM version WHERE id = ?', version.id)
    if (known === undefined) yield version
  }
}

function rowsOf(connection: Connection, { project: home }: Examination): CheckedVersion[] {
  const versions = connection.all<Row>(VERSIONS).map(({ deleted, project, name, ...row }) => {
    const ref = `${project === home ? '' : `${project}/`}${name}:v${row.number}`
    return { ...row, ref: deleted === null ? ref : `${ref} (deleted)` }
  })
  const parts = connection.all<PartRow>(PARTS).map(({ part, name, key, ...row }) => {
    const ref = `part ${part} of the draft "${key}" of ${name}`
    return { ...row, id: row.root, artifact: '' as ArtifactId, number: part, partial: 0, ref }
  })
  return [...versions, ...parts]
}
