/** Giving up what no version of a remote needs, as a person asks for it. */
import type { GcOptions } from './gc.ts'
import { parseDuration } from './names.ts'
import { nameOf, type Session } from './session.ts'
import { collectRemote } from './sync/care/collect.ts'
import { Exchange } from './sync/exchange.ts'
import { remoteNamed } from './sync/remotes.ts'
import { nothingThere } from './transfers.ts'

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
    const artifact = version && mirror.state.artifactById(version.artifact)
    return artifact === undefined ? [] : [`${nameOf(session, artifact)}:v${version?.number}`]
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
