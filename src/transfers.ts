/** Push, pull and fetch as a person asks for them: refs become what is to move, and what moved becomes a report. */
import { ArtifactsError } from './errors.ts'
import { historySentences } from './history-sentences.ts'
import { selecting } from './selection.ts'
import { nameOf, type Session, versionOf } from './session.ts'
import type { StateView } from './store/index/state.ts'
import { checkPath } from './store/tree/paths.ts'
import { Exchange, type Requests } from './sync/exchange.ts'
import { fetchContent } from './sync/fetch.ts'
import { type PullResult, pull } from './sync/pull.ts'
import { push } from './sync/push.ts'
import { type Remote, remoteNamed } from './sync/remotes.ts'
import type { WantedVersion } from './sync/transfer/missing-there.ts'
import type { OperationOptions } from './types.ts'

export interface TransferOptions extends OperationOptions {
  /** A remote's name, an address, or the path of a folder or a bundle; default: the primary. */
  readonly remote?: string
  /** Requests at once. */
  readonly jobs?: number
}

export interface PushOptions extends TransferOptions {
  readonly dryRun?: boolean
  /** False: news of the remote are not pulled first. */
  readonly pull?: boolean
  /** Patches of runs' sources go along. */
  readonly withPatch?: boolean
}

export interface PullOptions extends TransferOptions {
  /** False: trees and recipes come, the bytes of files do not. */
  readonly data?: boolean
}

export interface FetchOptions extends TransferOptions {
  /** A version that was pulled without its bytes. */
  readonly ref?: string
  /** Only these of its paths, and what is below them. */
  readonly paths?: readonly string[]
}

export interface FetchReport extends TransferReport {
  /** Operations of the remote that were not known before. */
  readonly news: number
  /** The artifacts that they touch, as they are called there. */
  readonly artifacts: readonly string[]
}

export interface TransferReport {
  /** The remote's name, or its address. */
  readonly remote: string
  readonly url: string
  /** What moved, as it is called where it is now. */
  readonly versions: readonly string[]
  readonly packs: number
  readonly objects: number
  /** Of the packs that were sent, or of what was received. */
  readonly bytes: number
  readonly requests: number
  readonly requestsByKind: Requests
  /** The operation that was created, there or here. */
  readonly operation?: number
  /** What both sides had changed, and what came of it, in sentences. */
  readonly remarks: readonly string[]
}

export interface PushReport extends TransferReport {
  readonly dryRun: boolean
  /** What was pulled before. */
  readonly pulled?: readonly string[]
}

/** Sends versions to a remote; without refs, everything that is not there. */
export async function pushTo(
  session: Session,
  refs: readonly string[],
  options: PushOptions = {},
): Promise<PushReport> {
  const { opened } = session
  const { dryRun = false, signal, onProgress, jobs = 8, withPatch = false } = options
  const remote = remoteNamed(opened, options.remote)
  await using exchange = await open(session, remote, options)
  const result = await push(opened, exchange, {
    select: selecting(refs, session.defaults),
    pulls: options.pull ?? true,
    withPatch,
    dryRun,
    jobs,
    signal,
    onProgress,
  })
  const { mirror } = exchange
  const there = dryRun ? undefined : mirror?.state
  const pulled = result.pulled?.versions ?? []
  return {
    ...report(session, exchange, result, there ?? opened.index.state),
    dryRun,
    ...(pulled.length === 0 ? {} : { pulled: refsOf(session, opened.index.state, pulled) }),
  }
}

/** Takes over what a remote has; without refs, everything that is new. */
export async function pullFrom(
  session: Session,
  refs: readonly string[],
  options: PullOptions = {},
): Promise<TransferReport> {
  const { opened } = session
  const { signal, onProgress, data = true } = options
  const remote = remoteNamed(opened, options.remote)
  await using exchange = await open(session, remote, options)
  if (exchange.mirror === undefined && refs.length > 0) throw nothingThere(remote)
  const result = await pull(opened, exchange, {
    select: selecting(refs, session.defaults),
    content: data ? 'all' : 'none',
    signal,
    onProgress,
  })
  return report(session, exchange, result, opened.index.state)
}

/** Reads what is new in a remote's log; with a ref, fetches the bytes of a version that is partial. */
export async function fetchFrom(
  session: Session,
  options: FetchOptions = {},
): Promise<FetchReport> {
  const { opened } = session
  const { signal, onProgress, ref, paths } = options
  const remote = remoteNamed(opened, options.remote)
  await using exchange = await open(session, remote, options)
  const { mirror } = exchange
  if (mirror === undefined) throw nothingThere(remote)
  const before = mirror.head.n
  const news = await mirror.readNews(exchange.backend, { signal })
  const artifacts = mirror.state
    .artifacts()
    .filter(({ id }) => mirror.touched(id) > before)
    .map((artifact) => nameOf(session, artifact))
  const versions = ref === undefined ? [] : [versionOf(session, ref).version]
  const result = await fetchContent(opened, exchange, mirror, {
    versions,
    paths: paths?.map((path) => checkPath(path.replace(/\/+$/, ''))),
    signal,
    onProgress,
  })
  return { ...report(session, exchange, result, opened.index.state), news, artifacts }
}

async function open(
  { opened, env }: Session,
  remote: Remote,
  { jobs, signal }: TransferOptions,
): Promise<Exchange> {
  return Exchange.open(opened, remote, { env, signal, ...(jobs === undefined ? {} : { jobs }) })
}

function report(
  session: Session,
  { remote, requests, requestCount }: Exchange,
  result: PullResult,
  state: StateView,
): TransferReport {
  const { versions, packs, objects, bytes, operation, remarks } = result
  return {
    remote: remote.name,
    url: remote.url,
    versions: refsOf(session, state, versions),
    packs,
    objects,
    bytes,
    requests: requestCount,
    requestsByKind: { ...requests },
    ...(operation === undefined ? {} : { operation }),
    remarks: historySentences(session, remarks, remote),
  }
}

function refsOf(
  session: Session,
  state: StateView,
  versions: readonly WantedVersion[],
): readonly string[] {
  return versions.map(({ id }) => {
    const version = state.versionById(id)
    const artifact = version && state.artifactById(version.artifact)
    if (version === undefined || artifact === undefined) return `@${id.slice(0, 12)}`
    return `${nameOf(session, artifact)}:v${version.number}`
  })
}

/** The error of who wants something of a remote that nobody has pushed to. */
export function nothingThere({ url }: Remote): ArtifactsError {
  return new ArtifactsError('ERR_NOT_FOUND', `There is no store at "${url}" yet.`, {
    hint: 'Whoever has something to share pushes first: `artifacts push`.',
  })
}
