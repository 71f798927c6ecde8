/** What the primary remote has, as far as is known without asking it: numbers of versions that it lacks can still change. */
import { nameOf, type Session } from './session.ts'
import type { Opened } from './store/open.ts'
import { type KnownVersions, knownVersions } from './sync/mirror/peek.ts'
import { knownAddress } from './sync/remote-notes.ts'
import { type Remote, remotesOf } from './sync/remotes.ts'

export interface NotPushed {
  /** Name of the primary remote. */
  readonly remote: string
  /** When it was asked last; absent: never. ISO 8601, UTC. */
  readonly asOf?: string
  /** How many versions it does not have. */
  readonly versions: number
  /** Artifacts with such versions. */
  readonly artifacts: readonly { readonly artifact: string; readonly versions: readonly string[] }[]
}

export interface KnownToPrimary extends KnownVersions {
  readonly remote: Remote
}

/** Undefined where there is no primary remote. */
export function knownToPrimary(opened: Opened): KnownToPrimary | undefined {
  const remote = remotesOf(opened).find(({ isPrimary }) => isPrimary)
  if (remote === undefined) return undefined
  const { store } = knownAddress(opened, remote.url)
  const known =
    store === undefined
      ? { has: () => false, asOf: undefined, [Symbol.dispose]: () => {} }
      : knownVersions(opened, store)
  return { ...known, remote }
}

/** Live versions that the primary remote does not have; undefined where there is none. */
export function notPushed(session: Session): NotPushed | undefined {
  const { opened, state } = session
  using known = knownToPrimary(opened)
  if (known === undefined) return undefined
  const artifacts = state.artifacts().flatMap((artifact) => {
    if (artifact.portfolio === true) return []
    const versions = state.versions(artifact.id).filter(({ id }) => !known.has(id))
    if (versions.length === 0) return []
    return [
      { artifact: nameOf(session, artifact), versions: versions.map(({ number }) => `v${number}`) },
    ]
  })
  return {
    remote: known.remote.name,
    ...(known.asOf === undefined ? {} : { asOf: known.asOf.toISOString() }),
    versions: artifacts.reduce((sum, { versions }) => sum + versions.length, 0),
    artifacts,
  }
}
