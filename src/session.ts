/** What the library's functions share: an open store, what names mean in it, and how names without a project are meant. */
import { parseRef } from './names.ts'
import type { Queue } from './queue.ts'
import type { Run } from './run.ts'
import {
  type RefDefaults,
  type Resolved,
  resolveAnyVersion,
  resolveArtifact,
  resolveVersion,
} from './store/index/resolve.ts'
import type { ArtifactRow, StateView } from './store/index/state.ts'
import { removedByGc } from './store/log/targets.ts'
import type { Opened } from './store/open.ts'
import type { ObjectId } from './types.ts'

export interface Session {
  readonly opened: Opened
  readonly defaults: RefDefaults
  /** What names and refs mean: the state of today, or as it was after an earlier operation. */
  readonly state: StateView
  /** A run as an object. */
  readonly runOf: (id: string) => Run
  /** What gives versions their numbers, in the order of the calls. */
  readonly queue: Queue
  /** Where credentials and endpoints of other places come from. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told what a person should hear although nothing failed. */
  readonly onNotice: (text: string) => void
}

/** The live version that a ref means. @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_INVALID_NAME. */
export function versionOf(session: Session, ref: string): Resolved {
  const { state, defaults } = session
  return sayingOther(session, resolveVersion(state, parseRef(ref), defaults))
}

/** The version that a ref means, be it live or deleted; else as `versionOf`. */
export function anyVersionOf(session: Session, ref: string): Resolved {
  const { state, defaults } = session
  return sayingOther(session, resolveAnyVersion(state, parseRef(ref), defaults))
}

/** For so long a number may still be meant as it was before a pull. */
const REMEMBERED_MS = 30 * 24 * 60 * 60 * 1000
/** What was said of each open store: once is enough. */
const said = new WeakMap<Opened, Set<string>>()

/** Says so where a ref meant another version until lately; after that, the number is what it is. */
function sayingOther(session: Session, { formerly, ...resolved }: Resolved): Resolved {
  if (formerly === undefined || Date.now() - Date.parse(formerly.until) > REMEMBERED_MS)
    return resolved
  const ref = linkRefOf(session, resolved)
  const { version, number, until } = formerly
  const artifact = resolved.link?.portfolio ?? resolved.artifact
  const now =
    number === undefined ? '' : `, now "${refOf(session, { artifact, version: { number } })}"`
  const [id, other] = [resolved.version, version].map((each) => `@${each.id.slice(0, 12)}`)
  const text = `"${ref}" is ${id}; until ${until} it was ${other}${now}.`
  const told = said.get(session.opened) ?? new Set()
  said.set(session.opened, told)
  if (!told.has(text)) session.onNotice(text)
  told.add(text)
  return { ...resolved, formerly }
}

/** As `versionOf`, for who reads what is in the version: ERR_NOT_FOUND too where gc has removed it since. */
export function contentOf(session: Session, ref: string): Resolved {
  const resolved = versionOf(session, ref)
  if (removalOf(session, resolved) === undefined) return resolved
  throw removedByGc(refOf(session, resolved))
}

/** The operation that gave up the bytes of a version that was live, where an earlier state is looked at. */
export function removalOf({ opened, state }: Session, { version }: Resolved): number | undefined {
  const today = opened.index.state
  return state === today ? undefined : today.versionById(version.id)?.purged
}

/** The artifact that a name means. @throws ArtifactsError ERR_NOT_FOUND, ERR_INVALID_NAME. */
export function artifactOf({ state, defaults }: Session, name: string): ArtifactRow {
  return resolveArtifact(state, parseRef(name), defaults)
}

/** `bike`, or `project/bike` where the project is not the default one. */
export function nameOf(
  { defaults }: Session,
  { project, name }: { readonly project: string; readonly name: string },
): string {
  return project === defaults.project ? name : `${project}/${name}`
}

/** `bike:v4`, or `project/bike:v4` where the project is not the default one; never the name of a link. */
export function refOf(session: Session, { artifact, version }: Naming): string {
  return `${nameOf(session, artifact)}:v${version.number}`
}

/** As `refOf`, and where a portfolio was named, its version. */
export function linkRefOf(session: Session, resolved: Resolved): string {
  const { link } = resolved
  if (link === undefined) return refOf(session, resolved)
  return refOf(session, { artifact: link.portfolio, version: link })
}

/** What a version is called in its artifact, or in a portfolio that it is linked into; else `@` and its id. */
export function refWithin(session: Session, artifact: ArtifactRow, id: ObjectId): string {
  const { state } = session
  const link = artifact.portfolio === true ? state.linkOf(artifact.id, id) : undefined
  if (link !== undefined) return refOf(session, { artifact, version: link })
  const version = state.versionById(id)
  const own = version && state.artifactById(version.artifact)
  if (version === undefined || own === undefined) return `@${id.slice(0, 12)}`
  return refOf(session, { artifact: own, version })
}

interface Naming {
  readonly artifact: { readonly project: string; readonly name: string }
  readonly version: { readonly number: number }
}
