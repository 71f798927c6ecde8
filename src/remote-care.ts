/** Looking after a remote, as a person asks for it: is all of it there, and what does no version need? */
import type { GcOptions } from './gc.ts'
import { parseDuration } from './names.ts'
import { nameOf, type Session } from './session.ts'
import type { VersionRow } from './store/index/state.ts'
import { collectRemote } from './sync/care/collect.ts'
import { examineRemote, type RemoteExamination } from './sync/care/examine.ts'
import { Exchange } from './sync/exchange.ts'
import type { Mirror } from './sync/mirror/mirror.ts'
import { remoteNamed } from './sync/remotes.ts'
import { nothingThere } from './transfers.ts'
import type { OperationOptions } from './types.ts'

export interface RemoteGcReport {
  readonly remote: string
  readonly url: string
  readonly dryRun: boolean
  /** Refs of versions that were deleted before grace; they cannot be restored there any more. */
  readonly purged: readonly string[]
  readonly packs: { readonly dropped: number; readonly leftover: number }
  readonly bytesBefore: number
  readonly bytesAfter: number
  readonly freedBytes: number
  /** Files that are given up and that the remote did not let go. */
  readonly kept: readonly string[]
  /** The remote's operation. */
  readonly operation?: number
}

/** @throws ArtifactsError ERR_USAGE for a grace that is no duration, ERR_CLOCK, ERR_UNSUPPORTED, ERR_REMOTE_* */
export async function gcRemote(
  session: Session,
  name: string,
  { dryRun = false, grace, signal }: Omit<GcOptions, 'explain'> = {},
): Promise<RemoteGcReport> {
  const { opened, env } = session
  const remote = remoteNamed(opened, name)
  await using exchange = await Exchange.open(opened, remote, { env, signal })
  const { mirror } = exchange
  if (mirror === undefined) throw nothingThere(remote)
  const { purged, ...collected } = await collectRemote(opened, exchange, mirror, {
    dryRun,
    grace: parseDuration(grace ?? opened.settings.get('gc.grace')),
    signal,
  })
  const refs = purged.flatMap((id) => {
    const version = mirror.state.versionById(id)
    return version === undefined ? [] : [refAt(session, mirror, version)]
  })
  return {
    remote: remote.name,
    url: remote.url,
    dryRun,
    purged: refs,
    ...collected,
    freedBytes: collected.bytesBefore - collected.bytesAfter,
  }
}

export interface RemoteFsckReport extends RemoteExamination {
  readonly remote: string
  readonly url: string
  readonly ok: boolean
}

/** Examines what lies at a remote; nothing is changed. @throws ArtifactsError ERR_NOT_FOUND, ERR_REMOTE_* */
export async function fsckRemote(
  session: Session,
  name: string,
  { data = false, signal, onProgress }: OperationOptions & { readonly data?: boolean } = {},
): Promise<RemoteFsckReport> {
  const { opened, env } = session
  const remote = remoteNamed(opened, name)
  await using exchange = await Exchange.open(opened, remote, { env, signal })
  const { mirror, backend } = exchange
  if (mirror === undefined) throw nothingThere(remote)
  const examination = await examineRemote(opened, backend, mirror, {
    data,
    refOf: (version) => refAt(session, mirror, version),
    signal,
    onProgress,
  })
  const ok = examination.problems.length === 0
  return { remote: remote.name, url: remote.url, ok, ...examination }
}

function refAt(session: Session, mirror: Mirror, version: VersionRow): string {
  const artifact = mirror.state.artifactById(version.artifact)
  if (artifact === undefined) return `@${version.id.slice(0, 12)}`
  return `${nameOf(session, artifact)}:v${version.number}`
}
